/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <json-c/json.h>

#include "fuzz.h"
#include "oci/spec-fields.h"
#include "plan/init/mount-options.h"

/*
 * Another JSON document out of one, for libFuzzer: bytes that change at random are soon no JSON any more.
 * The tables of the specification (grammar) say which properties an object can have and what is in them, so
 * that most of what comes out gets past the reader; now and then something is there that is not to be.
 */

#define NODES_MAX 4096
#define DEPTH_MAX 6

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

typedef struct Node {
        json_object *value, *parent;    /* parent NULL: the document */
        const char *key;
        size_t index;
        const JsonField *row;           /* what it is, or NULL */
        bool element;                   /* of the list or the map that the row is about */
} Node;

static Node nodes[NODES_MAX];
static size_t n_nodes;
static unsigned state;

/* xorshift: 0 to n - 1. */
static size_t pick(size_t n) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state % n;
}

static const JsonField *find_row(const JsonField *rows, const char *name) {
        for (; rows && rows->name; rows++)
                if (streq(rows->name, name))
                        return rows;
        return NULL;
}

/* The rows of an object's properties, or NULL when they have free names. */
static const JsonField *rows_of(const Node *node) {
        if (!node->parent)
                return grammar;
        return node->row && (node->element || node->row->read != json_read_map) ? node->row->fields : NULL;
}

static void collect(Node node) {
        Node child = { .parent = node.value, .row = node.row, .element = true };

        if (n_nodes == NODES_MAX)
                return;
        nodes[n_nodes++] = node;
        if (json_object_is_type(node.value, json_type_object)) {
                bool map = node.row && node.row->read == json_read_map && !node.element;

                json_object_object_foreach(node.value, key, value) {
                        child.value = value;
                        child.key = key;
                        child.row = map ? node.row : find_row(rows_of(&node), key);
                        child.element = map;
                        collect(child);
                }
        } else if (json_object_is_type(node.value, json_type_array))
                for (child.index = 0; child.index < json_object_array_length(node.value); child.index++) {
                        child.value = json_object_array_get_idx(node.value, child.index);
                        collect(child);
                }
}

static json_object *any_mount_option(void) {
        size_t n = 0;

        while (mount_option_name(n))
                n++;
        return json_object_new_string(mount_option_name(pick(n)));
}

static json_object *any_string(void) {
        static const char *const strings[] = {
                "", "a", "/", "/a", "/dev/null", "/proc", "/proc/self/ns/net", "/sys/fs/cgroup",
                "/a/../..", "0", "0-3,7", "max", "c", "b", "a", "rwm", "r", "2MB", "A=b", "PATH=/bin",
                "ro", "rbind", "bind", "size=1k", "tmpfs", "proc", "sysfs", "cgroup", "CAP_SYS_ADMIN",
                "read", "write", "clone", "openat2", "uint64 5", "'a'", "8:16 rbps=1", "a.slice:b:c",
                "1.0.0", "1.3.0", "shared", "L3:0=f", "\xc3\xa9", "/\xe6\x97\xa5",
        };

        if (pick(8) == 0)
                return any_mount_option();
        return json_object_new_string(strings[pick(ELEMENTSOF(strings))]);
}

static json_object *any_number(const JsonField *row) {
        static const int64_t numbers[] = {
                0, 1, -1, 2, 7, 10, 100, 1000, 4095, 65535, 65536, 1000000, 1048575, INT32_MAX, UINT32_MAX,
                INT64_MAX, INT64_MIN,
        };
        int64_t near = (int64_t) pick(3) - 1;

        if (row && row->max > 0 && pick(2))
                return pick(2) ? json_object_new_uint64(row->max + (uint64_t) near)
                               : json_object_new_int64(row->min + near);
        if (pick(8) == 0)
                return json_object_new_uint64(UINT64_MAX);
        return json_object_new_int64(numbers[pick(ELEMENTSOF(numbers))]);
}

static json_object *any_scalar(void) {
        switch (pick(8)) {
        case 0:
                return NULL;
        case 1:
                return json_object_new_boolean(pick(2));
        case 2:
                return json_object_new_array();
        case 3:
                return json_object_new_object();
        case 4:
                return json_object_new_double(1.5);
        case 5:
                return any_number(NULL);
        default:
                return any_string();
        }
}

static bool is_number(JsonRead read) {
        static const JsonRead numbers[] = {
                json_read_u64, json_read_u32, json_read_u16, json_read_i64, json_read_i32, json_read_opt_u64,
                json_read_opt_u32, json_read_opt_i64, json_read_opt_i32, json_read_u32s,
        };

        for (size_t i = 0; i < ELEMENTSOF(numbers); i++)
                if (numbers[i] == read)
                        return true;
        return false;
}

static json_object *any_word(const JsonField *row) {
        size_t n = 0;

        if (row->names) {
                while (row->names[n].name)
                        n++;
                return json_object_new_string(row->names[pick(n)].name);
        }
        while (row->words[n])
                n++;
        return json_object_new_string(row->words[pick(n)]);
}

static json_object *object_of(const JsonField *rows, unsigned depth);

/* One of what the row has, or the row's only one. */
static json_object *value_of(const JsonField *row, unsigned depth) {
        if (pick(16) == 0)
                return any_scalar();
        if (row->names || row->words)
                return any_word(row);
        if (row->read == json_read_bool || row->read == json_read_opt_bool)
                return json_object_new_boolean(pick(2));
        if (is_number(row->read))
                return any_number(row);
        if (row->fields)
                return object_of(row->fields, depth);
        return row->read == json_read_array ? any_scalar() : any_string();
}

static bool is_list(JsonRead read) {
        return read == json_read_array || read == json_read_strings || read == json_read_names ||
               read == json_read_u32s;
}

static void add_element(json_object *list, const JsonField *row, unsigned depth) {
        json_object_array_add(list, row ? value_of(row, depth) : any_scalar());
}

static void add_pair(json_object *map, const JsonField *row, unsigned depth) {
        static const char *const names[] = {
                "a", "org.systemd.property.TimeoutStopUSec", "run.oci.systemd.subgroup",
                "run.oci.mount_context_type", "memory.high", "io.max", "cpu.max", "net.ipv4.ip_forward",
                "kernel/msgmax", "eth0", "hugetlb.2MB.max", "cpu.idle", "pids.max", "io.bfq.weight",
                "io.weight", "cpu.weight.nice", "kernel.hostname",
        };

        json_object_object_add(map, names[pick(ELEMENTSOF(names))],
                               row && row->fields ? value_of(row, depth) : any_string());
}

/* All that the row has. */
static json_object *whole_of(const JsonField *row, unsigned depth) {
        json_object *o;

        if (is_list(row->read)) {
                o = json_object_new_array();
                for (size_t n = pick(3); n > 0; n--)
                        add_element(o, row, depth);
                return o;
        }
        if (row->read != json_read_map)
                return value_of(row, depth);
        o = json_object_new_object();
        add_pair(o, row, depth);
        return o;
}

/* What is required, and some of the rest. */
static json_object *object_of(const JsonField *rows, unsigned depth) {
        json_object *o = json_object_new_object();

        for (const JsonField *row = rows; row->name && depth < DEPTH_MAX; row++)
                if (row->required ? pick(16) > 0 : pick(4) == 0)
                        json_object_object_add(o, row->name, whole_of(row, depth + 1));
        return o;
}

static json_object *again(const Node *node) {
        json_object *copy = NULL;

        (void) json_object_deep_copy(node->value, &copy, NULL);
        return copy;
}

/* Into the node's place. */
static void put(const Node *node, json_object *value) {
        if (!node->parent)
                json_object_put(value);
        else if (node->key)
                json_object_object_add(node->parent, node->key, value);
        else
                json_object_array_put_idx(node->parent, node->index, value);
}

static void drop(const Node *node) {
        if (!node->parent)
                return;
        if (node->key)
                json_object_object_del(node->parent, node->key);
        else
                json_object_array_del_idx(node->parent, node->index, 1);
}

/* As libFuzzer does it, which has seen what strings are compared with. */
static void change_string(const Node *node) {
        size_t size = (size_t) json_object_get_string_len(node->value), room = size + 16;
        uint8_t *bytes = xmalloc0(room);

        memcpy(bytes, json_object_get_string(node->value), size);
        size = LLVMFuzzerMutate(bytes, size, room);
        put(node, json_object_new_string_len((const char *) bytes, (int) size));
        free(bytes);
}

static void change_number(const Node *node) {
        int64_t v = json_object_get_int64(node->value), changed;

        switch (pick(4)) {
        case 0:
                changed = (int64_t) ((uint64_t) v + 1);
                break;
        case 1:
                changed = (int64_t) ((uint64_t) v - 1);
                break;
        case 2:
                changed = (int64_t) ((uint64_t) v * 2);
                break;
        default:
                put(node, any_number(node->row));
                return;
        }
        put(node, json_object_new_int64(changed));
}

static void grow(const Node *node) {
        const JsonField *rows;
        size_t n = 0;

        if (json_object_is_type(node->value, json_type_array)) {
                const JsonField *row = node->row && is_list(node->row->read) ? node->row : NULL;

                add_element(node->value, row, 0);
        } else if (json_object_is_type(node->value, json_type_object)) {
                rows = rows_of(node);
                if (!rows) {
                        add_pair(node->value, node->row, 0);
                        return;
                }
                while (rows[n].name)
                        n++;
                n = pick(n);
                json_object_object_add(node->value, rows[n].name, whole_of(&rows[n], 0));
        } else if (json_object_is_type(node->value, json_type_string))
                change_string(node);
        else if (json_object_is_type(node->value, json_type_int))
                change_number(node);
        else
                put(node, any_scalar());
}

static void change(json_object *document) {
        const Node *node;

        n_nodes = 0;
        collect((Node){ .value = document });
        node = &nodes[pick(n_nodes)];
        switch (pick(8)) {
        case 0:
                drop(node);
                break;
        case 1:
                put(node, again(&nodes[pick(n_nodes)]));
                break;
        case 2:
                if (!node->row)
                        put(node, any_scalar());
                else
                        put(node, node->element ? value_of(node->row, 0) : whole_of(node->row, 0));
                break;
        default:
                grow(node);
        }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
        json_object *document = NULL;
        const char *text;
        size_t n = 0;

        state = seed ?: 1;
        if (pick(8) > 0 && json_parse((const char *) data, size, &document, NULL) == 0) {
                for (size_t i = pick(3) + 1; i > 0; i--)
                        change(document);
                text = json_object_to_json_string_length(document, JSON_C_TO_STRING_NOSLASHESCAPE, &n);
                if (n <= max_size)
                        memcpy(data, text, n);
                json_object_put(document);
        }
        return n > 0 && n <= max_size ? n : LLVMFuzzerMutate(data, size, max_size);
}
