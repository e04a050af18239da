/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The rows of a table: how a value of each type is read. */
#include <json-c/json.h>
#include <string.h>

#include "basic/str.h"
#include "oci/json.h"

static int check_value(const JsonNode *node, const JsonField *f, void *value) {
        return f->check ? f->check(node, value) : 0;
}

int json_read_bool(const JsonNode *node, const JsonField *f, void *to) {
        if (!json_object_is_type(node->value, json_type_boolean))
                return json_wrong_type(node, "a boolean");
        *(bool *) to = json_object_get_boolean(node->value);
        return check_value(node, f, to);
}

int json_read_opt_bool(const JsonNode *node, const JsonField *f, void *to) {
        static const JsonField plain = {};
        OptBool *o = to;

        o->set = true;
        return json_read_bool(node, &plain, &o->v) ?: check_value(node, f, to);
}

/* An integer within the range of the row, or of the type when the row has none. json-c keeps what fits an
 * int64_t as such, and the rest as uint64_t; what fits neither does not get past json_text_check(). */
static int read_integer(const JsonNode *node, const JsonField *f, int64_t min, uint64_t max, uint64_t *ret) {
        int64_t i;
        uint64_t u;

        if (!json_object_is_type(node->value, json_type_int))
                return json_wrong_type(node, "an integer");
        if (f->max > 0) {
                min = f->min;
                max = f->max;
        }
        i = json_object_get_int64(node->value);
        u = i < 0 ? (uint64_t) i : json_object_get_uint64(node->value);
        if (i < 0 ? i < min : u > max || (min > 0 && u < (uint64_t) min))
                return json_error(node, NULL, EINVAL, "%s is out of range (%lld to %llu)",
                                  json_object_get_string(node->value), (long long) min, (unsigned long long) max);
        *ret = u;
        return 0;
}

#define DEFINE_INTEGER(suffix, type, type_min, type_max)                                        \
        int json_read_##suffix(const JsonNode *node, const JsonField *f, void *to) {            \
                uint64_t v = 0;                                                                  \
                int r = read_integer(node, f, type_min, type_max, &v);                          \
                                                                                                \
                if (r < 0)                                                                      \
                        return r;                                                               \
                *(type *) to = (type) v;                                                        \
                return check_value(node, f, to);                                                \
        }
#define DEFINE_OPT_INTEGER(suffix, opt)                                                         \
        int json_read_opt_##suffix(const JsonNode *node, const JsonField *f, void *to) {        \
                JsonField plain = { .min = f->min, .max = f->max };                             \
                opt *o = to;                                                                    \
                                                                                                \
                o->set = true;                                                                  \
                return json_read_##suffix(node, &plain, &o->v) ?: check_value(node, f, to);     \
        }
DEFINE_INTEGER(u64, uint64_t, 0, UINT64_MAX)
DEFINE_INTEGER(u32, uint32_t, 0, UINT32_MAX)
DEFINE_INTEGER(u16, uint16_t, 0, UINT16_MAX)
DEFINE_INTEGER(i64, int64_t, INT64_MIN, INT64_MAX)
DEFINE_INTEGER(i32, int32_t, INT32_MIN, INT32_MAX)
DEFINE_OPT_INTEGER(u64, OptU64)
DEFINE_OPT_INTEGER(u32, OptU32)
DEFINE_OPT_INTEGER(i64, OptI64)
DEFINE_OPT_INTEGER(i32, OptI32)

static int check_string(const JsonNode *node, const JsonField *f, const char **s) {
        if (f->absolute && (*s)[0] != '/')
                return json_error(node, NULL, EINVAL, "\"%s\" is not an absolute path", *s);
        if (f->words) {
                const char *const *w = f->words;

                while (*w && !streq(*w, *s))
                        w++;
                if (!*w)
                        return json_unknown(node, *s, f->words);
        }
        return check_value(node, f, s);
}

int json_read_string(const JsonNode *node, const JsonField *f, void *to) {
        const char **s = to;
        int r;

        r = json_want_string(node, s);
        if (r < 0)
                return r;
        if ((*s)[0] == '\0') {
                *s = NULL;
                return f->required ? json_error(node, NULL, EINVAL, "must not be empty") : 0;
        }
        return check_string(node, f, s);
}

static int want_list(const JsonNode *node, const JsonField *f, void *to, size_t *ret_n) {
        int r;

        r = json_want_array(node, ret_n);
        if (r < 0)
                return r;
        if (f->not_empty && *ret_n == 0)
                return json_error(node, NULL, EINVAL, "must have at least one element");
        if (f->count != 0)
                *(size_t *) (void *) ((char *) to + f->count) = *ret_n;
        return 0;
}

int json_read_strings(const JsonNode *node, const JsonField *f, void *to) {
        const char **list;
        size_t n = 0;
        int r;

        r = want_list(node, f, to, &n);
        if (r < 0)
                return r;
        list = arena_calloc(node->reader->arena, n + 1, sizeof(*list));
        for (size_t i = 0; i < n; i++) {
                JsonNode child = json_element(node, i);

                r = json_want_string(&child, &list[i]);
                if (r >= 0)
                        r = check_string(&child, f, &list[i]);
                if (r < 0)
                        return r;
        }
        *(const char ***) to = list;
        return 0;
}

static int unknown_name(const JsonNode *node, const char *s, const Name *names) {
        const char **words;
        size_t n = 0;

        while (names[n].name)
                n++;
        words = arena_calloc(node->reader->arena, n + 1, sizeof(*words));
        for (size_t i = 0; i < n; i++)
                words[i] = names[i].name;
        return json_unknown(node, s, words);
}

static int find_name(const JsonNode *node, const JsonField *f, int *ret) {
        const char *s = "";
        const Name *name;
        int r;

        r = json_want_string(node, &s);
        if (r < 0)
                return r;
        name = name_find(f->names, s);
        if (!name)
                return unknown_name(node, s, f->names);
        *ret = name->value;
        return 0;
}

int json_read_name(const JsonNode *node, const JsonField *f, void *to) {
        return find_name(node, f, to) ?: check_value(node, f, to);
}

int json_read_names(const JsonNode *node, const JsonField *f, void *to) {
        uint64_t bits = 0;
        size_t n = 0;
        int r, v = 0;

        r = want_list(node, f, to, &n);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                JsonNode child = json_element(node, i);

                r = find_name(&child, f, &v);
                if (r < 0)
                        return r;
                bits |= (uint64_t) v;
        }
        *(uint64_t *) to = bits;
        return 0;
}

int json_read_object(const JsonNode *node, const JsonField *f, void *to) {
        return json_read_fields(node, f->fields, to) ?: check_value(node, f, to);
}

int json_read_closed_object(const JsonNode *node, const JsonField *f, void *to) {
        if (json_object_is_type(node->value, json_type_object)) {
                json_object_object_foreach(node->value, name, value) {
                        (void) value;
                        if (!json_find_field(f->fields, name))
                                return json_error(node, name, EINVAL, "unknown name");
                }
        }
        return json_read_object(node, f, to);
}

int json_read_pointer(const JsonNode *node, const JsonField *f, void *to) {
        void *object = arena_alloc(node->reader->arena, f->size);
        int r;

        r = json_read_object(node, f, object);
        memcpy(to, &object, sizeof(object));
        return r;
}

int json_read_array(const JsonNode *node, const JsonField *f, void *to) {
        char *elements;
        size_t n = 0;
        int failed = 0, r;

        r = want_list(node, f, to, &n);
        if (r < 0 || n == 0)
                return r;
        elements = arena_calloc(node->reader->arena, n, f->size);
        memcpy(to, &elements, sizeof(elements));
        for (size_t i = 0; i < n; i++) {
                JsonNode child = json_element(node, i);

                r = json_read_object(&child, f, elements + i * f->size);
                if (r < 0 && !json_goes_on(node->reader))
                        return r;
                failed = MIN(failed, r);
        }
        return failed;
}

int json_read_u32s(const JsonNode *node, const JsonField *f, void *to) {
        uint32_t *list;
        size_t n = 0;
        int r;

        r = want_list(node, f, to, &n);
        if (r < 0 || n == 0)
                return r;
        *(uint32_t **) to = list = arena_calloc(node->reader->arena, n, sizeof(*list));
        for (size_t i = 0; i < n; i++) {
                JsonNode child = json_element(node, i);

                r = json_read_u32(&child, f, &list[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

int json_read_map(const JsonNode *node, const JsonField *f, void *to) {
        char *element;
        size_t n = 0;
        int r;

        if (!json_object_is_type(node->value, json_type_object))
                return json_wrong_type(node, "an object");
        n = (size_t) json_object_object_length(node->value);
        *(size_t *) (void *) ((char *) to + f->count) = n;
        if (n == 0)
                return 0;
        element = arena_calloc(node->reader->arena, n, f->size);
        memcpy(to, &element, sizeof(element));
        json_object_object_foreach(node->value, name, value) {
                JsonNode child = { .value = value, .parent = node, .name = name, .reader = node->reader };

                *(const char **) (void *) element = name;
                r = f->fields ? json_read_fields(&child, f->fields, element)
                              : json_want_string(&child, &((SpecKeyValue *) (void *) element)->value);
                if (r >= 0)
                        r = check_value(&child, f, element);
                if (r < 0)
                        return r;
                element += f->size;
        }
        return 0;
}

static bool asks_for_nothing(struct json_object *v) {
        switch (json_object_get_type(v)) {
        case json_type_null:
                return true;
        case json_type_boolean:
                return !json_object_get_boolean(v);
        case json_type_string:
                return json_object_get_string_len(v) == 0;
        case json_type_array:
                return json_object_array_length(v) == 0;
        case json_type_object:
                return json_object_object_length(v) == 0;
        default:
                return false;
        }
}

int json_read_ignored(const JsonNode *node, const JsonField *f, void *to) {
        if (!asks_for_nothing(node->value))
                json_warn(node, "%s", f->note);
        return 0;
}

int json_read_refused(const JsonNode *node, const JsonField *f, void *to) {
        return json_error(node, NULL, EOPNOTSUPP, "not supported: %s", startswith(f->note, "refused: "));
}
