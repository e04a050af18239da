/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/json.h"

#include <assert.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "basic/nearest.h"
#include "basic/str.h"
#include "oci/json-text.h"

/* The state of a list that must not be NULL. Nobody writes to it. */
static const char *no_strings[1];

#define FIELDS_MAX 64

static size_t count_names(struct json_object *v) {
        size_t n = 0;

        if (json_object_is_type(v, json_type_object)) {
                n = (size_t) json_object_object_length(v);
                json_object_object_foreach(v, key, child) {
                        (void) key;
                        n += count_names(child);
                }
        } else if (json_object_is_type(v, json_type_array))
                for (size_t i = 0; i < json_object_array_length(v); i++)
                        n += count_names(json_object_array_get_idx(v, i));
        return n;
}

static void tokener_freep(struct json_tokener **t) {
        if (*t)
                json_tokener_free(*t);
}

int json_parse(const char *bytes, size_t size, struct json_object **ret, Error *reterr) {
        _cleanup_(tokener_freep) struct json_tokener *t = NULL;
        struct json_object *v;
        size_t names;
        int r;

        if (size > JSON_SIZE_MAX)
                return error_setf(reterr, EINVAL, "the document has more than %lu bytes", JSON_SIZE_MAX);
        r = json_text_check(bytes, size, &names, reterr);
        if (r < 0)
                return r;
        t = json_tokener_new_ex(JSON_DEPTH_MAX + 2);
        if (!t)
                oom();
        /* Its strictness differs between versions (0.18 takes bytes of UTF-8 for control characters), and is not needed:
         * what has been checked reads the same in all of them. A number may go on for ever; white space ends it. */
        v = json_tokener_parse_ex(t, bytes, (int) size);
        if (json_tokener_get_error(t) == json_tokener_continue)
                v = json_tokener_parse_ex(t, " ", 1);
        if (json_tokener_get_error(t) != json_tokener_success)
                return error_setf(reterr, EINVAL, "json-c: %s", json_tokener_error_desc(json_tokener_get_error(t)));
        if (count_names(v) != names) {
                json_object_put(v);
                return json_text_duplicate(bytes, size, reterr);
        }
        *ret = v;
        return 0;
}

void json_free(struct json_object *value) {
        json_object_put(value);
}

static void add_path(Text *path, const JsonNode *node) {
        if (node->parent)
                add_path(path, node->parent);
        if (node->name)
                json_path_add(path, node->name);
        else if (node->parent)
                text_addf(path, "[%zu]", node->index);
}

int json_error(const JsonNode *node, const char *member, int code, const char *fmt, ...) {
        _cleanup_free_ char *text = NULL;
        _cleanup_text_ Text path = {};
        va_list ap;

        va_start(ap, fmt);
        text = xvasprintf(fmt, ap);
        va_end(ap);
        add_path(&path, node);
        if (member)
                json_path_add(&path, member);
        if (path.n == 0)
                return error_setf(node->reader->reterr, code, "%s", text);
        return error_setf(node->reader->reterr, code, "%s: %s", path.s, text);
}

int json_unknown(const JsonNode *node, const char *value, const char *const *words) {
        _cleanup_text_ Text known = {};
        size_t n = 0;

        while (words[n])
                n++;
        text_add_known(&known, value, words, n);
        return json_error(node, NULL, EINVAL, "unknown value \"%s\"%s", value, known.s);
}

void json_warn(const JsonNode *node, const char *fmt, ...) {
        _cleanup_text_ Text path = {}, warning = {};
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, fmt);
        text = xvasprintf(fmt, ap);
        va_end(ap);
        add_path(&path, node);
        text_addf(&path, ": %s", text);
        text_add_printable(&warning, path.s);
        strings_add(node->reader->arena, node->reader->warnings, arena_strdup(node->reader->arena, warning.s));
}

static int wrong_type(const JsonNode *node, const char *expected) {
        static const char *const names[] = {
                [json_type_null] = "null",        [json_type_boolean] = "a boolean",
                [json_type_int] = "an integer",   [json_type_object] = "an object",
                [json_type_array] = "an array",   [json_type_string] = "a string",
        };
        enum json_type type = json_object_get_type(node->value);

        return json_error(node, NULL, EINVAL, "expected %s, got %s", expected,
                          type == json_type_double ? json_object_get_string(node->value) : names[type]);
}

JsonNode json_element(const JsonNode *array, size_t index) {
        return (JsonNode){
                .value = json_object_array_get_idx(array->value, index),
                .parent = array,
                .index = index,
                .reader = array->reader,
        };
}

int json_want_array(const JsonNode *node, size_t *ret_n) {
        if (!json_object_is_type(node->value, json_type_array))
                return wrong_type(node, "an array");
        *ret_n = json_object_array_length(node->value);
        return 0;
}

int json_want_string(const JsonNode *node, const char **ret) {
        if (!json_object_is_type(node->value, json_type_string))
                return wrong_type(node, "a string");
        *ret = json_object_get_string(node->value);
        return 0;
}

bool json_has_true(const JsonNode *object, const char *name) {
        struct json_object *v = NULL;

        return json_object_object_get_ex(object->value, name, &v) &&
               json_object_is_type(v, json_type_boolean) && json_object_get_boolean(v);
}

void json_set_absent(const JsonField *fields, void *to) {
        for (const JsonField *f = fields; f->name; f++)
                if (f->never_null)
                        *(const char ***) (void *) ((char *) to + f->offset) = no_strings;
}

static const JsonField *find_field(const JsonField *fields, const char *name) {
        for (const JsonField *f = fields; f->name; f++)
                if (streq(f->name, name))
                        return f;
        return NULL;
}

/* "Runtimes MAY log unknown properties but MUST otherwise ignore them." */
static void warn_unknown(const JsonNode *node, const JsonField *fields) {
        const char *names[FIELDS_MAX], *near;
        size_t n = 0;

        for (; n < FIELDS_MAX && fields[n].name; n++)
                names[n] = fields[n].name;
        near = nearest(node->name, names, n);
        json_warn(node, "unknown property, which is ignored%s%s%s", near ? ", did you mean " : "", near ?: "", near ? "?" : "");
}

bool json_goes_on(const JsonReader *reader) {
        SpecProblems *problems = reader->problems;

        if (problems && reader->reterr->code != 0)
                strings_add(&problems->arena, &problems->errors, arena_strdup(&problems->arena, reader->reterr->message));
        if (problems)
                error_done(reader->reterr);
        return problems;
}

int json_read_fields(const JsonNode *node, const JsonField *fields, void *to) {
        uint64_t seen = 0;
        int failed = 0, r;

        if (!json_object_is_type(node->value, json_type_object))
                return wrong_type(node, "an object");
        json_set_absent(fields, to);
        json_object_object_foreach(node->value, name, value) {
                const JsonField *f = find_field(fields, name);
                JsonNode child = { .value = value, .parent = node, .name = name, .reader = node->reader };

                if (!f && value)
                        warn_unknown(&child, fields);
                if (!f || !value)
                        continue;
                assert(f - fields < FIELDS_MAX);
                seen |= UINT64_C(1) << (f - fields);
                r = f->read(&child, f, (char *) to + f->offset);
                if (r < 0 && !json_goes_on(node->reader))
                        return r;
                failed = MIN(failed, r);
        }
        for (const JsonField *f = fields; f->name; f++)
                if (f->required && !(seen & UINT64_C(1) << (f - fields))) {
                        failed = json_error(node, f->name, EINVAL, "missing");
                        if (!json_goes_on(node->reader))
                                return failed;
                }
        return failed;
}

static int check_value(const JsonNode *node, const JsonField *f, void *value) {
        return f->check ? f->check(node, value) : 0;
}

int json_read_bool(const JsonNode *node, const JsonField *f, void *to) {
        if (!json_object_is_type(node->value, json_type_boolean))
                return wrong_type(node, "a boolean");
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
                return wrong_type(node, "an integer");
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
                        if (!find_field(f->fields, name))
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
                return wrong_type(node, "an object");
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
