/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/file.h"
#include "plan/init-build-internal.h"

/* config-linux.md, "Default Devices". ptmx is a link into the container's own devpts, console needs a terminal. */
static const SpecDevice default_devices[] = {
        { 'c', "/dev/null", 1, 3 },
        { 'c', "/dev/zero", 1, 5 },
        { 'c', "/dev/full", 1, 7 },
        { 'c', "/dev/random", 1, 8 },
        { 'c', "/dev/urandom", 1, 9 },
        { 'c', "/dev/tty", 5, 0 },
};

static const struct {
        const char *target, *path;
} links[] = {
        { "/proc/self/fd", "/dev/fd" },
        { "/proc/self/fd/0", "/dev/stdin" },
        { "/proc/self/fd/1", "/dev/stdout" },
        { "/proc/self/fd/2", "/dev/stderr" },
        { "/proc/kcore", "/dev/core" },
        { "pts/ptmx", "/dev/ptmx" },
};

static const char *normalized(const InitBuild *b, const SpecDevice *d) {
        return path_normalize(b->arena, "/", d->path);
}

/* Is it made? In a /dev that is bound from elsewhere nothing is. */
static bool is_made(const InitBuild *b, const char *path) {
        return !streq(path, "/dev/ptmx") && !(b->dev_is_bound && path_is_below(path, "/dev"));
}

/* A listed device of the same path replaces a default one, and so does a mount over it. */
static bool default_is_replaced(const InitBuild *b, const SpecDevice *d) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < l->n_devices; i++)
                if (streq(normalized(b, &l->devices[i]), d->path))
                        return true;
        return build_has_mount_at(b, d->path);
}

/* Nobody makes device nodes in a user namespace, so there the host's are bound, and are as they are on the host. */
static void add_bound(InitBuild *b, const SpecDevice *d, const char *path, const char *origin) {
        InitStep *step = add_for(b, INIT_DEVICE_BIND, origin);

        step->str[0] = path;
        step->num[0] = (unsigned char) d->type;
        step->num[1] = (uint64_t) d->major;
        step->num[2] = (uint64_t) d->minor;
        if (d->file_mode.set || d->uid.set || d->gid.set)
                strings_add(b->arena, &b->plan->warnings,
                            arena_printf(b->arena, "%s: in a user namespace it has the mode and the owner that it has on "
                                         "the host", origin));
}

static void add_node(InitBuild *b, const SpecDevice *d, const char *path, const char *origin) {
        InitStep *step = add_for(b, INIT_DEVICE, origin);

        step->str[0] = path;
        step->num[0] = (unsigned char) d->type;
        step->num[1] = (uint64_t) d->major;
        step->num[2] = (uint64_t) d->minor;
        step->num[3] = d->file_mode.set ? d->file_mode.v & 07777 : 0666;
        step->num[4] = d->uid.set ? d->uid.v : 0;
        step->num[5] = d->gid.set ? d->gid.v : 0;
        step->num[6] = (d->file_mode.set ? INIT_SET_MODE : 0) | (d->uid.set || d->gid.set ? INIT_SET_OWNER : 0);
}

/* origin: NULL for those that nobody asked for. */
static void add_device(InitBuild *b, const SpecDevice *d, const char *origin) {
        const char *path = normalized(b, d);

        if (!is_made(b, path))
                return;
        if (b->in_userns && d->type != 'p' && b->tree != TREE_IN_PLACE) /* a FIFO is no device there */
                add_bound(b, d, path, origin);
        else
                add_node(b, d, path, origin);
}

void build_devices(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;

        for (size_t i = 0; i < ELEMENTSOF(default_devices); i++)
                if (!default_is_replaced(b, &default_devices[i]))
                        add_device(b, &default_devices[i], NULL);
        for (size_t i = 0; i < l->n_devices; i++)
                add_device(b, &l->devices[i], arena_printf(b->arena, "linux.devices[%zu]", i));
        for (size_t i = 0; i < ELEMENTSOF(links) && !b->dev_is_bound; i++) {
                InitStep *step = add(b, INIT_SYMLINK);

                step->str[0] = links[i].target;
                step->str[1] = links[i].path;
        }
}

bool build_has_device_near(const InitBuild *b, const char *path) {
        const SpecLinux *l = &b->spec->linux_;

        if (path_is_below(path, "/dev") || path_is_below("/dev", path))
                return true;
        for (size_t i = 0; i < l->n_devices; i++) {
                const char *device = normalized(b, &l->devices[i]);

                if (path_is_below(path, device) || path_is_below(device, path))
                        return true;
        }
        return false;
}

void build_console(InitBuild *b) {
        InitStep *step;

        if (!b->process || !b->process->terminal)
                return;
        step = add_for(b, INIT_CONSOLE, "process.terminal");
        if (b->process->has_console_size) {
                step->num[0] = b->process->console_height;
                step->num[1] = b->process->console_width;
        }
        step->num[2] = b->process->uid;
        step->num[3] = INIT_KEEP_ID; /* the group is what devpts' gid option says */
        step->num[4] = !b->exec && b->tree != TREE_IN_PLACE;
}
