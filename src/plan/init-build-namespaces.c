/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "plan/init-build-internal.h"

/* Before anything else, while the paths are the host's; the slots are in the order of the list. */
int build_open_namespaces(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                InitStep *step;
                uint64_t slot;
                int r;

                if (!l->namespaces[i].path)
                        continue;
                r = build_slot(b, &slot);
                if (r < 0)
                        return r;
                step = add(b, INIT_OPEN_NS);
                step->num[0] = slot;
                step->num[1] = (uint32_t) l->namespaces[i].type;
                step->str[0] = l->namespaces[i].path;
        }
        return 0;
}

/* A path may lead to the namespace that we are in ourselves, and what is set there would be set on the host. */
static const char *settings_of(const InitBuild *b, int type) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_sysctl; i++)
                if (spec_sysctl_namespace(l->sysctl[i].key) == type)
                        return "linux.sysctl";
        return NULL;
}

static void join(InitBuild *b, uint32_t types) {
        const SpecLinux *l = &b->spec->linux_;
        uint64_t slot = 0;

        for (size_t i = 0; i < l->n_namespaces; i++) {
                InitStep *step;

                if (!l->namespaces[i].path)
                        continue;
                if (types & (uint32_t) l->namespaces[i].type) {
                        step = add(b, INIT_JOIN);
                        step->num[0] = slot;
                        step->num[1] = (uint32_t) l->namespaces[i].type;
                        step->str[0] = settings_of(b, l->namespaces[i].type);
                }
                slot++;
        }
}

/*
 * Joining asks for privileges over the user namespace that owns the namespace, which the runtime may have of its
 * own (root) or only within the user namespace that is joined (rootless). So root joins the others before it
 * gives itself up, as they need not all belong to that user namespace; and who is not root joins that one first.
 */
static void join_all(InitBuild *b) {
        uint32_t others = ~(uint32_t) CLONE_NEWUSER;

        if (b->facts->privileged || !(b->joined_namespaces & CLONE_NEWUSER))
                join(b, others);
        if (b->joined_namespaces & CLONE_NEWUSER) {
                join(b, CLONE_NEWUSER);
                add(b, INIT_BECOME_ROOT);
                if (!b->facts->privileged)
                        join(b, others);
        }
}

static void add_time_offsets(InitBuild *b) {
        const SpecTimeOffset *boottime = &b->spec->linux_.boottime, *monotonic = &b->spec->linux_.monotonic;
        InitStep *step;

        if (!boottime->set && !monotonic->set)
                return;
        step = add(b, INIT_TIME_OFFSETS);
        step->num[0] = (uint64_t) boottime->secs;
        step->num[1] = boottime->nanosecs;
        step->num[2] = (uint64_t) monotonic->secs;
        step->num[3] = monotonic->nanosecs;
}

int init_plan_clone_flags(const Spec *spec) {
        const SpecNamespace *pid = spec_namespace(spec, CLONE_NEWPID);

        /* A pid namespace belongs to the user namespace it is made in; and who is the first in it cannot leave that
         * to a child, which a time namespace needs. */
        return pid && !pid->path && !spec_namespace(spec, CLONE_NEWUSER) && !spec_namespace(spec, CLONE_NEWTIME) ?
                       CLONE_NEWPID : 0;
}

/* The cgroup namespace is not among them: build_enter_cgroup(). What only a child enters comes last. */
void build_namespaces(InitBuild *b) {
        uint32_t unshared = b->new_namespaces & ~(uint32_t) (CLONE_NEWUSER | CLONE_NEWCGROUP);

        unshared &= ~(uint32_t) init_plan_clone_flags(b->spec);
        join_all(b);
        if (b->new_namespaces & CLONE_NEWUSER)
                add(b, INIT_USERNS);
        add(b, INIT_UNSHARE)->num[0] = unshared; /* a mount namespace is always among them */
        add_time_offsets(b);
        if ((unshared & (CLONE_NEWPID | CLONE_NEWTIME)) || (b->joined_namespaces & CLONE_NEWPID))
                add(b, INIT_FORK);
}

/* A session of its own, and what belongs to the new namespaces. Nothing here needs the mount tree. */
void build_session(InitBuild *b) {
        add(b, INIT_SETSID);
        if (!b->no_new_keyring)
                add(b, INIT_KEYRING)->str[0] = arena_printf(b->arena, "_ses.%s", b->id);
        if (b->exec)
                return;
        if (b->new_namespaces & CLONE_NEWNET)
                add(b, INIT_LOOPBACK);
        if (b->spec->linux_.n_net_devices > 0)
                add(b, INIT_NET_DEVICES);
        if (!isempty(b->spec->hostname))
                add(b, INIT_HOSTNAME)->str[0] = b->spec->hostname;
        if (!isempty(b->spec->domainname))
                add(b, INIT_DOMAINNAME)->str[0] = b->spec->domainname;
}

void build_enter_cgroup(InitBuild *b) {
        if (b->in_cgroup)
                return;
        b->in_cgroup = true;
        if (!b->facts->cgroup_disabled)
                add(b, INIT_WAIT_CGROUP);
        if (b->new_namespaces & CLONE_NEWCGROUP)
                add(b, INIT_UNSHARE)->num[0] = CLONE_NEWCGROUP;
}
