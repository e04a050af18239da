/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the process has at 0, 1 and 2, where that is not a terminal of its own. */
#include <linux/capability.h>
#include <sched.h>

#include "plan/init/internal.h"

#define BIT(cap) (UINT64_C(1) << (cap))
#define ALL 7U /* of 0, 1 and 2 */

/* What asks for privileges over the machine, which end where a user namespace begins. The launcher has them still. */
static bool is_left_to_launcher(const InitBuild *b) {
        return b->facts->privileged && build_has_userns(b);
}

/* The pipes of an engine are its own root's. */
static void add_owner(InitBuild *b) {
        b->plan->launcher_gives_stdio = is_left_to_launcher(b);
        if (!b->plan->launcher_gives_stdio)
                *init_add_stdio_owner(b->plan, NULL) = (InitStdioOwner){
                        .uid = b->process->uid, .gid = INIT_KEEP_ID, .in_userns = b->in_userns };
}

/* Of the process, and of who can look into it. */
static uint64_t capabilities_near(const InitBuild *b) {
        const SpecProcess *first = b->spec->process;

        return (b->process ? b->process->capabilities.bounding : 0) | (first ? first->capabilities.bounding : 0);
}

/* What we have inherited, of a kind that leads to the host. */
typedef struct Kind {
        uint8_t which;
        const char *way;    /* "standard output: WAY, as DANGER; give it OTHER" */
        const char *danger; /* who could go that way; NULL: nobody */
        const char *other;
} Kind;

/* It tells who is at its other end (SO_PEERPIDFD), and out of that process one can take descriptors, with CAP_SYS_PTRACE. With
 * CAP_PERFMON and CAP_SYS_NICE one sees which addresses that has, and has its memory paged out (process_madvise(2)). And it
 * belongs to the network namespace that it was made in, whose devices one can set up by it, with CAP_NET_ADMIN. */
static const char *danger_of_sockets(const InitBuild *b) {
        uint64_t capabilities = capabilities_near(b);

        if (capabilities & BIT(CAP_SYS_PTRACE))
                return "it may have CAP_SYS_PTRACE";
        if (capabilities & BIT(CAP_PERFMON) && capabilities & BIT(CAP_SYS_NICE))
                return "it may have CAP_PERFMON and CAP_SYS_NICE";
        if (capabilities & BIT(CAP_NET_ADMIN) && spec_namespace(b->spec, CLONE_NEWNET))
                return "it may have CAP_NET_ADMIN";
        return NULL;
}

/* With any descriptor of a file system every file of it is opened by its handle, which can be guessed. */
static const char *danger_of_files(const InitBuild *b) {
        return capabilities_near(b) & BIT(CAP_DAC_READ_SEARCH) ? "it may have CAP_DAC_READ_SEARCH" : NULL;
}

/* From within a user namespace that is new nobody could. */
static const char *find_danger(const InitBuild *b, const char *(*danger)(const InitBuild *b)) {
        const SpecNamespace *pid = spec_namespace(b->spec, CLONE_NEWPID), *user = spec_namespace(b->spec, CLONE_NEWUSER);

        if (pid && pid->path)
                return "others are in its pid namespace";
        return user && !user->path ? NULL : danger(b);
}

static void warn(InitBuild *b, const Kind *kind) {
        static const char *const names[] = { "input", "output", "error" };
        _cleanup_text_ Text text = {};

        for (unsigned fd = 0; fd < ELEMENTSOF(names); fd++)
                if (kind->which & 1U << fd)
                        text_addf(&text, "%s %s", text.n > 0 ? "," : "standard", names[fd]);
        strings_add(b->arena, &b->plan->warnings,
                    arena_printf(b->arena, "%s: %s, as %s; give it %s", text.s, kind->way, kind->danger, kind->other));
}

static void warn_of_kinds(InitBuild *b) {
        const Kind kinds[] = {
                { b->stdio.sockets, "a socket, by which the container can get at the host", find_danger(b, danger_of_sockets),
                  "a pipe" },
                { b->stdio.files, "a file, by which the container can open every other of its file system",
                  find_danger(b, danger_of_files), "a pipe" },
                { b->stdio.terminals, "a terminal, where the container can read what is typed later", "nobody stays between",
                  "/dev/null" },
        };

        for (size_t i = 0; i < ELEMENTSOF(kinds); i++)
                if (kinds[i].which && kinds[i].danger)
                        warn(b, &kinds[i]);
}

/* As long as we stay it has nothing of the caller's. Who could reach nothing by that may still be joined by somebody who can,
 * later; the other end of a pipe is opened by /proc/self/fd, and a terminal can be kept for long. */
static void add_pipes(InitBuild *b) {
        if (b->launcher_stays)
                b->plan->piped = (uint8_t) (ALL & ~b->stdio.nulls);
        else
                warn_of_kinds(b);
}

/* Of the container's first process others take them (pidfd_getfd(2)), who come to it with more capabilities. */
int build_check_stdio(const InitBuild *b) {
        const bool supervised = b->request && b->request->supervision.program;
        const char *danger = supervised || b->journal ? find_danger(b, danger_of_sockets) : NULL;

        if (!danger)
                return 0;
        if (b->journal)
                return error_setf(b->reterr, EOPNOTSUPP,
                                  "process.capabilities: by the journal's socket, which a supervised container has, "
                                  "the process can get at the host, as %s",
                                  danger);
        return error_setf(b->reterr, EOPNOTSUPP,
                          "--supervise: what it writes would go to the journal over a socket, by which the "
                          "container can get at the host, as %s",
                          danger);
}

/* The journal keeps what is written there for the user of the host who writes it. */
static void warn_of_reader(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        uint32_t uid;

        if (!b->facts->rootless || !b->process ||
            !spec_map_id(l->uid_mappings, l->n_uid_mappings, b->process->uid, &uid) || uid == b->facts->uid)
                return;
        strings_add(b->arena, &b->plan->warnings,
                    arena_printf(b->arena,
                                 "process.user.uid: %u is %u on the host, and what that uid writes to the journal is "
                                 "for group systemd-journal to read, and not for you",
                                 b->process->uid, uid));
}

void build_stdio(InitBuild *b) {
        if (b->process && b->process->terminal)
                return;
        add_pipes(b);
        if (b->request && b->request->supervision.program)
                warn_of_reader(b);
        if (b->process)
                add_owner(b);
}
