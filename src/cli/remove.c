/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>

#include "cli/grace.h"
#include "cli/ids.h"
#include "cli/verb.h"

typedef struct RemoveOptions {
        bool force;
        const char *time;
        uint64_t grace;
} RemoveOptions;

static const Option options[] = {
        { .name = "force", .letter = 'f', .offset = offsetof(RemoveOptions, force), .type = OPTION_FLAG,
          .help = "Stop it first; no error if there is none" },
        { .name = "time", .letter = 't', .offset = offsetof(RemoveOptions, time), .type = OPTION_STRING,
          .argument = "TIME", .help = "Of that stop, until SIGKILL (default: 10s)" },
        OPTION_ELSEWHERE("volumes", 'v', "what is mounted is nobody's but the bundle's, and stays"),
        OPTION_ELSEWHERE("all", 'a', "all containers are meant by delete --regex ."),
        OPTION_END,
};

static int remove_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        const RemoveOptions *o = target;

        return runtime_remove(rt, id, o->force, o->grace, reterr);
}

static int remove_verb(const Runtime *rt, void *target, char **words, Error *reterr) {
        RemoveOptions *o = target;
        int r = grace_parse(o->time, &o->grace, reterr);

        return r < 0 ? r : on_each(rt, words, false, remove_one, o, reterr);
}

const Verb verb_remove = {
        .name = "remove", .arguments = "ID...", .summary = "Remove a container, and --force: stop it before",
        .example = "remove --force web",
        .options = options, .options_size = sizeof(RemoveOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = remove_verb,
};
