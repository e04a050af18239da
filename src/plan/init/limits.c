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
                add_for(b, INIT_OOM_SCORE_ADJ, "process.oomScoreAdj")->num[0] =
                        (uint64_t) (int64_t) b->process->oom_score_adj.v;
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
                InitStep *step;

                if (!build_has_userns(b) && limit_time(b, limit) == LIMIT_EARLY)
                        continue;
                step = add(b, INIT_RAISE_RLIMIT);
                step->num[0] = (uint64_t) limit->resource;
                step->num[1] = limit->hard;
        }
}

/* Policies and priorities, which ask for capabilities that INIT_CAPABILITIES takes away. After a fork, which some policies
 * forbid and others do not survive, they are the launcher's, too. */
static bool launcher_schedules(const InitBuild *b) {
        return b->facts->privileged && (build_has_userns(b) || build_goes_inside(b));
}

static void add_scheduling(InitBuild *b) {
        const SpecProcess *p = b->process;
        InitStep *step;

        if (p->scheduler) {
                build_enter_cgroup(b); /* a deadline is granted within the cgroup's CPUs */
                step = add_for(b, INIT_SCHEDULER, "process.scheduler");
                step->num[0] = p->scheduler->policy;
                step->num[1] = (uint64_t) (int64_t) p->scheduler->nice;
                step->num[2] = (uint64_t) (int64_t) p->scheduler->priority;
                step->num[3] = p->scheduler->flags;
                step->num[4] = p->scheduler->runtime;
                step->num[5] = p->scheduler->deadline;
                step->num[6] = p->scheduler->period;
        }
        if (p->io_priority.set)
                add_for(b, INIT_IO_PRIORITY, "process.ioPriority")->num[0] = (uint32_t) p->io_priority.v;
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
        InitStep *step;

        if (!policy)
                return;
        build_enter_cgroup(b); /* the nodes are taken within the cgroup's */
        step = add_for(b, INIT_MEMORY_POLICY, "linux.memoryPolicy");
        step->num[0] = policy_value(modes, policy->mode);
        for (size_t i = 0; policy->flags[i]; i++)
                step->num[0] |= policy_value(flags, policy->flags[i]);
        step->str[0] = policy->nodes;
}

static void add_personality(InitBuild *b) {
        const char *personality = b->spec->linux_.personality;

        if (personality)
                add_for(b, INIT_PERSONALITY, "linux.personality")->num[0] =
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
                InitStep *step;

                if (limit_time(b, limit) != now)
                        continue;
                step = add_for(b, INIT_RLIMIT, arena_printf(b->arena, "process.rlimits[%zu]", i));
                step->num[0] = (uint64_t) limit->resource;
                step->num[1] = limit->soft;
                step->num[2] = limit->hard;
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
