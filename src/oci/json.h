/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/error.h"
#include "basic/names.h"
#include "oci/spec.h"

/*
 * Strict reading of JSON into C structs. json-c builds the tree but converts whatever it is asked for ("7" is 7,
 * -1 is 0, 1.5 is 1); here each value has to have the type, sign and range that its row in a table says, and an
 * error names the place: "linux.resources.memory.limit: expected an integer, got a string".
 *
 * A table lists the properties of one object, a row each. What no row names is ignored, as the specification
 * demands, with a warning. null is the same as absent, and so is "" for an optional string: Go programs write both.
 */

struct json_object;

#define JSON_DEPTH_MAX 64
#define JSON_SIZE_MAX (16UL * 1024 * 1024)

/* The value belongs to the caller, for json_free(). */
int json_parse(const char *bytes, size_t size, struct json_object **ret, Error *reterr);
void json_free(struct json_object *value);

typedef struct JsonReader {
        Arena *arena;
        Error *reterr;
        Strings *warnings;
        SpecProblems *problems;         /* NULL: the first error ends it */
} JsonReader;

/* A value and the way to it. Lives on the stack; the path is written out only when there is an error. */
typedef struct JsonNode {
        struct json_object *value;      /* NULL: null */
        const struct JsonNode *parent;  /* NULL: the document */
        const char *name;               /* NULL: an element of an array */
        size_t index;
        JsonReader *reader;
} JsonNode;

typedef struct JsonField JsonField;
typedef int (*JsonRead)(const JsonNode *node, const JsonField *f, void *to);

struct JsonField {
        const char *name;               /* NULL: the end */
        JsonRead read;
        size_t offset;
        ptrdiff_t count;                /* from the array to its size_t; 0: it ends in NULL only */
        bool required;
        bool absolute;                  /* strings: a path that begins with "/" */
        bool never_null;                /* lists of strings: an empty one when absent */
        bool not_empty;                 /* lists: at least one element when present */
        int64_t min;
        uint64_t max;                   /* 0: the range of the type */
        size_t size;                    /* of one element, or of the object behind a pointer */
        const JsonField *fields;        /* of objects and of elements that are objects */
        const char *const *words;       /* strings: the permitted ones */
        const Name *names;
        /* What a row cannot say, called with each scalar, string, element or object after it was read. */
        int (*check)(const JsonNode *node, void *value);
        const char *each;               /* lists and maps of objects: an element in a path, "[]" or ".*" */
        /* Where the property goes ("unit property MemoryMax="), or why it is ignored or refused. What has none has that
         * of the object around it. Printed as ocirt-sd-config(5), and compared with the specification's schema. */
        const char *note;
};

/* node has to be an object; reads its properties into the struct at `to`. */
int json_read_fields(const JsonNode *node, const JsonField *fields, void *to);
/* The state of a struct whose object is absent. */
void json_set_absent(const JsonField *fields, void *to);

/* "path[.member]: text"; returns -code. */
int json_error(const JsonNode *node, const char *member, int code, const char *fmt, ...) _printf_(4, 5);

/* The error for a string that is none of the words, NULL-terminated. */
int json_unknown(const JsonNode *node, const char *value, const char *const *words);

/* "path: text" for the reader's list, where the specification wants a warning and no error. */
void json_warn(const JsonNode *node, const char *fmt, ...) _printf_(2, 3);

/* Where all problems are wanted: makes the error that there is one of them. false: it is the end. */
bool json_goes_on(const JsonReader *reader);

JsonNode json_element(const JsonNode *array, size_t index);
/* -EINVAL with an error when the value is not of that type. */
int json_want_array(const JsonNode *node, size_t *ret_n);
int json_want_string(const JsonNode *node, const char **ret);
int json_wrong_type(const JsonNode *node, const char *expected);
/* The row of that property, or NULL. */
const JsonField *json_find_field(const JsonField *fields, const char *name);
/* A boolean member of the object, false when it is none. */
bool json_has_true(const JsonNode *object, const char *name);

/* The rows. Each macro holds its reader and the type of the member together. */
int json_read_bool(const JsonNode *node, const JsonField *f, void *to);
int json_read_opt_bool(const JsonNode *node, const JsonField *f, void *to);
int json_read_u64(const JsonNode *node, const JsonField *f, void *to);
int json_read_u32(const JsonNode *node, const JsonField *f, void *to);
int json_read_u16(const JsonNode *node, const JsonField *f, void *to);
int json_read_i64(const JsonNode *node, const JsonField *f, void *to);
int json_read_i32(const JsonNode *node, const JsonField *f, void *to);
int json_read_opt_u64(const JsonNode *node, const JsonField *f, void *to);
int json_read_opt_u32(const JsonNode *node, const JsonField *f, void *to);
int json_read_opt_i64(const JsonNode *node, const JsonField *f, void *to);
int json_read_opt_i32(const JsonNode *node, const JsonField *f, void *to);
int json_read_string(const JsonNode *node, const JsonField *f, void *to);
int json_read_strings(const JsonNode *node, const JsonField *f, void *to);
int json_read_name(const JsonNode *node, const JsonField *f, void *to);
int json_read_names(const JsonNode *node, const JsonField *f, void *to);
int json_read_object(const JsonNode *node, const JsonField *f, void *to);
int json_read_closed_object(const JsonNode *node, const JsonField *f, void *to);
int json_read_pointer(const JsonNode *node, const JsonField *f, void *to);
int json_read_array(const JsonNode *node, const JsonField *f, void *to);
int json_read_u32s(const JsonNode *node, const JsonField *f, void *to);
int json_read_map(const JsonNode *node, const JsonField *f, void *to);
int json_read_ignored(const JsonNode *node, const JsonField *f, void *to);
int json_read_refused(const JsonNode *node, const JsonField *f, void *to);

#define JSON_IS(T, member, type)                                                                            \
        (0 * sizeof(char[__builtin_types_compatible_p(typeof(((T *) 0)->member), type) ? 1 : -1]))
#define JSON_ROW(name_, read_, T, member, type, ...)                                                        \
        {                                                                                                   \
                .name = (name_), .read = (read_),                                                           \
                .offset = offsetof(T, member) + JSON_IS(T, member, type), __VA_ARGS__                       \
        }
#define JSON_COUNT(T, member, n) .count = (ptrdiff_t) offsetof(T, n) - (ptrdiff_t) offsetof(T, member)

#define JSON_BOOL(name, T, m, ...) JSON_ROW(name, json_read_bool, T, m, bool, __VA_ARGS__)
#define JSON_OPT_BOOL(name, T, m, ...) JSON_ROW(name, json_read_opt_bool, T, m, OptBool, __VA_ARGS__)
#define JSON_U64(name, T, m, ...) JSON_ROW(name, json_read_u64, T, m, uint64_t, __VA_ARGS__)
#define JSON_U32(name, T, m, ...) JSON_ROW(name, json_read_u32, T, m, uint32_t, __VA_ARGS__)
#define JSON_U16(name, T, m, ...) JSON_ROW(name, json_read_u16, T, m, uint16_t, __VA_ARGS__)
#define JSON_I64(name, T, m, ...) JSON_ROW(name, json_read_i64, T, m, int64_t, __VA_ARGS__)
#define JSON_I32(name, T, m, ...) JSON_ROW(name, json_read_i32, T, m, int32_t, __VA_ARGS__)
#define JSON_OPT_U64(name, T, m, ...) JSON_ROW(name, json_read_opt_u64, T, m, OptU64, __VA_ARGS__)
#define JSON_OPT_U32(name, T, m, ...) JSON_ROW(name, json_read_opt_u32, T, m, OptU32, __VA_ARGS__)
#define JSON_OPT_I64(name, T, m, ...) JSON_ROW(name, json_read_opt_i64, T, m, OptI64, __VA_ARGS__)
#define JSON_OPT_I32(name, T, m, ...) JSON_ROW(name, json_read_opt_i32, T, m, OptI32, __VA_ARGS__)
#define JSON_STRING(name, T, m, ...) JSON_ROW(name, json_read_string, T, m, const char *, __VA_ARGS__)
#define JSON_STRINGS(name, T, m, ...) JSON_ROW(name, json_read_strings, T, m, const char **, __VA_ARGS__)
/* One of .names as a number, and a list of them as the bits of a number. */
#define JSON_NAME(name, T, m, ...) JSON_ROW(name, json_read_name, T, m, int, __VA_ARGS__)
#define JSON_NAME_U32(name, T, m, ...) JSON_ROW(name, json_read_name, T, m, uint32_t, __VA_ARGS__)
#define JSON_NAMES(name, T, m, ...) JSON_ROW(name, json_read_names, T, m, uint64_t, __VA_ARGS__)
/* An object whose properties are members of the struct around it, and one that is a member itself. */
#define JSON_INLINE(name_, table, ...)                                                                      \
        { .name = (name_), .read = json_read_object, .fields = (table), __VA_ARGS__ }
#define JSON_OBJECT(name, T, m, type, table, ...)                                                           \
        JSON_ROW(name, json_read_object, T, m, type, .fields = (table), __VA_ARGS__)
/* The names in it are values: one that is not in the table is an error. */
#define JSON_CLOSED(name_, table, ...)                                                                      \
        { .name = (name_), .read = json_read_closed_object, .fields = (table), __VA_ARGS__ }
/* An object behind a pointer. */
#define JSON_POINTER(name, T, m, type, table, ...)                                                          \
        JSON_ROW(name, json_read_pointer, T, m, type *, .size = sizeof(type), .fields = (table), __VA_ARGS__)
/* An array of objects. */
#define JSON_ARRAY(name, T, m, n, type, table, ...)                                                         \
        JSON_ROW(name, json_read_array, T, m, type *, .size = sizeof(type), .fields = (table),              \
                 JSON_COUNT(T, m, n), .each = "[]", __VA_ARGS__)
#define JSON_U32S(name, T, m, n, ...)                                                                       \
        JSON_ROW(name, json_read_u32s, T, m, uint32_t *, JSON_COUNT(T, m, n), __VA_ARGS__)
/* An object with free names: an array whose elements begin with the name. Without a table the values are strings
 * and the elements are SpecKeyValue. */
#define JSON_MAP(name, T, m, n, type, table, ...)                                                           \
        JSON_ROW(name, json_read_map, T, m, type *, .size = sizeof(type), .fields = (table),                \
                 JSON_COUNT(T, m, n), .each = ".*", __VA_ARGS__)
#define JSON_CUSTOM(name_, reader, T, m, ...)                                                               \
        { .name = (name_), .read = (reader), .offset = offsetof(T, m), __VA_ARGS__ }
#define JSON_IGNORED(name_, why) { .name = (name_), .read = json_read_ignored, .note = "ignored: " why }
#define JSON_REFUSED(name_, why) { .name = (name_), .read = json_read_refused, .note = "refused: " why }
