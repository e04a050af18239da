/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdarg.h>

#include "host/scope.h"
#include "host/sd.h"
#include "host/unit-calls.h"
#include "test.h"

static const Caller nobody;

/* systemd and the bus are away for so many attempts to connect, and the connection breaks with so many calls. */
static unsigned away, breaking;
static unsigned opened;

static int open_bus(sd_bus **ret) {
        opened++;
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

/* --- jobs, and what is said of them ----------------------------------------------------------------------------- */

typedef struct Message {
        const char *sender, *path, *result;
} Message;

static sd_bus_message_handler_t on_signal;
static void *signal_userdata;
static unsigned watched;

static int match(sd_bus *bus, sd_bus_slot **ret, const char *from, const char *path, const char *interface,
                 const char *member, sd_bus_message_handler_t callback, sd_bus_message_handler_t installed, void *userdata) {
        on_signal = callback;
        signal_userdata = userdata;
        watched++;
        return 0;
}

/* What was sent, each with who waits for the answer. */
static struct {
        sd_bus_message_handler_t callback;
        void *userdata;
} requests[8];
static size_t n_requests;

static int call_async(sd_bus *bus, sd_bus_slot **ret, sd_bus_message *m, sd_bus_message_handler_t callback, void *userdata,
                      uint64_t usec) {
        ASSERT(n_requests < ELEMENTSOF(requests));
        requests[n_requests].callback = callback;
        requests[n_requests++].userdata = userdata;
        return 0;
}

static int read_message(sd_bus_message *m, const char *types, ...) {
        const Message *message = (const Message *) m;
        va_list ap;

        va_start(ap, types);
        if (types[0] == 'u') {
                *va_arg(ap, uint32_t *) = 7;
                *va_arg(ap, const char **) = message->path;
                *va_arg(ap, const char **) = "test.scope";
                *va_arg(ap, const char **) = message->result;
        } else
                *va_arg(ap, const char **) = message->path;
        va_end(ap);
        return 1;
}

static const char *get_sender(sd_bus_message *m) {
        return ((const Message *) m)->sender;
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

static int break_or_rest(sd_bus *bus, sd_bus_message **ret) {
        if (breaking == 0)
                return 0;
        breaking--;
        return -ECONNRESET;
}

/* The last request becomes this job. */
static void queue_as(const char *path) {
        Message message = { .sender = ":1.2", .path = path };

        ASSERT(n_requests > 0);
        n_requests--;
        ASSERT_EQ(requests[n_requests].callback((sd_bus_message *) &message, requests[n_requests].userdata, NULL), 0);
}

static void end(const char *who, const char *path, const char *result) {
        Message message = { .sender = who, .path = path, .result = result };

        ASSERT_EQ(on_signal((sd_bus_message *) &message, signal_userdata, NULL), 0);
}

static void use_jobs(void) {
        sd.bus_match_signal_async = match;
        sd.bus_call_async = call_async;
        sd.bus_process = break_or_rest;
        sd.bus_message_read = read_message;
        sd.bus_message_get_sender = get_sender;
        sd.bus_message_is_method_error = no_error;
        opened = watched = 0;
        n_requests = 0;
}

static void test_signals(void) {
        const UnitPlan plan = { .name = "test.scope" };
        _cleanup_(unit_properties_done) UnitProperties properties = {};
        _cleanup_manager_ Manager *m = NULL;
        _cleanup_(scope_done) Scope scope = {};

        TEST("of a job only who has taken it can say that it is done, though anybody may send signals");
        use_jobs();
        unit_properties_use(&properties, &plan);
        ASSERT_EQ(manager_open(&nobody, false, &m, NULL), 0);
        ASSERT_EQ(scope_start(&scope, m, &properties, 1, -EBADF, NULL), 0);
        queue_as("/job/7");
        end(":1.66", "/job/7", "failed");
        end(NULL, "/job/7", "done");
        ASSERT_EQ(scope_dispatch(&scope, NULL), 0);
        end(":1.2", "/job/7", "done");
        ASSERT_EQ(scope_dispatch(&scope, NULL), 1);
}

static void test_two_jobs(void) {
        const UnitPlan plan = { .name = "test.scope" };
        _cleanup_(unit_properties_done) UnitProperties properties = {};
        _cleanup_(scope_done) Scope first = {}, second = {};
        _cleanup_error_ Error error = {};
        Manager *m = NULL;

        use_jobs();
        unit_properties_use(&properties, &plan);
        ASSERT_EQ(manager_open(&nobody, false, &m, NULL), 0);

        TEST("two jobs on a connection end in any order");
        ASSERT_EQ(scope_start(&first, m, &properties, 1, -EBADF, NULL), 0);
        queue_as("/job/1");
        ASSERT_EQ(scope_start(&second, m, &properties, 1, -EBADF, NULL), 0);
        queue_as("/job/2");
        end(":1.2", "/job/2", "done");
        ASSERT_EQ(scope_dispatch(&first, NULL), 0);
        ASSERT_EQ(scope_dispatch(&second, NULL), 1);
        end(":1.2", "/job/1", "failed");
        ASSERT_EQ(scope_dispatch(&first, &error), -EREMOTEIO);
        ASSERT_EQ(scope_dispatch(&second, NULL), 1);
        ASSERT_EQ(watched, 1);

        TEST("a connection that is lost is lost to both, each asks again, and there is one new connection");
        ASSERT_EQ(scope_start(&first, m, &properties, 1, -EBADF, NULL), 0);
        queue_as("/job/3");
        ASSERT_EQ(scope_start(&second, m, &properties, 1, -EBADF, NULL), 0);
        queue_as("/job/4");
        breaking = 1;
        ASSERT_EQ(scope_dispatch(&second, NULL), 0);
        queue_as("/job/5");
        ASSERT_EQ(scope_dispatch(&first, NULL), 0);
        queue_as("/job/6");
        ASSERT_EQ(opened, 2);
        ASSERT_EQ(watched, 2);
        end(":1.2", "/job/4", "failed");
        end(":1.2", "/job/6", "done");
        ASSERT_EQ(scope_dispatch(&second, NULL), 0);
        ASSERT_EQ(scope_dispatch(&first, NULL), 1);

        TEST("what has ended before is not lost");
        end(":1.2", "/job/5", "done");
        breaking = 1;
        ASSERT_EQ(scope_dispatch(&first, NULL), 1);
        ASSERT_EQ(scope_dispatch(&second, NULL), 1);
        ASSERT_EQ(n_requests, 0);

        TEST("who waits may do so for longer than there is a connection");
        ASSERT_EQ(scope_start(&first, m, &properties, 1, -EBADF, NULL), 0);
        (void) manager_close(m);
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
        _cleanup_(unit_properties_done) UnitProperties properties = {};
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
        unit_properties_use(&properties, &plan);
        ASSERT_EQ(manager_save_properties(m, unit, &properties, NULL), 0);
        breaking = 1;
        ASSERT_EQ(manager_set_properties(m, unit, &properties, NULL), 0);
        breaking = 3;
        ASSERT_EQ(manager_restore_properties(m, unit, &properties, NULL), 0);
        ASSERT_EQ(away + breaking, 0);

        TEST("what was refused is not set back");
        unit_properties_use(&properties, &mandatory);
        ASSERT_EQ(manager_save_properties(m, unit, &properties, NULL), 0);
        refusing = true;
        ASSERT_EQ(manager_set_properties(m, unit, &properties, NULL), -EREMOTEIO);
        refusing = false;
        waits = NULL;
        ASSERT_EQ(manager_restore_properties(m, unit, &properties, NULL), 0);
        ASSERT(!waits);
        test_signals();
        test_two_jobs();
        return 0;
}
