/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>
#include <stdio.h>

#include "basic/nearest.h"
#include "basic/str.h"
#include "oci/spec-fields.h"

/* The rules between properties far from each other. Nothing here looks at the host. */

/* UID_GID_MAP_MAX_EXTENTS of the kernel. */
#define ID_MAPS_MAX 340

static int validate_namespaces(const Spec *spec, Error *reterr) {
        const SpecLinux *l = &spec->linux_;
        uint32_t seen = 0;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                if (seen & (uint32_t) l->namespaces[i].type)
                        return error_setf(reterr, EINVAL, "linux.namespaces[%zu].type: given twice", i);
                seen |= (uint32_t) l->namespaces[i].type;
        }
        return 0;
}

static bool overlap(uint32_t a, uint32_t a_size, uint32_t b, uint32_t b_size) {
        return a < (uint64_t) b + b_size && b < (uint64_t) a + a_size;
}

int spec_check_id_maps(const char *path, const SpecIdMap *maps, size_t n, Error *reterr) {
        if (n > ID_MAPS_MAX)
                return error_setf(reterr, EINVAL, "%s: %zu mappings, Linux takes %d", path, n, ID_MAPS_MAX);
        for (size_t i = 0; i < n; i++) {
                const SpecIdMap *a = &maps[i];

                if ((uint64_t) MAX(a->container_id, a->host_id) + a->size > UINT32_MAX)
                        return error_setf(reterr, EINVAL, "%s[%zu]: goes beyond the last ID", path, i);
                for (size_t k = 0; k < i; k++) {
                        const SpecIdMap *b = &maps[k];

                        if (overlap(a->container_id, a->size, b->container_id, b->size) ||
                            overlap(a->host_id, a->size, b->host_id, b->size))
                                return error_setf(reterr, EINVAL, "%s[%zu]: overlaps with %s[%zu]", path, i,
                                                  path, k);
                }
        }
        return 0;
}

static int validate_user_namespace(const Spec *spec, Error *reterr) {
        const SpecNamespace *user = spec_namespace(spec, CLONE_NEWUSER);
        const SpecLinux *l = &spec->linux_;
        int r;

        if (!user && (l->n_uid_mappings > 0 || l->n_gid_mappings > 0))
                return error_setf(reterr, EINVAL, "linux.%s: needs a namespace of type \"user\"",
                                  l->n_uid_mappings > 0 ? "uidMappings" : "gidMappings");
        /* Mappings beside a path are what containerd writes for the containers of a pod: they describe it. */
        if (user && !user->path && (l->n_uid_mappings == 0 || l->n_gid_mappings == 0))
                return error_setf(reterr, EINVAL, "linux.%s: a new user namespace needs at least one",
                                  l->n_uid_mappings == 0 ? "uidMappings" : "gidMappings");
        r = spec_check_id_maps("linux.uidMappings", l->uid_mappings, l->n_uid_mappings, reterr);
        if (r < 0)
                return r;
        return spec_check_id_maps("linux.gidMappings", l->gid_mappings, l->n_gid_mappings, reterr);
}

static int validate_mount(const Spec *spec, size_t i, Error *reterr) {
        const SpecMount *m = &spec->mounts[i];
        char path[64];
        int r;

        snprintf(path, sizeof(path), "mounts[%zu].uidMappings", i);
        r = spec_check_id_maps(path, m->uid_mappings, m->n_uid_mappings, reterr);
        if (r < 0)
                return r;
        snprintf(path, sizeof(path), "mounts[%zu].gidMappings", i);
        return spec_check_id_maps(path, m->gid_mappings, m->n_gid_mappings, reterr);
}

/* crun's, for linux.mountLabel. */
static int validate_context_type(const Spec *spec, Error *reterr) {
        static const char key[] = "run.oci.mount_context_type";
        static const char *const types[] = { "context", "fscontext", "defcontext", "rootcontext" };
        const char *type = spec_annotation(spec, key);
        _cleanup_text_ Text known = {};

        if (isempty(type))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(types); i++)
                if (streq(type, types[i]))
                        return 0;
        text_add_known(&known, type, types, ELEMENTSOF(types));
        return error_setf(reterr, EINVAL, "annotation %s: unknown value \"%s\"%s", key, type, known.s);
}

int spec_validate(const Spec *spec, Error *reterr) {
        const SpecNamespace *time = spec_namespace(spec, CLONE_NEWTIME);
        const SpecLinux *l = &spec->linux_;
        int r;

        r = validate_context_type(spec, reterr);
        if (r >= 0)
                r = validate_namespaces(spec, reterr);
        if (r >= 0)
                r = validate_user_namespace(spec, reterr);
        for (size_t i = 0; i < spec->n_mounts && r >= 0; i++)
                r = validate_mount(spec, i, reterr);
        if (r < 0)
                return r;
        if (!spec_namespace(spec, CLONE_NEWUTS) && (spec->hostname || spec->domainname))
                return error_setf(reterr, EINVAL, "%s: needs a namespace of type \"uts\"",
                                  spec->hostname ? "hostname" : "domainname");
        for (size_t i = 0; i < l->n_sysctl && spec->domainname; i++)
                if (streq(l->sysctl[i].key, "kernel/domainname"))
                        return error_setf(reterr, EINVAL, "linux.sysctl[\"kernel.domainname\"]: the domain name is set with "
                                          "\"domainname\", too");
        if (!spec_namespace(spec, CLONE_NEWNET) && l->n_net_devices > 0)
                return error_setf(reterr, EINVAL, "linux.netDevices: needs a namespace of type \"network\"");
        /* The offsets of a time namespace can be set only before the first process is in it. */
        if ((!time || time->path) && (l->boottime.set || l->monotonic.set))
                return error_setf(reterr, EINVAL, "linux.timeOffsets: needs a new namespace of type \"time\"");
        return 0;
}
