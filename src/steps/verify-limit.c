/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <unistd.h>

#include "basic/file.h"
#include "steps/limits.h"
#include "steps/steps.h"

#define BLOCK_PATH "/dev/block/"

/* A line about the device in one of the files? */
static bool knows_device(int cgroup, const char *file, const char *device) {
        _cleanup_free_ char *text = NULL;
        size_t n = strlen(device);

        if (read_file_at(cgroup, file, LIMITS_FILE_MAX_BYTES, &text, NULL) < 0)
                return false;
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (strncmp(line, device, n) == 0 && line[n] == ' ')
                        return true;
        return false;
}

/* Asked after it was named to Linux, which has loaded the driver then. */
static bool has_device(const char *device) {
        _cleanup_free_ char *path = xasprintf("/sys/dev/block/%s", device);

        return access(path, F_OK) == 0;
}

static int verify_devices(const UnitProp *p, int cgroup, Error *reterr) {
        const char *file = unit_prop_file(p);

        for (size_t i = 0; i < p->v.weights.n; i++) {
                const char *device = startswith(p->v.weights.items[i].path, BLOCK_PATH);

                if (p->v.weights.items[i].value == UINT64_MAX || knows_device(cgroup, file, device) ||
                    (streq(file, "io.weight") && knows_device(cgroup, "io.bfq.weight", device)))
                        continue;
                return has_device(device)
                               ? error_setf(reterr, EOPNOTSUPP, "%s: Linux does not take it for device %s (%s)",
                                            p->path, device, file)
                               : error_setf(reterr, EINVAL, "%s: there is no block device %s", p->path, device);
        }
        return 0;
}

static int verify_set(const UnitProp *p, int cgroup, Error *reterr) {
        _cleanup_free_ char *found = NULL;
        _cleanup_text_ Text wanted = {};

        unit_prop_print_mask(p, &wanted);
        text_add(&wanted, "\n");
        if (read_file_at(cgroup, unit_prop_file(p), LIMITS_FILE_MAX_BYTES, &found, NULL) == 0 && streq(found, wanted.s))
                return 0;
        return error_setf(reterr, EOPNOTSUPP, "%s: Linux does not take %.*s here", p->path, (int) wanted.n - 1,
                          wanted.s);
}

/* A drop-in goes before what we asked for, and what was set since for a service before what it was made with. */
static bool is_said_otherwise(StepContext *c, const UnitProp *p) {
        const UnitRef unit = { .name = c->container->record.unit };
        Manager *m;

        return step_manager(c, &m, NULL) == 0 && manager_has_property(m, unit, p, NULL) == 0;
}

static int run(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const UnitProp *p = step->verify_limit.property;
        _cleanup_error_ Error error = {};
        StepContext *c = context;
        int r = (p->type == UNIT_BYTES ? verify_set : verify_devices)(p, c->cgroup, &error);

        return r == 0 || is_said_otherwise(c, p) ? 0 : error_move(reterr, &error);
}

const StepKind step_verify_limit = { .run = run };

static int verify_partition(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const CgroupWrite *w = step->verify_partition.limit;
        const StepContext *c = context;
        _cleanup_free_ char *text = NULL;

        if (read_file_at(c->cgroup, w->file, LIMITS_FILE_MAX_BYTES, &text, NULL) < 0 || !strstr(text, "invalid"))
                return 0;
        text[strcspn(text, "\n")] = '\0';
        return error_setf(reterr, EOPNOTSUPP, "%s: Linux makes \"%s\" of it", w->path, text);
}

const StepKind step_verify_partition = { .run = verify_partition };
