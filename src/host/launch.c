/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/launch.h"

#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/child.h"
#include "basic/fd.h"
#include "basic/file.h"
#include "basic/loop.h"
#include "basic/null.h"
#include "basic/schedule.h"
#include "host/cgroup.h"
#include "host/process.h"
#include "plan/launch/plan.h"

#ifndef HELPER_PATH
#error "HELPER_PATH is where the helper is installed"
#endif
#define ERRNO_MAX 4095
/* For one that is killed. Who waits in the kernel for a lock that a container keeps ends when that does, however late, and
 * nothing of his program is executed any more. */
#define KILLING_USEC UINT64_C(5000000)

char *launch_command(const char *id, uint64_t mark) {
        return xasprintf(HELPER_NAME " %s %llu ", id, (unsigned long long) mark);
}

void launch_done(Launch *l) {
        l->pidfd = close_fd(l->pidfd);
        l->control = close_fd(l->control);
        l->later = close_fd(l->later);
        for (size_t i = 0; i < ELEMENTSOF(l->answers); i++)
                l->answers[i] = close_fd(l->answers[i]);
}

/* Beside our own executable (a build directory, an unpacked archive), else where it is installed. */
static int open_helper(void) {
        char path[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - sizeof(HELPER_NAME));
        int fd = -EBADF;

        if (n > 0) {
                path[n] = '\0';
                memcpy(strrchr(path, '/') + 1, HELPER_NAME, sizeof(HELPER_NAME));
                fd = open(path, O_RDONLY | O_CLOEXEC);
        }
        if (fd < 0)
                fd = open(HELPER_PATH, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int copy_to(int fd, int from) {
        struct stat st;
        off_t done = 0;

        if (fstat(from, &st) < 0)
                return -errno;
        while (done < st.st_size)
                if (sendfile(fd, from, &done, (size_t) (st.st_size - done)) <= 0)
                        return errno ? -errno : -EIO;
        return fchmod(fd, 0555) < 0 ? -errno : 0;
}

static int sealed_copy_of(int from) {
        _cleanup_close_ int fd = -EBADF;
        int r;

#ifdef MFD_EXEC
        fd = memfd_create(HELPER_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
#endif
        if (fd < 0 && errno != EACCES) /* before Linux 6.3 each can be executed */
                fd = memfd_create(HELPER_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        r = fd < 0 ? -errno : copy_to(fd, from);
        if (r == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                r = -errno;
        return r < 0 ? r : TAKE_FD(fd);
}

/* Not the file itself, however it is mounted: by /proc/PID/exe and open_by_handle_at() who has CAP_DAC_READ_SEARCH reads
 * every file of a file system that he sees one of. */
static int protected_helper(Error *reterr) {
        _cleanup_close_ int helper = open_helper();
        int fd;

        if (helper < 0)
                return error_errnof(reterr, helper, "cannot open the helper " HELPER_PATH);
        fd = sealed_copy_of(helper);
        if (fd == -EACCES)
                return error_setf(reterr, EACCES, "cannot execute the helper from memory, as it has to be: the sysctl "
                                  "vm.memfd_noexec does not allow it");
        return fd < 0 ? error_errnof(reterr, fd, "cannot copy the helper into memory") : fd;
}

static _noreturn_ void give_up(int control, const char *what) {
        InitMessage m = { .type = INIT_MSG_ERROR, .value = errno };

        snprintf(m.text, sizeof(m.text), "cannot %s: %s", what, errno_text(errno));
        (void) send_fd(control, &m, offsetof(InitMessage, text) + strlen(m.text) + 1, -EBADF);
        _exit(127);
}

/* A duplicate far above where the descriptors of the helper come to be; -EBADF of none. */
static int move_up(int fd, int base, int control) {
        int moved = fd < 0 ? -EBADF : fcntl(fd, F_DUPFD_CLOEXEC, base + 2 * _INIT_FDS);

        if (fd >= 0 && moved < 0) {
                errno = errno == EINVAL ? EMFILE : errno; /* that number is beyond RLIMIT_NOFILE */
                give_up(control, "pass descriptors to the helper");
        }
        return moved;
}

/* In the child: moves the descriptors to where the helper expects them and becomes it. */
static _noreturn_ void child(const LaunchRequest *request, int helper, const int from[static _INIT_FDS]) {
        const int control = from[INIT_FD_CONTROL], base = 3 + (int) request->preserve_fds;
        char mark[24], text[16], path[64];
        char *argv[] = { (char *) HELPER_NAME, (char *) request->id, mark, text, NULL }, *envp[] = { NULL };
        int high[_INIT_FDS], stdio[3], exe;
        sigset_t none;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* An affinity is inherited, by us from a service with CPUAffinity=, say, and since Linux 6.2 it even stays when
         * the process gets into a cgroup with other CPUs. The container's is what its cgroup says. */
        if (!request->cpus)
                (void) schedule_on(NULL);
        /* Twice, first out of the way: source and destination may overlap. */
        exe = move_up(helper, base, control);
        for (int i = 0; i < _INIT_FDS; i++)
                high[i] = move_up(from[i], base, control);
        for (int i = 0; i < 3; i++)
                stdio[i] = move_up(request->stdio[i] == i ? -EBADF : request->stdio[i], base, control);
        for (int i = 0; i < _INIT_FDS; i++)
                if (high[i] < 0)
                        (void) close(base + i);
                else if (dup2(high[i], base + i) < 0)
                        give_up(high[INIT_FD_CONTROL], "pass descriptors to the helper");
        for (int i = 0; i < 3; i++)
                if (stdio[i] >= 0 && dup2(stdio[i], i) < 0)
                        give_up(high[INIT_FD_CONTROL], "pass standard descriptors to the helper");
        (void) syscall(SYS_close_range, base + _INIT_FDS, ~0U, CLOSE_RANGE_CLOEXEC);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        snprintf(mark, sizeof(mark), "%llu", (unsigned long long) request->mark);
        snprintf(text, sizeof(text), "%d", base);
        (void) syscall(SYS_execveat, exe, "", argv, envp, AT_EMPTY_PATH);
        /* The same file in the way that emulators and valgrind can follow. */
        snprintf(path, sizeof(path), "/proc/self/fd/%d", exe);
        (void) execve(path, argv, envp);
        give_up(high[INIT_FD_CONTROL], "execute the helper");
}

/* -1 with the errno that clone3() would have given. */
static long bring_to_cgroup(pid_t pid, int pidfd, int cgroup) {
        _cleanup_free_ char *number = xasprintf("%d", pid);
        int r = write_kernel_file(cgroup, "cgroup.procs", number);

        if (r == 0)
                return pid;
        child_kill(pid, false);
        close_fd(pidfd);
        errno = -r;
        return -1;
}

/* What the helper of a new container forks is born there, wherever it is itself by then. -EBADF: with it. */
static int open_own_cgroup(const InitPlan *plan) {
        _cleanup_free_ char *path = NULL;
        int fd = -EBADF;

        if (init_plan_comes_to(plan, INIT_ROOTFS, INIT_READY) && cgroup_of_pid(getpid(), &path) >= 0)
                fd = cgroup_open(path);
        return fd < 0 ? -EBADF : fd;
}

/* As fork(), with a pidfd, and born in its cgroup. Sandboxes that cannot look into the arguments of clone3() say that
 * there is none; then we bring the child there: who has a cgroup waits for it. */
static long clone_child(const LaunchRequest *request, int *ret_pidfd) {
        const unsigned flags = CLONE_PIDFD | request->clone_flags | (request->sibling ? CLONE_PARENT : 0);
        struct clone_args args = { .flags = flags, .pidfd = (uint64_t) (uintptr_t) ret_pidfd,
                                   .exit_signal = request->sibling ? 0 : SIGCHLD }; /* else that of ours */
        long pid;

        if (request->cgroup >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t) request->cgroup;
        }
        pid = syscall(SYS_clone3, &args, sizeof(args));
        if (pid >= 0 || errno != ENOSYS)
                return pid;
        pid = syscall(SYS_clone, (unsigned long) (flags | SIGCHLD), NULL, ret_pidfd, NULL, 0UL);
        return pid > 0 && request->cgroup >= 0 ? bring_to_cgroup((pid_t) pid, *ret_pidfd, request->cgroup) : pid;
}

static void expect(Launch *l, const InitPlan *plan) {
        bool inside = false;

        for (const InitStep *s = plan->steps; s < plan->steps + plan->n_steps; s++) {
                inside = inside || s->op == INIT_FORK_INSIDE;
                l->expected[launch_message_of(s, inside)]++;
                l->waits = l->waits || s->op == INIT_READY;
        }
        l->expected[INIT_MSG_PIPES] = inside || l->waits;
}

/* The helper's ends: of the socket, and of the pipe to us. */
static int make_channel(Launch *l, int *ret_control, int *ret_say) {
        int pair[2], pipe[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        l->control = pair[0];
        *ret_control = pair[1];
        if (pipe2(pipe, O_CLOEXEC | O_DIRECT) < 0)
                return -errno;
        l->later = pipe[0];
        *ret_say = pipe[1];
        if (pipe2(l->answers, O_CLOEXEC | O_DIRECT) < 0)
                return -errno;
        /* Our end: who is in the container may fill the pipe. */
        return fcntl(l->answers[1], F_SETFL, O_DIRECT | O_NONBLOCK) < 0 ? -errno : 0;
}

/* The host's null device leads who has CAP_DAC_READ_SEARCH to all that lies in the host's /dev. Where INIT_STDIO_OWNER does not
 * see to it, as in a user namespace nobody makes devices, we do: such a container may share its pid namespace with one that has
 * that and CAP_SYS_PTRACE. Who may make none here has no more power there. */
static void replace_nulls(LaunchRequest *request, int nulls[static 3]) {
        if (init_plan_comes_to(request->plan, INIT_STDIO_OWNER, INIT_EXEC))
                return;
        for (int i = 0; i < 3; i++) {
                int fd = request->stdio[i];

                if (!fd_is_null(fd))
                        continue;
                nulls[i] = open_new_null(fcntl(fd, F_GETFL) & O_ACCMODE);
                if (nulls[i] >= 0)
                        request->stdio[i] = nulls[i];
        }
}

static int spawn(const LaunchRequest *request, Launch *ret, Error *reterr) {
        _cleanup_close_ int helper = -EBADF, plan = -EBADF, control = -EBADF, say = -EBADF, cgroup = -EBADF;
        _cleanup_launch_ Launch l = LAUNCH_NONE;
        _cleanup_text_ Text bytes = {};
        long pid;
        int r;

        helper = protected_helper(reterr);
        if (helper < 0)
                return helper;
        /* Of the parent, before there is a process: it is born in its cgroup. */
        r = request->cpus ? schedule_on(request->cpus) : 0;
        if (r < 0)
                return error_errnof(reterr, r, "process.execCPUAffinity.initial: cannot run on %s", request->cpus);
        init_plan_encode(request->plan, &bytes);
        plan = memfd_sealed("ocirt-sd-plan", bytes.s, bytes.n);
        r = plan < 0 ? plan : make_channel(&l, &control, &say);
        if (r < 0)
                return error_errnof(reterr, r, "cannot talk to the helper");
        cgroup = open_own_cgroup(request->plan);
        pid = clone_child(request, &l.pidfd);
        if (pid < 0)
                return error_errnof(reterr, errno, "cannot start the helper%s",
                                    request->clone_flags ? " in a new pid namespace" : "");
        if (pid == 0)
                child(request, helper,
                      (int[_INIT_FDS]){ control, plan, request->target, request->root, cgroup, say, l.answers[0] });
        l.pid = (pid_t) pid;
        l.sibling = request->sibling;
        l.cgroup_path = request->cgroup_path;
        memcpy(l.stdio, request->stdio, sizeof(l.stdio));
        expect(&l, request->plan);
        *ret = l;
        l = LAUNCH_NONE;
        return 0;
}

int launch_spawn(const LaunchRequest *request, Launch *ret, Error *reterr) {
        LaunchRequest own = *request;
        int nulls[] = { -EBADF, -EBADF, -EBADF }, r;

        replace_nulls(&own, nulls);
        r = spawn(&own, ret, reterr);
        if (r == 0)
                memcpy(ret->stdio, request->stdio, sizeof(ret->stdio));
        for (int i = 0; i < 3; i++)
                close_fd(nulls[i]);
        return r;
}

static void reap_left(Launch *l, uint64_t deadline) {
        int status;

        if (l->left > 0)
                (void) child_wait(l->left, deadline, &status);
        l->left = 0;
}

/* INIT_FORK, INIT_FORK_INSIDE: a sibling of the first process goes on; that one exits by itself. */
static int follow(Launch *l, pid_t pid, bool inside, Error *reterr) {
        int fd = (int) syscall(SYS_pidfd_open, pid, 0);

        if (fd < 0)
                return error_errnof(reterr, errno, "the container's process ended before it was set up");
        close_fd(l->pidfd);
        l->pidfd = fd;
        l->left = l->pid;
        l->pid = pid;
        l->inside = inside;
        return 0;
}

/* Our parent has other children. */
static bool is_sibling(const Launch *l, int pid) {
        _cleanup_free_ char *service = NULL, *its = NULL;
        ProcessStat stat;

        if (process_stat(pid, &stat) < 0 || stat.parent != getppid() || cgroup_of_pid(pid, &its) < 0)
                return false;
        if (l->cgroup_path)
                return streq(its, l->cgroup_path);
        return cgroup_service_of(getpid(), &service) == 0 && path_is_below(its, service);
}

static bool is_child(int pid) {
        siginfo_t info;

        return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Whoever speaks for the helper can but name a child of ours, and those are processes of this container; or a sibling of
 * ours that is in our service, or in the container that it is for, and so are those. */
static bool is_believed(Launch *l, const InitMessage *m) {
        if (m->type == INIT_MSG_ERROR)
                return true;
        if (m->type == 0 || m->type >= _INIT_MSG_MAX || l->expected[m->type] == 0)
                return false;
        l->expected[m->type]--;
        if (m->type != INIT_MSG_PID && m->type != INIT_MSG_INSIDE)
                return true;
        return m->value > 0 && m->value != getpid() && (l->sibling ? is_sibling(l, m->value) : is_child(m->value));
}

/* 0 when nothing can come any more, -EINTR when we are not to wait for it. The end of the stream is not enough: who is forked
 * holds it open, too. */
static int wait_for_word(const Launch *l) {
        struct pollfd fds[] = { { .fd = l->control, .events = POLLIN }, { .fd = l->pidfd, .events = POLLIN } };
        int r = loop_wait(fds, ELEMENTSOF(fds), UINT64_MAX);

        if (r < 0 || fds[0].revents) /* first: a signal may be meant for the program, which runs by now */
                return r < 0 ? r : 1;
        return loop_is_interrupted() ? -EINTR : fd_is_ready(l->control, POLLIN);
}

/* One message, 0 at the end of the stream. That is ECONNRESET, once, when the helper left something of ours unread; what it
 * said is still there. */
static ssize_t receive(Launch *l, InitMessage *ret, int *ret_fd) {
        ssize_t n;

        if (l->later < 0)
                return read_packet(l->control, ret, sizeof(*ret) - 1);
        n = receive_fd(l->control, ret, sizeof(*ret) - 1, ret_fd);
        if (n == -ECONNRESET)
                n = receive_fd(l->control, ret, sizeof(*ret) - 1, ret_fd);
        return n == -ECONNRESET ? 0 : n;
}

/* The error was faster than the word of which process it is that has failed. */
static void find_who_failed(Launch *l) {
        InitMessage m;

        while (l->expected[INIT_MSG_INSIDE] > 0 && wait_for_word(l) > 0) {
                ssize_t n = receive(l, &m, NULL);

                if (n <= 0)
                        return;
                if (n >= (ssize_t) offsetof(InitMessage, text) && m.type == INIT_MSG_INSIDE && is_believed(l, &m))
                        (void) follow(l, m.value, true, NULL);
        }
}

int launch_error(const InitMessage *m) {
        return m->value > 0 && m->value <= ERRNO_MAX ? m->value : EIO;
}

int launch_receive(Launch *l, InitMessage *ret, int *ret_fd, Error *reterr) {
        ssize_t n;
        int r;

        if (ret_fd)
                *ret_fd = -EBADF;
        r = wait_for_word(l);
        if (r < 0)
                return error_passf(reterr, r, "%s", errno_text(r));
        n = r > 0 ? receive(l, ret, ret_fd) : 0;
        if (n == 0)
                return 0;
        if (n < (ssize_t) offsetof(InitMessage, text))
                return error_errnof(reterr, n < 0 ? (int) n : EBADMSG, "cannot understand the helper");
        ((char *) ret)[n] = '\0';
        if (!is_believed(l, ret))
                return error_setf(reterr, EBADMSG, "cannot understand the helper: message %u", ret->type);
        if (ret->type == INIT_MSG_ERROR) {
                find_who_failed(l);
                return error_passf(reterr, launch_error(ret), "%s", ret->text);
        }
        if (ret->type == INIT_MSG_PIPES) {
                close_fd(l->control);
                l->control = TAKE_FD(l->later);
                return launch_receive(l, ret, ret_fd, reterr);
        }
        r = 0;
        if (ret->type == INIT_MSG_PID || ret->type == INIT_MSG_INSIDE)
                r = follow(l, ret->value, ret->type == INIT_MSG_INSIDE, reterr);
        return r < 0 ? r : (int) ret->type;
}

bool launch_ended_as_helper(pid_t pid) {
        ProcessStat stat;

        return process_stat(pid, &stat) == 0 && stat.dead && streq(stat.name, HELPER_NAME);
}

static int check_executed(const Launch *l, Error *reterr) {
        siginfo_t info = {};

        if (!launch_ended_as_helper(l->pid))
                return 0;
        (void) pidfd_wait(l->pidfd, UINT64_MAX); /* it is on its way; and who traces it may keep how it ended */
        if (waitid(P_PID, (id_t) l->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
                return 0;
        if (info.si_code == CLD_EXITED)
                return error_setf(reterr, EIO, "the process ended before it could execute its program");
        if (info.si_status == SIGSYS)
                return error_setf(reterr, EPERM, "linux.seccomp: the process was killed for a system call that it takes to "
                                  "execute its program");
        return error_setf(reterr, EIO, "the process was killed by signal %d (%s) before it could execute its program",
                          info.si_status, strsignal(info.si_status));
}

int launch_release(Launch *l, bool wait, Error *reterr) {
        int r = l->waits ? launch_send(l, INIT_MSG_GO, reterr) : 0;
        InitMessage message;

        if (r == 0 && (wait || l->inside))
                r = launch_receive(l, &message, NULL, reterr);
        reap_left(l, UINT64_MAX);
        if (r == 0 && wait)
                r = check_executed(l, reterr);
        return r <= 0 ? r : error_setf(reterr, EBADMSG, "cannot understand the helper: message %d", r);
}

int launch_send(Launch *l, InitMessageType type, Error *reterr) {
        InitMessage m = { .type = type };
        size_t size = offsetof(InitMessage, text);
        int r = l->later < 0 ? write_full(l->answers[1], &m, size) : send_fd(l->control, &m, size, -EBADF);

        if (r == -EAGAIN)
                return error_setf(reterr, EAGAIN, "cannot talk to the helper: a process of the container has filled its pipe");
        return r < 0 && r != -EPIPE /* it has exited: what it said comes first */
                ? error_errnof(reterr, r, "cannot talk to the helper") : 0;
}

void launch_kill(Launch *l) {
        uint64_t deadline = now_usec() + KILLING_USEC;
        int before = loop_interrupt(-EBADF);

        if (l->pidfd >= 0) {
                (void) syscall(SYS_pidfd_send_signal, l->pidfd, SIGKILL, NULL, 0);
                (void) process_wait(l->pid, l->pidfd, deadline);
                (void) waitpid(l->pid, NULL, WNOHANG); /* who traces it may keep it */
                reap_left(l, deadline);
        }
        launch_done(l);
        (void) loop_interrupt(before);
}
