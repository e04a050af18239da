/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "fuzz.h"
#include "plan/launch/record.h"

/* The state file: bytes that may be one, and one of any strings. */

/* Written as it was read, and read as it was written. */
static void check_round_trip(const Record *record) {
        _cleanup_(record_done) Record back = {};
        _cleanup_text_ Text text = {}, again = {};
        _cleanup_free_ char *copy = NULL;

        record_encode(record, &text);
        copy = xstrdup(text.s);
        ASSERT_EQ(record_decode(copy, &back), 0);
        ASSERT_STR(back.id, record->id);
        ASSERT_STR(back.bundle, record->bundle);
        ASSERT_STR(back.unit, record->unit);
        ASSERT_STR(back.stop_signal, record->stop_signal);
        ASSERT_EQ(back.pid, record->pid);
        ASSERT_EQ(back.start_time, record->start_time);
        ASSERT_EQ(back.n_annotations, record->n_annotations);
        for (size_t i = 0; i < back.n_annotations; i++) {
                ASSERT_STR(back.annotations[i].key, record->annotations[i].key);
                ASSERT_STR(back.annotations[i].value, record->annotations[i].value);
        }
        record_encode(&back, &again);
        ASSERT_STR(again.s, text.s);
}

static void read_bytes(const char *bytes) {
        _cleanup_free_ char *copy = xstrdup(bytes);
        _cleanup_(record_done) Record record = {};
        int r = record_decode(copy, &record);

        if (r < 0) {
                ASSERT_EQ(r, -EBADMSG);
                ASSERT(!record.id && !record.annotations);
                return;
        }
        ASSERT(record.id && record.bundle && record.rootfs && record.boot_id);
        ASSERT_EQ(!record.unit, !record.slice);
        ASSERT(record.pid >= 0);
        check_round_trip(&record);
}

static void write_strings(char *input) {
        const char *s[8];
        SpecKeyValue annotations[] = { { "", "" }, { "a", "" } };
        Record record = { .annotations = annotations, .n_annotations = ELEMENTSOF(annotations) };

        for (size_t i = 0; i < ELEMENTSOF(s); i++)
                s[i] = strsep(&input, "|") ?: "";
        record.id = s[0];
        record.bundle = record.rootfs = record.boot_id = record.created = record.oci_version = s[1];
        record.unit = record.slice = s[2];
        record.stop_signal = s[3];
        annotations[0] = (SpecKeyValue){ s[4], s[5] };
        annotations[1] = (SpecKeyValue){ s[6], s[7] };
        record.pid = (pid_t) strlen(s[0]);
        record.start_time = UINT64_MAX - strlen(s[1]);
        check_round_trip(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_free_ char *input = xmalloc0(size + 1);

        memcpy(input, data, size);
        read_bytes(input);
        write_strings(input);
        return 0;
}
