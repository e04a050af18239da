/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/launch.h"
#include "plan/init-protocol.h"
#include "runtime/hooks.h"
#include "runtime/notify.h"
#include "runtime/removal.h"
#include "runtime/runtime.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)

/* What came of the word at the gate: an errno of it, or the answer's size, as receive_fd() has it. */
typedef struct Answer {
        int error;
        int size;
        InitMessage message;
} Answer;

/* A pidfd leads to the namespaces of its process, and a socket to the network namespace where it was made: they are the
 * container's own. Those of user and pid, in which who has no power over the host's can do nothing, stay; and an ordinary
 * user's containers have no such power. */
static int join_namespaces(const Container *c) {
        _cleanup_close_ int init = container_open_init(c);
        uint32_t flags = c->record.namespaces & ~(uint32_t) (CLONE_NEWUSER | CLONE_NEWPID);

        if (init < 0)
                return init;
        return flags && setns(init, (int) flags) < 0 ? -errno : 0;
}

/* In a child. Who is in the container may get hold of the connection, and by it of a pidfd of who has made that and of all
 * that is open there: it is we, with nothing open but the connection and a pipe. */
static _noreturn_ void carry_word(const Runtime *rt, const Container *c, int result) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "gate" };
        Answer a = { .message.type = INIT_MSG_START };
        int gate;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        a.error = rt->facts.privileged ? join_namespaces(c) : 0;
        gate = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        if (gate < 0 || fchdir(c->dir) < 0 || dup2(gate, 0) < 0 || dup2(result, 1) < 0 || close_range(2, ~0U, 0) < 0)
                a.error = a.error ?: -errno;
        if (a.error == 0 && connect(0, (const struct sockaddr *) &address, sizeof(address)) < 0)
                a.error = -errno;
        if (a.error == 0)
                a.error = send_fd(0, &a.message, offsetof(InitMessage, text), -EBADF);
        if (a.error == 0)
                a.size = (int) receive_fd(0, &a.message, sizeof(a.message) - 1, NULL);
        _exit(write_full(1, &a, sizeof(a)) < 0);
}

static int ask_gate(const Runtime *rt, const Container *c, Answer *ret) {
        _cleanup_close_ int result = -EBADF;
        int ends[2], status;
        ssize_t n;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        result = ends[0];
        pid = fork();
        if (pid == 0)
                carry_word(rt, c, ends[1]);
        close_fd(ends[1]);
        if (pid < 0)
                return -errno;
        n = read_full(result, ret, sizeof(*ret));
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (n != (ssize_t) sizeof(*ret) || ret->size > (int) sizeof(ret->message) - 1)
                return n < 0 ? (int) n : -EBADMSG;
        return 0;
}

/* The word at the gate, and the answer: an error, or the end of the stream once the program has been executed. *ret_heard:
 * the process has heard the word. */
static int open_gate(const Runtime *rt, const Container *c, bool *ret_heard, Error *reterr) {
        const InitMessage *m;
        Answer answer = {};
        int r, n;

        r = ask_gate(rt, c, &answer);
        if (r == 0 && answer.error == -ENOENT)
                return error_setf(reterr, EBUSY, "cannot start container %s: it does not wait to be started", c->id);
        r = r ?: answer.error;
        r = r == -ESRCH ? -ECONNREFUSED : r;
        if (r < 0 && r != -ECONNREFUSED)
                return error_errnof(reterr, r, "cannot start container %s", c->id);
        n = answer.size;
        m = &answer.message;
        /* Gone whatever came of it: from here on the container is not "created" any more. */
        (void) unlinkat(c->dir, "gate", 0);
        if (r == -ECONNREFUSED || n == -ECONNRESET) /* it ended without having read the word */
                return error_setf(reterr, EBUSY, "cannot start container %s: its process ended before", c->id);
        *ret_heard = true;
        if (n <= 0 && launch_ended_as_helper(c->record.pid))
                return error_setf(reterr, EIO, "cannot start container %s: its process ended before it could execute its "
                                  "program", c->id);
        if (n < (int) offsetof(InitMessage, text) || m->type != INIT_MSG_ERROR)
                return 0;
        ((char *) &answer.message)[n] = '\0';
        return error_setf(reterr, launch_error(m), "%s", m->text);
}

static int read_spec(const Container *c, Spec **ret, Error *reterr) {
        _cleanup_free_ char *config = NULL;
        size_t size;
        int r;

        r = read_file_at(c->dir, "config.json", CONFIG_MAX_BYTES, &config, &size);
        if (r < 0)
                return error_errnof(reterr, r, "cannot read the copy of config.json of container %s", c->id);
        return spec_parse(config, size, ret, reterr);
}

static int run_poststart(Container *c, Error *reterr) {
        HookState state = { .id = c->id, .bundle = c->record.bundle, .status = "running", .pid = c->record.pid };
        _cleanup_spec_ Spec *spec = NULL;
        int r;

        if (!c->record.has_poststart)
                return 0;
        r = read_spec(c, &spec, reterr);
        return r < 0 ? r : hooks_run(spec, HOOK_POSTSTART, &state, -EBADF, reterr);
}

/* What becomes of a container that has heard the word and does not run. With hooks for this it does not stay (runtime.md,
 * "Lifecycle"). Without a process the error is said but not returned: the specification leaves open how, and its
 * validation program `start` wants that it is not. */
static int not_started(const Runtime *rt, const Store *store, Container *c, int error) {
        _cleanup_spec_ Spec *spec = NULL;
        bool readable = read_spec(c, &spec, NULL) == 0 && spec;

        if (readable && !spec->process)
                return 0;
        if (c->record.has_poststart || (readable && spec->hooks[HOOK_START_CONTAINER].n > 0))
                (void) removal_run(rt, store, c, NULL, -EBADF, NULL);
        return error;
}

/* What the program says goes to who called us, until it is ready; meanwhile other verbs may change the container. */
static void wait_until_ready(Container *c, Notify *notify) {
        _cleanup_close_ int init = container_open_init(c);

        container_unlock(c);
        if (init >= 0)
                notify_wait(notify, c->record.pid, init);
}

int runtime_start(const Runtime *rt, const char *id, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_notify_ Notify notify = NOTIFY_NONE;
        bool heard = false;
        Status status;
        int r;

        r = store_open(rt->root, false, &store, reterr);
        if (r == 0)
                r = container_open(&store, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        status = container_status(&c);
        if (status != STATUS_CREATED)
                return error_setf(reterr, EBUSY, "cannot start container %s: it is %s, not created", id, status_name(status));
        r = notify_begin(&c, &notify, reterr);
        if (r == 0)
                r = open_gate(rt, &c, &heard, reterr);
        if (r == 0) {
                log_info("container %s: the program runs, process %d", id, c.record.pid);
                r = run_poststart(&c, reterr);
        }
        if (r == 0)
                wait_until_ready(&c, &notify);
        else if (heard)
                r = not_started(rt, &store, &c, r);
        return r;
}
