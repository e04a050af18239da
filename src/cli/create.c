/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/caller.h"
#include "cli/create-options.h"

#include <errno.h>

static const Option options[] = { CREATE_OPTION_ROWS, CREATE_OPTION_NO_SUBREAPER, CREATE_OPTIONS_ELSEWHERE, OPTION_END };

#define STOP_TIMEOUT_USEC UINT64_C(10000000)

/* systemd.service(5), Restart= */
static int check_supervision(CreateOptions *o, Error *reterr) {
        static const char *const words[] = { "no",          "on-success", "on-failure", "on-abnormal",
                                             "on-watchdog", "on-abort",   "always" };
        bool known = !o->restart;

        if (!o->supervise && (o->restart || o->stop_timeout))
                return error_setf(reterr, EINVAL, "--%s: is for what systemd watches over (--supervise)",
                                  o->restart ? "restart" : "stop-timeout");
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                known = known || streq(words[i], o->restart);
        o->stop_timeout = o->stop_timeout ?: STOP_TIMEOUT_USEC;
        o->program = o->supervise ? caller_program() : NULL;
        return known ? 0
                     : error_setf(reterr, EINVAL,
                                  "--restart: expected no, on-success, on-failure, on-abnormal, "
                                  "on-watchdog, on-abort or always, got \"%s\"",
                                  o->restart);
}

int create_take_id(CreateOptions *o, char **words, Error *reterr) {
        o->id = words[0];
        if (!strpbrk(o->id, "/:"))
                return check_supervision(o, reterr);
        return error_setf(reterr, EINVAL, "invalid container id \"%s\": it names the container to make, and what runs is a "
                          "bundle (--bundle), not an image; images are for engines: podman --runtime ocirt-sd run IMAGE",
                          o->id);
}

static int create(const Runtime *rt, void *target, char **words, Error *reterr) {
        CreateOptions *o = target;
        int r = create_take_id(o, words, reterr);

        return r < 0 ? r : runtime_create(rt, o, reterr);
}

const Verb verb_create = {
        .name = "create", .arguments = "ID", .summary = "Make a container that waits for start",
        .example = "create --bundle web web",
        .options = options, .options_size = sizeof(CreateOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .surplus = COMMAND_IS_IN_CONFIG, .run = create,
};
