/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "oci/spec-fields.h"

const JsonField spec_id_map_fields[] = {
        JSON_U32("containerID", SpecIdMap, container_id, .required = true, SPEC_ID_MAX),
        JSON_U32("hostID", SpecIdMap, host_id, .required = true, SPEC_ID_MAX),
        JSON_U32("size", SpecIdMap, size, .required = true, .min = 1, .max = UINT32_MAX),
        {}
};

#define MAPPED HELPER("mount_setattr with a user namespace that has these maps")

const JsonField spec_mount_fields[] = {
        JSON_STRING("destination", SpecMount, destination, .required = true, HELPER("move_mount to it")),
        JSON_STRING("type", SpecMount, type, HELPER("fsopen")),
        JSON_STRING("source", SpecMount, source, HELPER("open_tree of it, or fsconfig")),
        JSON_STRINGS("options", SpecMount, options, JSON_COUNT(SpecMount, options, n_options),
                     HELPER("fsconfig and mount_setattr")),
        JSON_ARRAY("uidMappings", SpecMount, uid_mappings, n_uid_mappings, SpecIdMap, spec_id_map_fields, MAPPED),
        JSON_ARRAY("gidMappings", SpecMount, gid_mappings, n_gid_mappings, SpecIdMap, spec_id_map_fields, MAPPED),
        {}
};

int spec_check_mount(const JsonNode *node, void *mount) {
        SpecMount *m = mount;

        /* "MAY be a relative path, in which case it MUST be interpreted as relative to /" */
        if (m->destination[0] != '/') {
                json_warn(node, "destination \"%s\" is taken for \"/%s\": relative ones are deprecated", m->destination,
                          m->destination);
                m->destination = arena_printf(node->reader->arena, "/%s", m->destination);
        }
        if ((m->n_uid_mappings > 0) != (m->n_gid_mappings > 0))
                return json_error(node, NULL, EINVAL, "uidMappings and gidMappings must be given together");
        return 0;
}

