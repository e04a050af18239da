/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/state-object.h"

#include <stdio.h>

#include "host/observe.h"

/* /etc/passwd by hand: NSS would load half a dozen libraries for one name. */
static char *look_up_owner(uint32_t uid) {
        FILE *f = fopen("/etc/passwd", "re");
        char *line = NULL, *name = NULL;
        size_t room = 0;

        while (f && !name && getline(&line, &room, f) > 0) {
                char *save, *user = strtok_r(line, ":", &save), *id;
                uint32_t value;

                if (!user || !strtok_r(NULL, ":", &save) || !(id = strtok_r(NULL, ":", &save)))
                        continue;
                if (parse_u32(id, &value) == 0 && value == uid)
                        name = xstrdup(user);
        }
        free(line);
        if (f)
                fclose(f);
        return name ?: xasprintf("#%u", uid);
}

/* In a list nearly all have the same. */
static const char *owner_name(uint32_t uid) {
        static uint32_t known_uid;
        static char *known;

        if (!known || known_uid != uid) {
                free(known);
                known = look_up_owner(uid);
                known_uid = uid;
        }
        return known;
}

json_object *state_object(const Container *c) {
        const Record *r = &c->record;
        json_object *o = json_object_new_object();
        Status status = container_status(c);

#define ADD(key, value) json_object_object_add(o, key, value)
        ADD("ociVersion", json_object_new_string(r->oci_version ?: "1.0.0"));
        ADD("id", json_object_new_string(c->id));
        ADD("pid", json_object_new_int(status == STATUS_STOPPED ? 0 : r->pid));
        ADD("status", json_object_new_string(status_name(status)));
        ADD("bundle", json_object_new_string(r->bundle ?: ""));
        ADD("rootfs", json_object_new_string(r->rootfs ?: ""));
        ADD("created", json_object_new_string(r->created ?: "0001-01-01T00:00:00Z"));
        if (r->n_annotations > 0) {
                json_object *annotations = json_object_new_object();

                for (size_t i = 0; i < r->n_annotations; i++)
                        json_object_object_add(annotations, r->annotations[i].key,
                                               json_object_new_string(r->annotations[i].value));
                ADD("annotations", annotations);
        }
        ADD("owner", json_object_new_string(owner_name(r->owner)));
        if (home_has_unit(r->home))
                ADD("systemdUnit", json_object_new_string(r->unit));
#undef ADD
        return o;
}

void print_object(json_object *object, bool pretty) {
        puts(json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE |
                                            (pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED : 0)));
}
