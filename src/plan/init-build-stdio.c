/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process has at 0, 1 and 2, where that is not a terminal of its own. */
#include <linux/capability.h>
#include <sched.h>

#include "plan/init-build-internal.h"

#define BIT(cap) (UINT64_C(1) << (cap))

/* What asks for privileges over the machine, which end where a user namespace begins. The launcher has them still. */
static bool is_left_to_launcher(const InitBuild *b) {
        return b->facts->privileged && build_has_userns(b);
}

/* The pipes of an engine are its own root's. */
static void add_owner(InitBuild *b) {
        InitStep *step;

        b->plan->launcher_gives_stdio = is_left_to_launcher(b);
        if (b->plan->launcher_gives_stdio)
                return;
        step = add(b, INIT_STDIO_OWNER);
        step->num[0] = b->process->uid;
        step->num[1] = INIT_KEEP_ID;
}

/* Of the process, and of who can look into it. */
static uint64_t capabilities_near(const InitBuild *b) {
        const SpecProcess *first = b->spec->process;

        return (b->process ? b->process->capabilities.bounding : 0) | (first ? first->capabilities.bounding : 0);
}

/*
 * A socket that we have inherited leads to the host. It tells who is at its other end (SO_PEERPIDFD), and out of that process
 * one can take descriptors, with CAP_SYS_PTRACE. And it belongs to the network namespace that it was made in, whose devices
 * one can set up by it, with CAP_NET_ADMIN. Neither works from within a user namespace that is new. Who may do so, or NULL.
 */
static const char *find_danger(const InitBuild *b) {
        const SpecNamespace *pid = spec_namespace(b->spec, CLONE_NEWPID), *user = spec_namespace(b->spec, CLONE_NEWUSER);
        uint64_t capabilities = capabilities_near(b);

        if (pid && pid->path)
                return "others are in its pid namespace";
        if (user && !user->path)
                return NULL;
        if (capabilities & BIT(CAP_SYS_PTRACE))
                return "it may have CAP_SYS_PTRACE";
        if (capabilities & BIT(CAP_NET_ADMIN) && spec_namespace(b->spec, CLONE_NEWNET))
                return "it may have CAP_NET_ADMIN";
        return NULL;
}

static void warn_of_sockets(InitBuild *b, const char *danger) {
        static const char *const names[] = { "input", "output", "error" };
        _cleanup_text_ Text text = {};

        for (unsigned fd = 0; fd < ELEMENTSOF(names); fd++)
                if (b->sockets & 1U << fd)
                        text_addf(&text, "%s %s", text.n > 0 ? "," : "standard", names[fd]);
        strings_add(b->arena, &b->plan->warnings, arena_printf(
                b->arena, "%s: a socket, by which the container can get at the host, as %s; give it a pipe or a file",
                text.s, danger));
}

static void check_sockets(InitBuild *b) {
        const char *danger = b->sockets ? find_danger(b) : NULL;

        if (danger && b->launcher_stays)
                b->plan->piped = b->sockets;
        else if (danger)
                warn_of_sockets(b, danger);
}

void build_stdio(InitBuild *b) {
        if (b->process && b->process->terminal)
                return;
        check_sockets(b);
        if (b->process)
                add_owner(b);
}
