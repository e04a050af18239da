/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ids.h"
#include "cli/verb.h"

typedef struct DeleteOptions {
        const char *session;
        bool force, regex;
} DeleteOptions;

static const Option options[] = {
        { .name = "force", .letter = 'f', .offset = offsetof(DeleteOptions, force), .type = OPTION_FLAG,
          .help = "Whatever its state, even if there is none" },
        { .name = "session", .offset = offsetof(DeleteOptions, session), .type = OPTION_STRING, .argument = "SESSION",
          .help = "What exec --detach has started there" },
        { .name = "regex", .letter = 'r', .offset = offsetof(DeleteOptions, regex), .type = OPTION_FLAG,
          .help = "ID is an extended regular expression" },
        OPTION_ELSEWHERE("all", 'a', "all containers are meant by --regex ."),
        OPTION_END,
};

static int delete_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        const DeleteOptions *o = target;

        if (o->session)
                return runtime_delete_session(rt, id, o->session, o->force, reterr);
        return runtime_delete(rt, id, o->force, reterr);
}

static int delete(const Runtime *rt, void *target, char **words, Error *reterr) {
        const DeleteOptions *o = target;

        return on_each(rt, words, o->regex, delete_one, target, reterr);
}

const Verb verb_delete = {
        .name = "delete", .arguments = "ID...", .summary = "Remove a container that is stopped",
        .example = "delete web",
        .options = options, .options_size = sizeof(DeleteOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = delete,
};
