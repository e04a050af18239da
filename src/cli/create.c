/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/caller.h"
#include "cli/create-options.h"

#include <errno.h>

static const Option options[] = { CREATE_OPTION_ROWS, CREATE_OPTION_NO_SUBREAPER, CREATE_OPTIONS_ELSEWHERE, OPTION_END };

static int check_supervision(CreateOptions *o, Error *reterr) {
        const char *name = o->restart        ? "restart"
                           : o->stop_timeout ? "stop-timeout"
                           : o->properties   ? "property"
                                             : NULL;

        if (!o->supervise && name)
                return error_setf(reterr, EINVAL, "--%s: is for what systemd watches over (--supervise)", name);
        o->program = o->supervise ? caller_program() : NULL;
        return 0;
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
