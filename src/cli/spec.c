/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "cli/template.h"
#include "cli/verb.h"

typedef struct SpecOptions {
        const char *bundle;
        bool rootless;
} SpecOptions;

static const Option options[] = {
        { .name = "bundle", .letter = 'b', .offset = offsetof(SpecOptions, bundle), .type = OPTION_STRING,
          .argument = "DIR", .help = "Where to write it (default: working directory)" },
        { .name = "rootless", .offset = offsetof(SpecOptions, rootless), .type = OPTION_FLAG,
          .help = "For a user without privileges: a user namespace" },
        OPTION_END,
};

static json_object *id_mapping(uint32_t host) {
        json_object *list = json_object_new_array(), *map = json_object_new_object();

        json_object_object_add(map, "containerID", json_object_new_int(0));
        json_object_object_add(map, "hostID", json_object_new_int64(host));
        json_object_object_add(map, "size", json_object_new_int(1));
        json_object_array_add(list, map);
        return list;
}

/* The caller's own uid as root of a user namespace; what the single mapping cannot give is left out. */
static void make_rootless(json_object *config) {
        json_object *linux_ = json_object_object_get(config, "linux"), *mounts = json_object_object_get(config, "mounts");
        json_object *namespaces = json_object_object_get(linux_, "namespaces"), *user = json_object_new_object();

        json_object_object_add(user, "type", json_object_new_string("user"));
        json_object_array_add(namespaces, user);
        json_object_object_add(linux_, "uidMappings", id_mapping(geteuid()));
        json_object_object_add(linux_, "gidMappings", id_mapping(getegid()));
        json_object_object_del(linux_, "resources");
        for (size_t i = 0; i < json_object_array_length(mounts); i++) {
                json_object *mount = json_object_array_get_idx(mounts, i), *kept;
                json_object *list = json_object_object_get(mount, "options");

                if (!list)
                        continue;
                kept = json_object_new_array();
                for (size_t k = 0; k < json_object_array_length(list); k++) /* gid 5 (tty) is not mapped */
                        if (!streq(json_object_get_string(json_object_array_get_idx(list, k)), "gid=5"))
                                json_object_array_add(kept, json_object_get(json_object_array_get_idx(list, k)));
                json_object_object_add(mount, "options", kept);
        }
}

static int write_config(const char *directory, const char *text, Error *reterr) {
        _cleanup_close_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        int r;

        if (dir < 0)
                return error_errnof(reterr, errno, "cannot open the bundle %s", directory);
        /* Environments have secrets in them. */
        fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0 && errno == EEXIST)
                return error_setf(reterr, EEXIST, "config.json exists in %s: remove it first", directory);
        r = fd < 0 ? -errno : write_full(fd, text, strlen(text));
        return r < 0 ? error_errnof(reterr, r, "cannot write config.json in %s", directory) : 0;
}

static int spec(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        const SpecOptions *o = target;

        if (o->rootless) {
                json_object *config = json_tokener_parse(spec_template);

                make_rootless(config);
                text = xasprintf("%s\n", json_object_to_json_string_ext(config, JSON_C_TO_STRING_PRETTY |
                                                                          JSON_C_TO_STRING_SPACED |
                                                                          JSON_C_TO_STRING_NOSLASHESCAPE));
                json_object_put(config);
        }
        return write_config(o->bundle ?: ".", text ?: spec_template, reterr);
}

const Verb verb_spec = {
        .name = "spec", .arguments = "", .summary = "Write a config.json to begin with",
        .example = "spec --bundle web",
        .options = options, .options_size = sizeof(SpecOptions), .order = OPTIONS_ANYWHERE, .stateless = true, .run = spec,
};
