/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>

#include "host/manager.h"
#include "host/sd.h"
#include "test.h"

static const Caller nobody;

/* systemd and the bus are away for so many attempts to connect, and the connection breaks with so many calls. */
static unsigned away, breaking;

static int open_bus(sd_bus **ret) {
        if (away > 0) {
                away--;
                return -ECONNREFUSED;
        }
        *ret = (sd_bus *) &away;
        return 0;
}

/* Who waits for the answer to a call. */
static sd_bus_message_handler_t waits;
static void *waits_for;

static int call(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *m, sd_bus_message_handler_t callback, void *userdata,
                uint64_t usec) {
        waits = callback;
        waits_for = userdata;
        return 0;
}

static int answer(sd_bus *bus, sd_bus_message **ret) {
        ASSERT(waits);
        if (breaking == 0)
                return waits((sd_bus_message *) &breaking, waits_for, NULL) ?: 1;
        breaking--;
        away = 2;
        return -ECONNRESET;
}

static sd_bus_message *ref(sd_bus_message *m) {
        return m;
}

static sd_bus_slot *unref_slot(sd_bus_slot *slot) {
        return NULL;
}

static int no_private_socket(sd_bus **ret) {
        return -ECONNREFUSED;
}

static int ready(sd_bus *bus) {
        return 1;
}

static int make_message(sd_bus *bus, sd_bus_message **ret, const char *destination, const char *path,
                        const char *interface, const char *member) {
        *ret = (sd_bus_message *) &away;
        return 0;
}

static int append(sd_bus_message *m, const char *types, ...) {
        return 0;
}

static int open_container(sd_bus_message *m, char type, const char *contents) {
        return 0;
}

/* A reply can be read once, and again from its beginning. */
static bool was_read;

static int enter_container(sd_bus_message *m, char type, const char *contents) {
        int r = was_read ? -ENXIO : 0;

        was_read = true;
        return r;
}

static int rewind_message(sd_bus_message *m, int complete) {
        was_read = false;
        return 0;
}

static int close_container(sd_bus_message *m) {
        return 0;
}

static int append_basic(sd_bus_message *m, char type, const void *p) {
        return 0;
}

static int copy(sd_bus_message *to, sd_bus_message *from, int all) {
        return 0;
}

static sd_bus_message *unref(sd_bus_message *m) {
        return NULL;
}

static sd_bus *close_bus(sd_bus *bus) {
        return NULL;
}

/* --- a job, and what is said of it ------------------------------------------------------------------------------ */

static sd_bus_message_handler_t on_signal, on_reply;
static const char *sender, *result;

static int match(sd_bus *bus, sd_bus_slot **ret, const char *from, const char *path, const char *interface,
                 const char *member, sd_bus_message_handler_t callback, sd_bus_message_handler_t installed, void *userdata) {
        on_signal = callback;
        return 0;
}

static int call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *m, sd_bus_message_handler_t callback, void *userdata,
                      uint64_t usec) {
        on_reply = callback;
        return 0;
}

static int read_message(sd_bus_message *m, const char *types, ...) {
        va_list ap;

        va_start(ap, types);
        if (types[0] == 'u') {
                *va_arg(ap, uint32_t *) = 7;
                *va_arg(ap, const char **) = "/job/7";
                *va_arg(ap, const char **) = "test.scope";
                *va_arg(ap, const char **) = result;
        } else
                *va_arg(ap, const char **) = "/job/7";
        va_end(ap);
        return 1;
}

static const char *get_sender(sd_bus_message *m) {
        return sender;
}

static int no_error(sd_bus_message *m, const char *name) {
        return 0;
}

static bool refusing;

static int is_refusal(sd_bus_message *m, const char *name) {
        return refusing;
}

static const sd_bus_error *get_refusal(sd_bus_message *m) {
        static const sd_bus_error e = { .name = "org.freedesktop.DBus.Error.InvalidArgs", .message = "no" };

        return &e;
}

static int nothing_more(sd_bus *bus, sd_bus_message **ret) {
        return 0;
}

static void say(Manager *m, sd_bus_message_handler_t callback, const char *who, const char *what) {
        sender = who;
        result = what;
        ASSERT_EQ(callback((sd_bus_message *) &sender, m, NULL), 0);
}

static void test_signals(void) {
        const UnitPlan plan = { .name = "test.scope" };
        _cleanup_manager_ Manager *m = NULL;

        sd.bus_match_signal_async = match;
        sd.bus_call_async = call_async;
        sd.bus_process = nothing_more;
        sd.bus_message_read = read_message;
        sd.bus_message_get_sender = get_sender;
        sd.bus_message_is_method_error = no_error;

        TEST("of a job only who has taken it can say that it is done, though anybody may send signals");
        ASSERT_EQ(manager_open(&nobody, false, &m, NULL), 0);
        ASSERT_EQ(manager_start_scope(m, &plan, 1, -EBADF, NULL), 0);
        say(m, on_reply, ":1.2", NULL);
        say(m, on_signal, ":1.66", "failed");
        say(m, on_signal, NULL, "done");
        ASSERT_EQ(manager_dispatch(m, NULL), 0);
        say(m, on_signal, ":1.2", "done");
        ASSERT_EQ(manager_dispatch(m, NULL), 1);
}

static void install(void) {
        ASSERT_EQ(sd_load(NULL), 0);
        sd.bus_open_system = open_bus;
        sd.bus_new = no_private_socket;
        sd.bus_close_unref = close_bus;
        sd.bus_is_ready = ready;
        sd.bus_call_async = call;
        sd.bus_process = answer;
        sd.bus_slot_unref = unref_slot;
        sd.bus_message_ref = ref;
        sd.bus_message_is_method_error = is_refusal;
        sd.bus_message_get_error = get_refusal;
        sd.bus_message_new_method_call = make_message;
        sd.bus_message_append = append;
        sd.bus_message_append_basic = append_basic;
        sd.bus_message_open_container = open_container;
        sd.bus_message_close_container = close_container;
        sd.bus_message_enter_container = enter_container;
        sd.bus_message_rewind = rewind_message;
        sd.bus_message_copy = copy;
        sd.bus_message_unref = unref;
}

int main(void) {
        UnitProp optional = { .name = "MemoryZSwapMax", .type = UNIT_U64, .optional = true };
        UnitProp wanted = { .name = "MemoryMax", .type = UNIT_U64 };
        const UnitPlan plan = { .name = "test.scope", .props = &optional, .n_props = 1 };
        const UnitPlan mandatory = { .name = "test.scope", .props = &wanted, .n_props = 1 };
        const UnitRef unit = { .name = "test.scope", .invocation = "0123456789abcdef0123456789abcdef" };
        _cleanup_manager_ Manager *m = NULL;

        install();

        TEST("who does not want to know why may wait, too, for a systemd that is about to come back");
        away = 2;
        ASSERT_EQ(manager_open(&nobody, false, &m, NULL), 0);
        breaking = 1;
        ASSERT_EQ(manager_freeze_unit(m, unit, false, NULL), 0);
        breaking = 1;
        ASSERT_EQ(manager_attach_process(m, unit, "", 1, NULL), 0);
        breaking = 1; /* an optional property is asked for without an error */
        ASSERT_EQ(manager_save_properties(m, unit, &plan, NULL), 0);
        breaking = 1;
        ASSERT_EQ(manager_set_properties(m, unit, &plan, NULL), 0);
        breaking = 3;
        ASSERT_EQ(manager_restore_properties(m, unit, NULL), 0);
        ASSERT_EQ(away + breaking, 0);

        TEST("what was refused is not set back");
        refusing = true;
        ASSERT_EQ(manager_set_properties(m, unit, &mandatory, NULL), -EREMOTEIO);
        refusing = false;
        waits = NULL;
        ASSERT_EQ(manager_restore_properties(m, unit, NULL), 0);
        ASSERT(!waits);
        test_signals();
        return 0;
}
