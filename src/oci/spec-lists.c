/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/str.h"
#include "oci/spec-fields.h"

/* The largest NR_CPUS (and more than the largest number of memory nodes) that Linux can be built with. */
#define LIST_MAX 8192

static bool parse_number(const char **s, uint32_t *ret) {
        uint32_t v = 0;

        if (**s < '0' || **s > '9')
                return false;
        for (; **s >= '0' && **s <= '9'; (*s)++) {
                v = v * 10 + (uint32_t) (**s - '0');
                if (v >= LIST_MAX)
                        return false;
        }
        *ret = v;
        return true;
}

/* One "7" or "0-3" of a list, with blanks around it. */
static bool parse_range(const char **s, Text *list) {
        uint32_t first, last;

        if (!parse_number(s, &first))
                return false;
        text_addf(list, "%s%u", list->n > 0 ? "," : "", first);
        *s += strspn(*s, " ");
        if (**s == '-') {
                (*s)++;
                *s += strspn(*s, " ");
                if (!parse_number(s, &last) || last < first)
                        return false;
                text_addf(list, "-%u", last);
                *s += strspn(*s, " ");
        }
        return **s == ',' || **s == '\0';
}

/* As runc reads them: blanks and empty elements do no harm. */
int spec_check_list(const JsonNode *node, void *string) {
        const char **list = string, *s = *list;
        _cleanup_text_ Text clean = {};

        for (;;) {
                s += strspn(s, " ,");
                if (*s == '\0')
                        break;
                if (!parse_range(&s, &clean))
                        return json_error(node, NULL, EINVAL, "\"%s\" is not a list such as \"0-3,7\"", *list);
        }
        if (clean.n == 0)
                *list = NULL;
        else if (!streq(clean.s, *list))
                *list = arena_strdup(node->reader->arena, clean.s);
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
