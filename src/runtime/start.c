/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "basic/loop.h"
#include "basic/moment.h"
#include "host/launch.h"
#include "host/observe.h"
#include "plan/init/protocol.h"
#include "runtime/again.h"
#include "runtime/find.h"
#include "runtime/removal.h"
#include "runtime/runtime.h"
#include "steps/hooks.h"
#include "steps/notify.h"

/* What came back from the gate. */
typedef struct Answer {
        int size;       /* of the message; 0: the end of the stream, or -errno */
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

static int send_word(int connection, InitMessageType type) {
        const InitMessage word = { .type = type };

        return send_fd(connection, &word, offsetof(InitMessage, text), -EBADF);
}

static int knock(const Container *c, int connection) {
        const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "gate" };

        if (fchdir(c->dir) < 0 || dup2(connection, 0) < 0 || close_range(1, ~0U, 0) < 0 ||
            connect(0, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return -errno;
        return send_word(0, INIT_MSG_START);
}

/* In a child. Who is in the container may get hold of the other end of the connection, and by it of a pidfd of who has
 * connected, and of all that is open there: it is we, with nothing open but that, of which who hears the answer has got a
 * descriptor before. */
static _noreturn_ void carry_word(const Runtime *rt, const Container *c, int hears) {
        int connection = -EBADF, r;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = rt->facts.privileged ? join_namespaces(c) : 0;
        if (r == 0) {
                connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
                r = connection < 0 ? -errno : send_fd(hears, "", 1, connection);
        }
        _exit(-(r < 0 ? r : knock(c, connection)));
}

/* Who could get at the process that kept it may have put anything there. */
static bool has_messages(int fd) {
        int domain = 0, type = 0;
        socklen_t size = sizeof(int);

        return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
               getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

/* What the other child has, which nobody finds by the connection: a socket tells who connected, and not who else has it. */
enum { LAUNCHER, CARRIER, CONNECTION, NOTIFY };

/* A message tells who has sent it (SO_PASSPIDFD): a child, which is in the container's namespaces and has nothing open but
 * what is the container's. Nobody waits for it, as that may keep it. */
static void reply(const Runtime *rt, const Container *c, InitMessageType type) {
        pid_t pid = fork();

        if (pid < 0)
                _exit(1);
        if (pid > 0)
                return;
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && (!rt->facts.privileged || join_namespaces(c) == 0) &&
            dup2(CONNECTION, LAUNCHER) == LAUNCHER && dup2(CONNECTION, CARRIER) == CARRIER)
                (void) send_word(CONNECTION, type);
        _exit(0);
}

/* Who waits cannot send it, where his user has too many descriptors on their way. */
static void fetch_notify(const Runtime *rt, const Container *c, int number) {
        int init = container_open_init(c), fd = init < 0 ? -EBADF : (int) syscall(SYS_pidfd_getfd, init, number, 0);
        bool done = dup2(fd, NOTIFY) == NOTIFY || !rt->caller.notify_socket;

        reply(rt, c, done ? INIT_MSG_START : INIT_MSG_ERROR);
}

/* What comes with an answer, or is taken, stays open until that has been said, as who answers may be another one and keep who
 * closes it. Who answers in the place of a process that has nothing to notify by gives us nothing. */
static _noreturn_ void hear_answer(const Runtime *rt, const Container *c) {
        Answer answer = {};
        InitMessage *m = &answer.message;
        bool notifies = false;
        int connection;

        if (receive_fd(CARRIER, &answer, 1, &connection) <= 0 || connection != CONNECTION ||
            recv(LAUNCHER, &answer, 1, 0) <= 0)
                _exit(1);
        answer.size = (int) receive_with_fds(CONNECTION, m, sizeof(*m) - 1, 0);
        if (c->record.notifies && answer.size > 0 && m->type == INIT_MSG_NOTIFY) {
                if (fcntl(NOTIFY, F_GETFD) < 0)
                        fetch_notify(rt, c, m->value);
                notifies = has_messages(NOTIFY);
                answer.size = (int) receive_with_fds(CONNECTION, m, sizeof(*m) - 1, 0);
        }
        (void) send_fd(LAUNCHER, &answer, sizeof(answer), -EBADF);
        notify_receive(notifies ? NOTIFY : -EBADF);
}

static int bring_word(const Runtime *rt, const Container *c, int hears) {
        pid_t pid = fork();
        int status, r;

        if (pid == 0)
                carry_word(rt, c, hears);
        if (pid < 0)
                return -errno;
        r = child_wait(pid, UINT64_MAX, &status);
        if (r < 0 || !WIFEXITED(status))
                return -EIO;
        return -WEXITSTATUS(status);
}

/* Nothing that comes from the container is ever open here, or who answers could keep us when we close it, or end. */
static int ask_gate(const Runtime *rt, const Container *c, Notify *notify, Answer *ret) {
        int ends[2], r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return -errno;
        r = notify_fork(&rt->caller, ends[0], notify);
        if (r == 0)
                hear_answer(rt, c);
        close_fd(ends[0]);
        r = r < 0 ? r : bring_word(rt, c, ends[1]);
        close_fd(ends[1]);
        if (r == 0)
                r = send_fd(notify->inside, "", 1, -EBADF); /* there is an answer to be heard */
        if (r == 0)
                r = loop_wait_fd(notify->inside, POLLIN, UINT64_MAX);
        if (r < 0)
                return r;
        return recv(notify->inside, ret, sizeof(*ret), 0) == sizeof(*ret) ? 0 : -EIO;
}

/* The word at the gate, and the answer: an error, or the end of the stream once the program has been executed. *ret_heard:
 * the process has heard the word. */
static int open_gate(const Runtime *rt, const Container *c, Notify *notify, bool *ret_heard, Error *reterr) {
        Answer answer = {};
        const InitMessage *m;
        int r, n;

        r = ask_gate(rt, c, notify, &answer);
        if (r == -ENOENT)
                return error_setf(reterr, EBUSY, "cannot start container %s: it does not wait to be started", c->id);
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
        return error_passf(reterr, launch_error(m), "%s", m->text);
}

/* Of a service: when systemd starts it again, it is not to wait. Else nothing but the time depends on it. */
static int note_start(Container *c, Error *reterr) {
        _cleanup_error_ Error error = {};
        bool waits = c->record.waits;

        c->record.waits = false;
        c->record.started = moment_now(&c->record.arena);
        if (container_save(c, &error) < 0 && waits)
                return error_move(reterr, &error);
        return 0;
}

static int run_poststart(const Runtime *rt, const Container *c, Error *reterr) {
        const Spec spec = record_spec(&c->record);
        const HookState state = { .caller = &rt->caller, .spec = &spec, .id = c->id, .bundle = c->record.bundle,
                                  .status = "running", .pid = c->record.pid };

        return hooks_run(&state, HOOK_POSTSTART, &spec.hooks[HOOK_POSTSTART], reterr);
}

/* What becomes of a container that has heard the word and does not run. With hooks for this it does not stay (runtime.md,
 * "Lifecycle"). Without a process the error is said but not returned: the specification leaves open how, and its
 * validation program `start` wants that it is not. */
static int not_started(const Runtime *rt, Container *c, int error) {
        if (!c->record.has_process)
                return 0;
        if (c->record.hooks[HOOK_POSTSTART].n > 0 || c->record.has_start_hooks)
                (void) removal_run(rt, c, NULL, NULL);
        return error;
}

/* What the program says goes to who called us, until it is ready; meanwhile other verbs may change the container. */
static void wait_until_ready(Container *c, Notify *notify) {
        _cleanup_close_ int init = container_open_init(c);

        container_unlock(c);
        notify_wait(notify, c->record.pid, init);
}

/* Its process had the descriptors of who made it, which nobody else can give it. */
static int refuse(const Container *c, Status status, Error *reterr) {
        int r = error_setf(reterr, EBUSY, "cannot start container %s: it is %s, not created", c->id,
                           status_name(status));

        if (status == STATUS_STOPPED && c->record.bundle)
                (void) error_suffixf(reterr, " (ocirt-sd delete %s, and run it again: --bundle %s)", c->id,
                                     c->record.bundle);
        return r;
}

int runtime_start(const Runtime *rt, const char *id, const char *program, Error *reterr) {
        _cleanup_container_ Container c = { .dir = -EBADF };
        _cleanup_notify_ Notify notify = NOTIFY_NONE;
        bool heard = false;
        Status status;
        int r;

        r = runtime_find(rt, id, LOCK_WAIT, &c, reterr);
        if (r < 0)
                return r;
        status = container_status(&c);
        if (status == STATUS_STOPPED && home_is_supervised(c.record.home))
                return again_start(rt, &c, program, false, reterr);
        if (status != STATUS_CREATED)
                return refuse(&c, status, reterr);
        r = container_complete(&c, reterr);
        if (r == 0)
                r = open_gate(rt, &c, &notify, &heard, reterr);
        if (r == 0) {
                log_info("container %s: the program runs, process %d", id, c.record.pid);
                r = note_start(&c, reterr) ?: run_poststart(rt, &c, reterr);
        }
        if (r == 0)
                wait_until_ready(&c, &notify);
        else if (heard)
                r = not_started(rt, &c, r);
        return r;
}
