/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "cli/caller.h"
#include "cli/verb.h"

typedef struct Target {
        ExecOptions o;
        bool no_new_privs, ignored;
} Target;

#define FIELD(field) .offset = offsetof(Target, o.field)
static const Option options[] = {
        { .name = "tty", .letter = 't', FIELD(tty), .type = OPTION_FLAG, .help = "Give it a terminal" },
        { .name = "user", .letter = 'u', FIELD(user), .type = OPTION_STRING, .argument = "UID[:GID]", .help = "User (default: the container's)" },
        { .name = "env", .letter = 'e', FIELD(env), .type = OPTION_LIST, .argument = "NAME=VALUE", .help = "Add to its environment" },
        { .name = "cwd", FIELD(cwd), .type = OPTION_STRING, .argument = "DIR", .help = "Working directory (as process.cwd)" },
        { .name = "cap", .letter = 'c', FIELD(caps), .type = OPTION_LIST, .argument = "CAPABILITY", .help = "Add a capability" },
        { .name = "additional-gids", .letter = 'g', FIELD(additional_gids), .type = OPTION_LIST, .argument = "GID", .help = "Add a group" },
        { .name = "process", .letter = 'p', FIELD(process_file), .type = OPTION_STRING, .argument = "FILE", .help = "process.json in place of a command" },
        { .name = "detach", .letter = 'd', FIELD(detach), .type = OPTION_FLAG, .help = "Do not wait for it to end" },
        { .name = "name", FIELD(name), .type = OPTION_STRING, .argument = "SESSION", .help = "Its name, for wait, kill and delete" },
        { .name = "pid-file", FIELD(pid_file), .type = OPTION_STRING, .argument = "FILE", .help = "Write its pid there" },
        { .name = "console-socket", FIELD(console_socket), .type = OPTION_STRING, .argument = "SOCKET", .help = "Send the terminal's master there" },
        { .name = "pidfd-socket", FIELD(pidfd_socket), .type = OPTION_STRING, .argument = "SOCKET", .help = "Send a pidfd of it there" },
        { .name = "process-label", FIELD(process_label), .type = OPTION_STRING, .argument = "LABEL", .help = "Its SELinux label" },
        { .name = "apparmor", FIELD(apparmor), .type = OPTION_STRING, .argument = "PROFILE", .help = "Its AppArmor profile" },
        { .name = "no-new-privs", .offset = offsetof(Target, no_new_privs), .type = OPTION_FLAG, .help = "No setuid, no file capabilities" },
        { .name = "preserve-fds", FIELD(preserve_fds), .type = OPTION_U32, .argument = "N", .help = "Pass on N descriptors from 3 on" },
        { .name = "cgroup", FIELD(cgroup), .type = OPTION_STRING, .argument = "PATH", .help = "In the container's own" },
        { .name = "ignore-paused", FIELD(ignore_paused), .type = OPTION_FLAG, .help = "Also in a paused container" },
        /* As Podman's and Docker's: it always is. */
        { .name = "interactive", .letter = 'i', .offset = offsetof(Target, ignored), .type = OPTION_FLAG },
        OPTION_ELSEWHERE("workdir", 'w', "that is --cwd here"),
        OPTION_END,
};

/* Who gave an option knows of no path in config.json. */
static void name_option(const ExecOptions *o, Error *e) {
        const struct {
                bool given;
                const char *path, *option;
        } rows[] = {
                { o->cwd, "process.cwd", "--cwd" },
                { o->additional_gids, "process.user.additionalGids", "--additional-gids" },
                { o->user, "process.user", "--user" },
                { o->caps, "process.capabilities", "--cap" },
                { o->apparmor, "process.apparmorProfile", "--apparmor" },
                { o->process_label, "process.selinuxLabel", "--process-label" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].given)
                        error_renamef(e, rows[i].path, "%s", rows[i].option);
}

static int exec(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_free_ char *session = NULL;
        Target *t = target;
        int status, r;

        t->o.id = words[0];
        t->o.args = words + 1;
        t->o.no_new_privs = t->o.no_new_privs_set = t->no_new_privs;
        t->o.program = t->o.detach ? caller_program() : NULL;
        r = runtime_exec(rt, &t->o, &status, &session, reterr);
        if (r < 0)
                name_option(&t->o, reterr);
        else if (session)
                puts(session);
        return r < 0 ? r : status;
}

const Verb verb_exec = {
        .name = "exec", .arguments = "ID [COMMAND [ARGUMENT...]]", .summary = "Run a command in a container",
        .example = "exec --tty web sh",
        .options = options, .options_size = sizeof(Target), .order = OPTIONS_FIRST,
        .min_words = 1, .max_words = UINT32_MAX, .failure_status = 255, .run = exec,
};
