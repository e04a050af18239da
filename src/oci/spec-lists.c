/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "oci/spec-fields.h"

int spec_check_list(const JsonNode *node, void *string) {
        const char **list = string;
        uint8_t bits[CPUS_MAX / 8] = {};
        int n = parse_bits(*list, bits, sizeof(bits));

        if (n < 0)
                return json_error(node, NULL, EINVAL, "\"%s\" is not a list such as \"0-3,7\"", *list);
        if (n == 0)
                *list = NULL;
        return 0;
}

int spec_check_word(const JsonNode *node, const char *what, const char *s) {
        if (s[0] == '\0')
                return json_error(node, NULL, EINVAL, "%s must not be empty", what);
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p <= ' ' || *p == 0x7f)
                        return json_error(node, NULL, EINVAL, "%s must not contain white space", what);
        return 0;
}
