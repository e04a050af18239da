/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/state-json.h"

#define OCI_VERSION "1.3.0" /* of the state document; the container's own config.json may be of an older one */

static void add_pair(Text *t, const char *key, const char *value, const char *end) {
        text_add_json_string(t, key);
        text_add(t, ":");
        text_add_json_string(t, value);
        text_add(t, end);
}

void state_json_hook(const Spec *spec, const char *id, const char *status, const char *bundle, Text *head,
                     Text *tail) {
        text_add(head, "{");
        add_pair(head, "ociVersion", OCI_VERSION, ",");
        add_pair(head, "id", id, ",");
        add_pair(head, "status", status, ",");
        text_add(head, "\"pid\":");

        text_add(tail, ",");
        add_pair(tail, "bundle", bundle, spec->n_annotations > 0 ? ",\"annotations\":{" : "");
        for (size_t i = 0; i < spec->n_annotations; i++)
                add_pair(tail, spec->annotations[i].key, spec->annotations[i].value,
                         i + 1 < spec->n_annotations ? "," : "}");
        text_add(tail, "}");
}
