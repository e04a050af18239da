/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "basic/str.h"
#include "oci/spec.h"

/* Questions about what was read. */

const char *spec_annotation(const Spec *spec, const char *key) {
        for (size_t i = 0; i < spec->n_annotations; i++)
                if (streq(spec->annotations[i].key, key))
                        return spec->annotations[i].value;
        return NULL;
}

int spec_annotation_path(const Spec *spec, const char *key, const char **ret, Error *reterr) {
        const char *path = spec_annotation(spec, key);

        *ret = isempty(path) ? NULL : path;
        return !*ret || path[0] == '/'
                ? 0 : error_setf(reterr, EINVAL, "annotation %s: \"%s\" is not an absolute path", key, path);
}

const SpecNamespace *spec_namespace(const Spec *spec, int type) {
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
                if (spec->linux_.namespaces[i].type == type)
                        return &spec->linux_.namespaces[i];
        return NULL;
}

bool spec_map_id(const SpecIdMap *map, size_t n, uint32_t id, uint32_t *ret) {
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].container_id && id - map[i].container_id < map[i].size) {
                        *ret = map[i].host_id + (id - map[i].container_id);
                        return true;
                }
        return false;
}

bool spec_mount_has_option(const SpecMount *m, const char *option) {
        for (size_t i = 0; i < m->n_options; i++)
                if (streq(m->options[i], option))
                        return true;
        return false;
}
