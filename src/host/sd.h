/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>

#include "basic/error.h"

/*
 * libsystemd, loaded when a verb first talks to a manager or reads the journal: state, list and kill never do, exec rarely, and
 * they start faster without it. Every function we use is a member here, called as sd.bus_process(…); NULL
 * until it is loaded.
 */
#define SD_FUNCTIONS(X)                                                                                    \
        X(bus_open_system) X(bus_new) X(bus_set_address) X(bus_set_bus_client) X(bus_start) X(bus_close_unref)  \
        X(bus_is_ready) X(bus_get_fd) X(bus_get_events) X(bus_get_timeout) X(bus_process) X(bus_match_signal_async) \
        X(bus_call_async) X(bus_slot_unref) X(bus_error_copy) X(bus_error_free)                            \
        X(bus_message_new_method_call) X(bus_message_ref) X(bus_message_unref)                             \
        X(bus_message_copy) X(bus_path_encode)                                                              \
        X(bus_message_append) X(bus_message_append_basic) X(bus_message_append_array)                      \
        X(bus_message_open_container) X(bus_message_close_container)                                       \
        X(bus_message_read) X(bus_message_read_array)                                                       \
        X(bus_message_rewind) X(bus_message_enter_container)                                                \
        X(bus_message_is_method_error) X(bus_message_get_error) X(bus_message_get_sender)                  \
        X(journal_open) X(journal_close) X(journal_get_fd) X(journal_process) X(journal_set_data_threshold) \
        X(journal_add_match) X(journal_add_conjunction) X(journal_add_disjunction)                         \
        X(journal_has_runtime_files) X(journal_has_persistent_files)                                       \
        X(journal_seek_head) X(journal_seek_tail) X(journal_seek_realtime_usec)                            \
        X(journal_next) X(journal_previous) X(journal_get_realtime_usec) X(journal_get_data)

typedef struct Sd {
#define X(name) typeof(sd_##name) *name;
        SD_FUNCTIONS(X)
#undef X
} Sd;

extern Sd sd;

#define _cleanup_message_ _cleanup_(message_freep)
static inline void message_freep(sd_bus_message **m) {
        if (*m)
                (void) sd.bus_message_unref(*m);
}

#define _cleanup_bus_error_ _cleanup_(bus_error_freep)
static inline void bus_error_freep(sd_bus_error *e) {
        sd.bus_error_free(e);
}

/* Loads it if it is not there yet; -ENOPKG. */
int sd_load(Error *reterr);
