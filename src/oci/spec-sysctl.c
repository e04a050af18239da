/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "basic/str.h"
#include "oci/spec-fields.h"

/*
 * Kernel parameters that belong to a namespace and not to the machine. "/" at the end: all below. What is not here
 * is refused: writing it from within a container would change the host.
 */
static const struct {
        const char *path;
        int namespace;
} known[] = {
        { "kernel/msgmax", CLONE_NEWIPC },
        { "kernel/msgmnb", CLONE_NEWIPC },
        { "kernel/msgmni", CLONE_NEWIPC },
        { "kernel/auto_msgmni", CLONE_NEWIPC },
        { "kernel/sem", CLONE_NEWIPC },
        { "kernel/shmall", CLONE_NEWIPC },
        { "kernel/shmmax", CLONE_NEWIPC },
        { "kernel/shmmni", CLONE_NEWIPC },
        { "kernel/shm_rmid_forced", CLONE_NEWIPC },
        { "fs/mqueue/", CLONE_NEWIPC },
        { "net/", CLONE_NEWNET },
        { "kernel/domainname", CLONE_NEWUTS },
        { "user/", CLONE_NEWUSER },
};

/*
 * As sysctl(8) does: the first separator decides. After a slash everything stays as it is
 * ("net/ipv4/conf/eth0.1/forwarding"); after a dot the two change places ("net.ipv4.conf.eth0/1.forwarding").
 */
static int to_path(const JsonNode *node, const char **key) {
        char *path = arena_strdup(node->reader->arena, *key);
        size_t first = strcspn(path, "./");
        bool swap = path[first] == '.';

        for (char *p = path; *p; p++)
                if (swap && (*p == '.' || *p == '/'))
                        *p = *p == '.' ? '/' : '.';
        for (const char *p = path;; p++) {
                size_t n = strcspn(p, "/");

                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return json_error(node, NULL, EINVAL, "not the name of a kernel parameter");
                p += n;
                if (*p == '\0')
                        break;
        }
        *key = path;
        return 0;
}

int spec_sysctl_namespace(const char *path) {
        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (endswith(known[i].path, "/") ? startswith(path, known[i].path) != NULL : streq(path, known[i].path))
                        return known[i].namespace;
        return 0;
}

static int check_one(const JsonNode *node, SpecKeyValue *s, uint32_t namespaces) {
        int r, type;

        r = spec_check_word(node, "the name of a kernel parameter", s->key);
        if (r < 0)
                return r;
        for (const char *p = s->value; *p; p++)
                if (((unsigned char) *p < ' ' && *p != '\t') || *p == 0x7f)
                        return json_error(node, NULL, EINVAL, "the value must not contain control characters");
        r = to_path(node, &s->key);
        if (r < 0)
                return r;
        if (streq(s->key, "kernel/hostname"))
                return json_error(node, NULL, EINVAL, "the host name is set with \"hostname\"");
        type = spec_sysctl_namespace(s->key);
        if (type == 0)
                return json_error(node, NULL, EINVAL, "is not in a separate kernel namespace");
        if (!(namespaces & (uint32_t) type))
                return json_error(node, NULL, EINVAL, "needs a namespace of type \"%s\"",
                                  name_of(namespace_names, type));
        return 0;
}

int spec_check_sysctl(const JsonNode *node, void *linux_) {
        const JsonNode list = { .parent = node, .name = "sysctl", .reader = node->reader };
        SpecLinux *l = linux_;
        uint32_t namespaces = 0;
        int r;

        for (size_t i = 0; i < l->n_namespaces; i++)
                namespaces |= (uint32_t) l->namespaces[i].type;
        for (size_t i = 0; i < l->n_sysctl; i++) {
                JsonNode child = { .parent = &list, .name = l->sysctl[i].key, .reader = node->reader };

                r = check_one(&child, &l->sysctl[i], namespaces);
                if (r < 0)
                        return r;
        }
        return 0;
}
