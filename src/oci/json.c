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

int json_wrong_type(const JsonNode *node, const char *expected) {
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
                return json_wrong_type(node, "an array");
        *ret_n = json_object_array_length(node->value);
        return 0;
}

int json_want_string(const JsonNode *node, const char **ret) {
        if (!json_object_is_type(node->value, json_type_string))
                return json_wrong_type(node, "a string");
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

const JsonField *json_find_field(const JsonField *fields, const char *name) {
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
                return json_wrong_type(node, "an object");
        json_set_absent(fields, to);
        json_object_object_foreach(node->value, name, value) {
                const JsonField *f = json_find_field(fields, name);
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
