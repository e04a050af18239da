/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "basic/arch.h"
#include "plan/init/internal.h"
#include "plan/seccomp.h"

/*
 * When is the filter loaded? Every system call after it has to pass it, and until it is in force whoever gets hold of the
 * process has more than the container:
 *   - without no_new_privs it needs CAP_SYS_ADMIN, so right before the capabilities go;
 *   - with it, before INIT_READY and before others can see the process, if it lets everything pass that we still do, or if
 *     it has a listener: the launcher, which takes the listener's descriptor, is gone after that;
 *   - else right before the exec.
 */

/* A system call that we make, by the C library or not. What depends on the first argument is asked with ours. */
typedef struct Call {
        const char *name;
        long number;
        uint64_t argument;
        bool may_fail;  /* we get along without it, but not if we are killed for it */
} Call;

#define CALL(name, ...) { #name, SYS_##name, __VA_ARGS__ }

static const Call to_the_end[] = {
        CALL(sendmsg), CALL(recvmsg), CALL(read), CALL(write), CALL(close), CALL(brk), CALL(mmap), CALL(munmap),
        CALL(exit_group), CALL(prctl, .may_fail = true), CALL(close_range, .may_fail = true),
};
static const Call going_inside[] = {
        CALL(clone, CLONE_PARENT | SIGCHLD), CALL(sendmsg), CALL(recvmsg), CALL(close), CALL(pipe2), CALL(read), CALL(write),
        CALL(setsid), CALL(exit_group), CALL(close_range, .may_fail = true),
};
static const Call for_a_terminal[] = { CALL(ioctl, 0) };
static const Call for_limits[] = { CALL(prlimit64), CALL(sched_setattr), CALL(ioprio_set) };
static const Call at_the_gate[] = {
        CALL(listen), CALL(accept4), CALL(rt_sigaction), CALL(rt_sigreturn),
#ifdef SYS_poll
        CALL(poll),
#else
        CALL(ppoll),
#endif
};
static const Call for_hooks[] = {
        CALL(memfd_create), CALL(fcntl), CALL(write), CALL(read), CALL(pipe2), CALL(pidfd_open), CALL(wait4), CALL(kill),
        CALL(setsid), CALL(close_range), CALL(execve), CALL(lseek),
        CALL(clone, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD), CALL(set_robust_list), CALL(rt_sigprocmask),
#ifdef SYS_poll
        CALL(poll), CALL(dup2),
#else
        CALL(ppoll), CALL(dup3),
#endif
};

static uint32_t ask(const InitBuild *b, const Call *call, bool *ret_sure) {
        const struct seccomp_data data = { .nr = (int) call->number, .arch = NATIVE_AUDIT_ARCH, .args = { call->argument } };

        return seccomp_run(b->seccomp, b->seccomp_size, &data, ret_sure) & SECCOMP_RET_ACTION_FULL;
}

/* The first of the calls that it does not let pass, or NULL. */
static const Call *forbidden(const InitBuild *b, const Call *calls, size_t n) {
        for (const Call *call = calls; call < calls + n; call++) {
                uint32_t action = ask(b, call, NULL);

                if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG &&
                    !(call->may_fail && action == SECCOMP_RET_ERRNO))
                        return call;
        }
        return NULL;
}
#define FORBIDDEN(b, calls) forbidden(b, calls, ELEMENTSOF(calls))

static bool notifies(const InitBuild *b) {
        return b->spec->linux_.seccomp && seccomp_notifies(b->spec->linux_.seccomp);
}

static bool runs_hooks(const InitBuild *b) {
        return !b->exec && b->spec->hooks[HOOK_START_CONTAINER].n > 0;
}

/* Of what is done for the sake of a pid namespace that others are in. */
static const Call *forbidden_inside(const InitBuild *b) {
        const Call *call = NULL;

        if (!build_goes_inside(b))
                return NULL;
        if (b->process->terminal)
                call = FORBIDDEN(b, for_a_terminal);
        if (!call && build_has_late_limits(b))
                call = FORBIDDEN(b, for_limits);
        return call ?: FORBIDDEN(b, going_inside);
}

static FilterTime filter_time(const InitBuild *b) {
        if (!b->process->no_new_privileges)
                return FILTER_BEFORE_CAPABILITIES;
        if (notifies(b))
                return FILTER_BEFORE_READY;
        if (FORBIDDEN(b, to_the_end) || forbidden_inside(b) || (build_has_gate(b) && FORBIDDEN(b, at_the_gate)) ||
            (runs_hooks(b) && FORBIDDEN(b, for_hooks)) || (build_has_late_limits(b) && FORBIDDEN(b, for_limits)))
                return FILTER_LAST;
        return FILTER_BEFORE_READY;
}

/* Whatever the arguments are, and nobody is asked. */
static bool forbids_programs(const InitBuild *b) {
        static const Call call = CALL(execve);
        bool sure;
        uint32_t action = ask(b, &call, &sure);

        return sure && (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRAP || action == SECCOMP_RET_KILL_THREAD ||
                        action == SECCOMP_RET_KILL_PROCESS);
}

int build_check_seccomp(InitBuild *b) {
        const Call *call = NULL;

        if (!b->seccomp || !b->process)
                return 0;
        b->filter_time = filter_time(b);
        if (b->process->args && forbids_programs(b))
                return error_setf(b->reterr, EINVAL, "linux.seccomp: forbids execve(2), so that no program could be started");
        if (b->filter_time == FILTER_BEFORE_CAPABILITIES || notifies(b)) /* the agent has no answer yet */
                call = forbidden_inside(b);
        if (call)
                return error_setf(b->reterr, EOPNOTSUPP, "linux.seccomp: does not let pass %s(2), without which nobody gets "
                                  "into a pid namespace that exists (with process.noNewPrivileges, and nobody to be asked, the "
                                  "filter could come after that)", call->name);
        return 0;
}

static InitSeccomp *add_filter(InitBuild *b) {
        InitSeccomp *s = init_add_seccomp(b->plan, "linux.seccomp");

        s->filter = (InitBlob){ b->seccomp, b->seccomp_size };
        if (b->spec->linux_.seccomp)
                s->flags = seccomp_flags(b->spec->linux_.seccomp);
        return s;
}

/* They are programs of the container. Ours is the filter too late for them. */
void build_filter_of_hooks(InitBuild *b) {
        if (b->seccomp && b->filter_time == FILTER_LAST)
                add_filter(b)->of_hooks = true;
}

void build_filter(InitBuild *b, FilterTime now) {
        const SpecSeccomp *seccomp = b->spec->linux_.seccomp;
        InitSeccomp *s;

        if (!b->seccomp || !b->process || now != b->filter_time)
                return;
        s = add_filter(b);
        if (!seccomp || !seccomp_notifies(seccomp))
                return;
        s->listener = true;
        s->listener_path = seccomp->listener_path;
        s->metadata = seccomp->listener_metadata;
}
