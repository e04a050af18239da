/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/mempolicy.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include "plan/init/internal.h"

/* What helper/limits.c sets: limits, priorities, and what memory and machine the process has. */

#define OWN_FILES 16U

#define MPOL_WEIGHTED_INTERLEAVE_NUMBER 6U /* since Linux 6.9 */

void build_oom_score_adj(InitBuild *b) {
        if (b->process && b->process->oom_score_adj.set)
                init_add_oom_score_adj(b->plan, "process.oomScoreAdj")->value = b->process->oom_score_adj.v;
}

/* The fork would meet that of processes. Fewer files than we need ourselves, for the gate, a listener, startContainer hooks,
 * are for right before the exec. */
static LimitTime limit_time(const InitBuild *b, const SpecRlimit *limit) {
        if (limit->resource == RLIMIT_NOFILE && limit->soft < 3 + (uint64_t) b->preserve_fds + OWN_FILES)
                return LIMIT_LAST;
        return limit->resource == RLIMIT_NPROC && build_goes_inside(b) ? LIMIT_AFTER_FORK : LIMIT_EARLY;
}

/* Raising a hard limit needs CAP_SYS_RESOURCE over the machine, which ends where a user namespace begins, and with the
 * capabilities. */
void build_raise_rlimits(InitBuild *b) {
        for (size_t i = 0; b->process && i < b->process->n_rlimits; i++) {
                const SpecRlimit *limit = &b->process->rlimits[i];

                if (build_has_userns(b) || limit_time(b, limit) != LIMIT_EARLY)
                        *init_add_raise_rlimit(b->plan, NULL) = (InitRaiseRlimit){
                                .resource = limit->resource,
                                .hard = limit->hard,
                        };
        }
}

/* Policies and priorities, which ask for capabilities that INIT_CAPABILITIES takes away. After a fork, which some policies
 * forbid and others do not survive, they are the launcher's, too. */
static bool launcher_schedules(const InitBuild *b) {
        return b->facts->privileged && (build_has_userns(b) || build_goes_inside(b));
}

static void add_scheduling(InitBuild *b) {
        const SpecProcess *p = b->process;

        if (p->scheduler) {
                build_enter_cgroup(b); /* a deadline is granted within the cgroup's CPUs */
                *init_add_scheduler(b->plan, "process.scheduler") = (InitScheduler){
                        .policy = p->scheduler->policy,
                        .nice = p->scheduler->nice,
                        .priority = p->scheduler->priority,
                        .flags = p->scheduler->flags,
                        .runtime = p->scheduler->runtime,
                        .deadline = p->scheduler->deadline,
                        .period = p->scheduler->period,
                };
        }
        if (p->io_priority.set)
                init_add_io_priority(b->plan, "process.ioPriority")->value = (uint32_t) p->io_priority.v;
}

typedef struct PolicyWord {
        const char *word;
        uint32_t value;
} PolicyWord;

static uint32_t policy_value(const PolicyWord *words, const char *word) {
        while (words->word && !streq(words->word, word))
                words++;
        return words->value;
}

static void add_memory_policy(InitBuild *b) {
        static const PolicyWord modes[] = {
                { "MPOL_PREFERRED", MPOL_PREFERRED }, { "MPOL_BIND", MPOL_BIND },
                { "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_LOCAL", MPOL_LOCAL },
                { "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
                { "MPOL_WEIGHTED_INTERLEAVE", MPOL_WEIGHTED_INTERLEAVE_NUMBER },
                { NULL, MPOL_DEFAULT },
        };
        static const PolicyWord flags[] = {
                { "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
                { "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
                { "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
                {},
        };
        const SpecMemoryPolicy *policy = b->spec->linux_.memory_policy;
        InitMemoryPolicy *s;

        if (!policy)
                return;
        build_enter_cgroup(b); /* the nodes are taken within the cgroup's */
        s = init_add_memory_policy(b->plan, "linux.memoryPolicy");
        *s = (InitMemoryPolicy){ .nodes = policy->nodes, .mode = policy_value(modes, policy->mode) };
        for (size_t i = 0; policy->flags[i]; i++)
                s->mode |= policy_value(flags, policy->flags[i]);
}

static void add_personality(InitBuild *b) {
        const char *personality = b->spec->linux_.personality;

        if (personality)
                init_add_personality(b->plan, "linux.personality")->persona =
                        streq(personality, "LINUX32") ? PER_LINUX32 : PER_LINUX;
}

void build_priorities(InitBuild *b) {
        const SpecProcess *p = b->process;

        if (launcher_schedules(b))
                b->plan->launcher_schedules = p->scheduler || p->io_priority.set;
        else if (!build_goes_inside(b))
                add_scheduling(b);
        add_personality(b);
        add_memory_policy(b);
}

void build_rlimits(InitBuild *b, LimitTime now) {
        for (size_t i = 0; b->process && i < b->process->n_rlimits; i++) {
                const SpecRlimit *limit = &b->process->rlimits[i];

                if (limit_time(b, limit) == now)
                        *init_add_rlimit(b->plan, arena_printf(b->arena, "process.rlimits[%zu]", i)) = (InitRlimit){
                                .resource = limit->resource,
                                .soft = limit->soft,
                                .hard = limit->hard,
                        };
        }
}

bool build_has_late_limits(const InitBuild *b) {
        const SpecProcess *p = b->process;

        for (size_t i = 0; i < p->n_rlimits; i++)
                if (limit_time(b, &p->rlimits[i]) != LIMIT_EARLY)
                        return true;
        return build_goes_inside(b) && !launcher_schedules(b) && (p->scheduler || p->io_priority.set);
}

void build_after_fork(InitBuild *b) {
        if (!b->process)
                return;
        if (!launcher_schedules(b))
                add_scheduling(b);
        build_rlimits(b, LIMIT_AFTER_FORK);
}
