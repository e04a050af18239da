/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/record.h"

#include <errno.h>

#define VERSION "1"

typedef enum FieldType { FIELD_STRING, FIELD_BOOL, FIELD_U32, FIELD_U64, FIELD_PID } FieldType;

static const struct {
        const char *key;
        FieldType type;
        size_t offset;
        bool required;
} fields[] = {
#define FIELD(name, type, required) { #name, type, offsetof(Record, name), required }
        FIELD(id, FIELD_STRING, true),
        FIELD(oci_version, FIELD_STRING, true),
        FIELD(bundle, FIELD_STRING, true),
        FIELD(rootfs, FIELD_STRING, true),
        FIELD(created, FIELD_STRING, true),
        FIELD(owner, FIELD_U32, true),
        FIELD(boot_id, FIELD_STRING, true),
        FIELD(user_manager, FIELD_BOOL, true),
        FIELD(unit, FIELD_STRING, false),
        FIELD(slice, FIELD_STRING, false),
        FIELD(committed, FIELD_BOOL, true),
        FIELD(pid, FIELD_PID, true),
        FIELD(start_time, FIELD_U64, true),
        FIELD(cgroup, FIELD_STRING, false),
        FIELD(cgroup_id, FIELD_U64, false),
        FIELD(invocation_id, FIELD_STRING, false),
        FIELD(namespaces, FIELD_U32, true),
        FIELD(mount_id, FIELD_U64, false),
        FIELD(has_poststart, FIELD_BOOL, true),
        FIELD(has_poststop, FIELD_BOOL, true),
        FIELD(notifies, FIELD_BOOL, false),
        FIELD(stop_signal, FIELD_STRING, false),
        FIELD(keyring, FIELD_STRING, false),
        FIELD(rdt_group, FIELD_STRING, false),
        FIELD(rdt_own, FIELD_BOOL, false),
        FIELD(rdt_monitored, FIELD_BOOL, false),
#undef FIELD
};

void record_done(Record *r) {
        arena_done(&r->arena);
        *r = (Record){};
}

static void add_line(Text *t, const char *key, const char *value) {
        text_add_escaped(t, key, "=");
        text_add(t, "=");
        text_add_escaped(t, value, "");
        text_add(t, "\n");
}

void record_encode(const Record *r, Text *ret) {
        text_add(ret, "version=" VERSION "\n");
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const void *p = (const char *) r + fields[i].offset;

                switch (fields[i].type) {
                case FIELD_STRING:
                        if (*(const char *const *) p)
                                add_line(ret, fields[i].key, *(const char *const *) p);
                        break;
                case FIELD_BOOL:
                        text_addf(ret, "%s=%d\n", fields[i].key, *(const bool *) p);
                        break;
                case FIELD_U32:
                        text_addf(ret, "%s=%u\n", fields[i].key, *(const uint32_t *) p);
                        break;
                case FIELD_U64:
                        text_addf(ret, "%s=%llu\n", fields[i].key, (unsigned long long) *(const uint64_t *) p);
                        break;
                case FIELD_PID:
                        text_addf(ret, "%s=%u\n", fields[i].key, (unsigned) *(const pid_t *) p);
                        break;
                }
        }
        for (size_t i = 0; i < r->n_annotations; i++) {
                text_add(ret, "annotation.");
                add_line(ret, r->annotations[i].key, r->annotations[i].value);
        }
        text_add(ret, "end=\n");
}

static int decode_field(size_t i, const char *value, Record *r) {
        void *p = (char *) r + fields[i].offset;
        uint64_t u;

        if (fields[i].type == FIELD_STRING) {
                *(const char **) p = arena_strdup(&r->arena, value);
                return 0;
        }
        if (parse_u64(value, &u) < 0)
                return -EBADMSG;
        switch (fields[i].type) {
        case FIELD_BOOL:
                if (u > 1)
                        return -EBADMSG;
                *(bool *) p = u;
                return 0;
        case FIELD_U32:
                if (u > UINT32_MAX)
                        return -EBADMSG;
                *(uint32_t *) p = (uint32_t) u;
                return 0;
        case FIELD_PID:
                if (u > INT32_MAX)
                        return -EBADMSG;
                *(pid_t *) p = (pid_t) u;
                return 0;
        default:
                *(uint64_t *) p = u;
                return 0;
        }
}

static int decode_line(char *line, Record *r, uint64_t *seen) {
        char *value = strchr(line, '='), *annotation;

        if (!value)
                return -EBADMSG;
        *value++ = '\0';
        if (unescape(line) < 0 || unescape(value) < 0)
                return -EBADMSG;
        annotation = (char *) startswith(line, "annotation.");
        if (annotation) {
                GREW(r->annotations, r->n_annotations);
                r->annotations[r->n_annotations++] = (RecordPair){ arena_strdup(&r->arena, annotation),
                                                                   arena_strdup(&r->arena, value) };
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(line, fields[i].key)) {
                        if (*seen & 1ULL << i)
                                return -EBADMSG;
                        *seen |= 1ULL << i;
                        return decode_field(i, value, r);
                }
        return -EBADMSG;
}

static int decode(char *bytes, Record *r) {
        bool ended = false;
        uint64_t seen = 0;
        char *line, *next;

        next = (char *) startswith(bytes, "version=" VERSION "\n");
        if (!next)
                return -EBADMSG;
        for (line = next; *line && !ended; line = next) {
                next = strchr(line, '\n');
                if (!next)
                        return -EBADMSG;
                *next++ = '\0';
                ended = streq(line, "end=");
                if (!ended && decode_line(line, r, &seen) < 0)
                        return -EBADMSG;
        }
        if (!ended || *next)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (fields[i].required && !(seen & 1ULL << i))
                        return -EBADMSG;
        return !r->unit == !r->slice ? 0 : -EBADMSG;
}

int record_decode(char *bytes, Record *ret) {
        Record record = {};
        RecordPair *grown;
        int r;

        r = decode(bytes, &record);
        /* The array grew on the heap; from here on it is the arena's like the rest. */
        grown = record.annotations;
        record.annotations = NULL;
        if (r == 0 && record.n_annotations > 0) {
                record.annotations = arena_calloc(&record.arena, record.n_annotations, sizeof(*grown));
                memcpy(record.annotations, grown, record.n_annotations * sizeof(*grown));
        }
        free(grown);
        if (r < 0) {
                record_done(&record);
                return r;
        }
        *ret = record;
        return 0;
}
