/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/foreground.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "host/process.h"

/* A process that is about to end needs no more than this. */
#define PASSING_USEC UINT64_C(200000)

static bool is_ignored(int number) {
        struct sigaction action;

        return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void *stay(void *unused) {
        for (;;)
                (void) pause();
        return unused;
}

/* A process may give its session keyring to its parent (KEYCTL_SESSION_TO_PARENT), and hooks would run with that of the
 * container; but not to a parent that has several threads. Called when signals are blocked: none is for this one. */
static int keep_keyring(Error *reterr) {
        pthread_attr_t attributes;
        pthread_t second;
        int r;

        r = pthread_attr_init(&attributes);
        if (r != 0)
                return error_errnof(reterr, r, "cannot start a second thread");
        (void) pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
        (void) pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        r = pthread_create(&second, &attributes, stay, NULL);
        (void) pthread_attr_destroy(&attributes);
        return r == 0 ? 0 : error_errnof(reterr, r, "cannot start a second thread");
}

int foreground_begin(Foreground *f, Error *reterr) {
        static const int synchronous[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPIPE };
        static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
        sigset_t all, end;

        (void) sigfillset(&all);
        (void) sigemptyset(&end);
        for (size_t i = 0; i < ELEMENTSOF(synchronous); i++)
                (void) sigdelset(&all, synchronous[i]);
        for (size_t i = 0; i < ELEMENTSOF(ending); i++)
                (void) sigaddset(&end, ending[i]);
        /* Blocked it would be heard although it is ignored, as nohup does it. */
        for (int i = 1; i < NSIG; i++)
                if (is_ignored(i))
                        (void) sigdelset(&all, i);
        f->interrupt = signalfd(-1, &end, SFD_CLOEXEC | SFD_NONBLOCK);
        f->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        (void) sigaddset(&all, SIGPIPE); /* ours, when who reads has gone, and for nobody else */
        (void) sigprocmask(SIG_SETMASK, &all, NULL);
        if (f->signals < 0 || f->interrupt < 0)
                return error_errnof(reterr, errno, "cannot wait for signals");
        (void) loop_interrupt(f->interrupt);
        return keep_keyring(reterr);
}

int foreground_serve(Foreground *f, const Caller *caller, const Launch *launch, Streams *streams, int terminal, Error *reterr) {
        f->launch = launch;
        f->streams = streams;
        if (streams)
                streams_begin(streams, launch->pid);
        if (terminal < 0)
                return 0;
        f->console = &f->terminal;
        return console_begin(f->console, caller, terminal, reterr);
}

void foreground_done(Foreground *f) {
        (void) loop_interrupt(-EBADF);
        console_done(&f->terminal);
        f->signals = close_fd(f->signals);
        f->interrupt = close_fd(f->interrupt);
}

static void forward_signals(int signals, const Launch *launch, const Console *console) {
        struct signalfd_siginfo info;

        while (read(signals, &info, sizeof(info)) == sizeof(info))
                if (info.ssi_signo == SIGWINCH && console)
                        console_resize(console);
                else if (info.ssi_signo != SIGCHLD)
                        (void) process_signal(launch->pidfd, (int) info.ssi_signo);
}

/* A process of the container that traces it is told of its end before us, and may keep that to itself. */
static int wait_for_tracer(const Foreground *f, Error *reterr) {
        _cleanup_close_ int child = -EBADF;
        struct signalfd_siginfo info;
        sigset_t set;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGCHLD);
        child = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        for (;;) {
                siginfo_t status = {};

                if (waitid(P_PID, (id_t) f->launch->pid, &status, WEXITED | WNOHANG | WNOWAIT) < 0 || status.si_pid != 0)
                        return 0;
                if (loop_wait_fd(child, POLLIN, UINT64_MAX) < 0)
                        return error_setf(reterr, EINTR, "interrupted by a signal; the process has ended, but another one of "
                                          "the container traces it and keeps how");
                (void) !read(child, &info, sizeof(info));
        }
}

static int reap(const Foreground *f, int *ret_status, Error *reterr) {
        int r = wait_for_tracer(f, reterr);

        if (r == 0 && waitpid(f->launch->pid, ret_status, WNOHANG) != f->launch->pid)
                r = error_errnof(reterr, errno, "lost the container's process");
        return r;
}

/* Has the process ended, and has what it wrote been passed on? Who takes that may be slow: what is heard then is no longer the
 * end of the process, but a signal that wants an end of the wait. */
static bool is_over(Streams *streams, bool heard) {
        if (!streams || (heard && streams_are_ending(streams)))
                return heard;
        if (heard)
                streams_end(streams);
        return streams_are_over(streams);
}

enum { FD_PROCESS, FD_SIGNALS, FD_MASTER, FD_SOURCE, FD_NOTIFY, FD_STDOUT, FD_STREAMS, _FD_MAX = FD_STREAMS + STREAMS };

/* Has it ended, and does a process of the container keep one of its threads (ptrace(2))? Nobody hears of its end then. */
static bool is_kept(const Launch *l) {
        ProcessStat stat;

        return process_stat(l->pid, &stat) == 0 && stat.dead && pidfd_wait(l->pidfd, now_usec() + PASSING_USEC) == -ETIMEDOUT;
}

/* All but the end of the process, and what comes before that. */
static void attend(const Foreground *f, const struct pollfd fds[_FD_MAX]) {
        if (fds[FD_SIGNALS].revents && !pidfd_has_exited(f->launch->pidfd)) /* else it is for us */
                forward_signals(f->signals, f->launch, f->console);
        if (fds[FD_SOURCE].revents)
                console_copy_in(f->console);
        if (fds[FD_NOTIFY].revents)
                notify_pass(f->notify, 0);
        if (f->streams)
                streams_copy(f->streams, fds + FD_STREAMS);
        if (fds[FD_MASTER].revents & POLLOUT)
                console_flush_in(f->console);
        if (fds[FD_STDOUT].revents)
                console_flush_out(f->console);
}

/* 0 when it has ended, and what it wrote has been passed on. */
static int serve(const Foreground *f, uint64_t deadline, Error *reterr) {
        Console *console = f->console;
        int r;

        for (;;) {
                bool in = console && console_input_waits(console), out = console && console_output_waits(console);
                bool ending = (f->streams && streams_are_ending(f->streams)) || (out && pidfd_has_exited(f->launch->pidfd));
                struct pollfd fds[_FD_MAX] = {
                        [FD_PROCESS] = { .fd = ending ? f->interrupt : f->launch->pidfd, .events = POLLIN },
                        [FD_SIGNALS] = { .fd = ending ? -EBADF : f->signals, .events = POLLIN },
                        [FD_MASTER] = { .fd = console && (in || !out) ? console->master : -1,
                                        .events = in ? POLLIN | POLLOUT : POLLIN },
                        [FD_SOURCE] = { .fd = console && !in ? console->source : -1, .events = POLLIN },
                        [FD_NOTIFY] = { .fd = f->notify ? f->notify->inside : -1, .events = POLLIN },
                        [FD_STDOUT] = { .fd = out ? console->out : -1, .events = POLLOUT },
                };

                if (out) /* first what was read before */
                        fds[FD_MASTER].events = POLLOUT;
                if (f->streams)
                        streams_ask(f->streams, fds + FD_STREAMS);
                r = loop_wait(fds, f->streams ? _FD_MAX : FD_STREAMS, deadline);
                if (r == 0)
                        return -ETIMEDOUT;
                if (r < 0)
                        return error_errnof(reterr, r, "cannot wait for the container's process");
                if (fds[FD_SIGNALS].revents && is_kept(f->launch))
                        return 0;
                attend(f, fds);
                /* What it wrote before it ended is still in the pty: the end of the process is looked at last. */
                if (!out && (fds[FD_MASTER].revents & ~POLLOUT))
                        console_copy_out(console);
                else if ((!out || ending) && is_over(f->streams, fds[FD_PROCESS].revents))
                        return 0;
        }
}

/* The program runs: signals are for it. */
int foreground_wait(Foreground *f, uint64_t deadline, int *ret_status, Error *reterr) {
        int r;

        (void) loop_interrupt(-EBADF);
        r = serve(f, deadline, reterr);
        (void) loop_interrupt(f->interrupt);
        if (r == 0 && f->notify)
                notify_finish(f->notify, 0);
        if (r == 0)
                r = reap(f, ret_status, reterr);
        if (r != -ETIMEDOUT)
                console_done(&f->terminal);
        return r;
}
