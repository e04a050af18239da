/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/habits.h"

#include <stddef.h>

#include "basic/str.h"

typedef struct Habit {
        const char *word;      /* NULL: the end */
        const char *answer;
} Habit;

static const Habit verbs_elsewhere[] = {
        { "rm", "remove" }, { "destroy", "delete" }, { "ls", "list" }, { "top", "ps" },
        { "freeze", "pause" }, { "unpause", "resume" }, { "thaw", "resume" }, { "unfreeze", "resume" },
        { "show", "inspect" }, { "stats", "events" }, { "terminate", "stop" },
        { "halt", "stop" }, { "signal", "kill" }, { "shell", "exec" }, { "enter", "exec" }, { "attach", "exec" },
        { "log", "logs" }, { "journal", "logs" }, { "set-property", "update" }, { "info", "features" }, { "init", "spec" }, {}
};

#define IMAGES "there are no images here, but bundles (see ocirt-sd(1)); engines such as Podman make them of images"
#define NO_CHECKPOINT "not supported: a container cannot be saved and restored"
static const Habit advices[] = {
        { "reload", "restart stops a container and starts it again; kill ID HUP is a signal to it" },
        { "cat", "systemctl cat ocirt-sd-ID.scope shows its unit" },
        { "version", "that is ocirt-sd --version" },
        { "enable", "systemctl enable ocirt-sd@ID.service makes it start with the system" },
        { "disable", "systemctl disable ocirt-sd@ID.service keeps it from starting with the system" },
        { "checkpoint", NO_CHECKPOINT }, { "restore", NO_CHECKPOINT },
        { "images", IMAGES }, { "pull", IMAGES }, { "push", IMAGES }, { "build", IMAGES }, { "search", IMAGES }, {}
};

static const char *find(const Habit *table, const char *word) {
        for (; table->word; table++)
                if (streq(table->word, word))
                        return table->answer;
        return NULL;
}

const char *habit_verb(const char *word) {
        return find(verbs_elsewhere, word);
}

const char *habit_advice(const char *word) {
        return find(advices, word);
}
