/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/capability.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* config-linux.md, "Default Devices". ptmx is a link into the container's own devpts, console needs a terminal. */
static const SpecDevice default_devices[] = {
        { 'c', "/dev/null", 1, 3 },
        { 'c', "/dev/zero", 1, 5 },
        { 'c', "/dev/full", 1, 7 },
        { 'c', "/dev/random", 1, 8 },
        { 'c', "/dev/urandom", 1, 9 },
        { 'c', "/dev/tty", 5, 0 },
};

static const SpecDevice null_device = { 'c', "", 1, 3 };
static const char masks_origin[] = "linux.maskedPaths";

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

static uint32_t mode_of(const SpecDevice *d) {
        return d->file_mode.set ? d->file_mode.v & 07777 : 0666;
}

/* Nobody makes device nodes in a user namespace. There those are bound that were made outside of it, or else the host's,
 * which are as they are on the host. */
static void add_bound(InitBuild *b, const SpecDevice *d, const char *path, InitSlot slot, const char *origin) {
        *init_add_device_bind(b->plan, origin) = (InitDeviceBind){
                .path = path,
                .slot = slot,
                .type = d->type,
                .major = (uint32_t) d->major,
                .minor = (uint32_t) d->minor,
        };
        if (!slot && (d->file_mode.set || d->uid.set || d->gid.set))
                strings_add(b->arena, &b->plan->warnings,
                            arena_printf(b->arena, "%s: in a user namespace it has the mode and the owner that it has on "
                                         "the host", origin));
}

static bool is_null(const SpecDevice *d) {
        return d->type == 'c' && d->major == 1 && d->minor == 3;
}

static void add_node(InitBuild *b, const SpecDevice *d, const char *path, const char *origin) {
        bool keep = !b->has_null && is_null(d);

        *init_add_device(b->plan, origin) = (InitDevice){
                .path = path,
                .type = d->type,
                .major = (uint32_t) d->major,
                .minor = (uint32_t) d->minor,
                .mode = mode_of(d),
                .uid = d->uid.set ? d->uid.v : 0,
                .gid = d->gid.set ? d->gid.v : 0,
                .set = (d->file_mode.set ? INIT_SET_MODE : 0) | (d->uid.set || d->gid.set ? INIT_SET_OWNER : 0),
                .keep = keep ? b->null : 0,
        };
        b->has_null = b->has_null || keep;
}

static bool is_bound(const InitBuild *b, const SpecDevice *d) {
        return b->in_userns && d->type != 'p' && b->tree != TREE_IN_PLACE; /* a FIFO is no device there */
}

/* origin: NULL for those that nobody asked for. */
static void add_device(InitBuild *b, const SpecDevice *d, InitSlot slot, const char *origin) {
        const char *path = normalized(b, d);

        if (!is_made(b, path))
                return;
        if (is_bound(b, d))
                add_bound(b, d, path, slot, origin);
        else
                add_node(b, d, path, origin);
}

static const char *device_origin(const InitBuild *b, size_t i) {
        return arena_printf(b->arena, "linux.devices[%zu]", i);
}

/* The host's ID of one in the container; 0 of one that it has not got, or that only a namespace which is joined knows. */
static uint32_t host_id(InitBuild *b, const SpecIdMap *maps, size_t n, const OptU32 *id, const char *origin, const char *name) {
        uint32_t found;

        if (spec_map_id(maps, n, id->set ? id->v : 0, &found))
                return found;
        if (id->set)
                strings_add(b->arena, &b->plan->warnings,
                            arena_printf(b->arena, "%s.%s: the user namespace has no such ID, as far as is known here", origin,
                                         name));
        return 0;
}

static InitOpenNode *add_open_node(InitBuild *b, const SpecDevice *d, InitSlot slot, const char *origin) {
        InitOpenNode *s = init_add_open_node(b->plan, origin);

        *s = (InitOpenNode){
                .slot = slot,
                .type = d->type,
                .major = (uint32_t) d->major,
                .minor = (uint32_t) d->minor,
                .mode = mode_of(d),
                .options = b->node_options,
        };
        return s;
}

static int open_node(InitBuild *b, const SpecDevice *d, InitSlot *ret, const char *origin) {
        const SpecLinux *l = &b->spec->linux_;
        InitOpenNode *s;
        int r;

        r = build_slot(b, ret);
        if (r < 0)
                return r;
        if (b->n_nodes++ == 0)
                b->first_node = *ret;
        s = add_open_node(b, d, *ret, origin);
        s->uid = host_id(b, l->uid_mappings, l->n_uid_mappings, &d->uid, origin, "uid");
        s->gid = host_id(b, l->gid_mappings, l->n_gid_mappings, &d->gid, origin, "gid");
        return 0;
}

/* Root of the machine's first user namespace makes nodes, if nothing keeps it from that. */
static bool may_make_nodes(const InitBuild *b) {
        return b->facts->privileged && !b->facts->own_userns && !(b->facts->lacked_capabilities & 1ULL << CAP_MKNOD);
}

static bool is_opened(const InitBuild *b, const SpecDevice *d) {
        return is_bound(b, d) && is_made(b, normalized(b, d));
}

/* By a handle of a node of the host's, who has CAP_DAC_READ_SEARCH opens what lies beside it. Nobody in a user namespace, but
 * a container without one may be in the same pid namespace, and have CAP_SYS_PTRACE: it gets to all that this one has. */
static int open_nodes(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(default_devices) && r >= 0; i++)
                if (!default_is_replaced(b, &default_devices[i]) && is_opened(b, &default_devices[i]))
                        r = open_node(b, &default_devices[i], &b->default_slots[i], NULL);
        for (size_t i = 0; i < l->n_devices && r >= 0; i++)
                if (is_opened(b, &l->devices[i]))
                        r = open_node(b, &l->devices[i], &b->device_slots[i], device_origin(b, i));
        if (r >= 0 && b->in_userns && l->masked_paths[0]) {
                r = open_node(b, &null_device, &b->null, masks_origin);
                b->has_null = true;
        }
        return r;
}

int build_open_devices(InitBuild *b) {
        b->device_slots = arena_calloc(b->arena, b->spec->linux_.n_devices, sizeof(*b->device_slots));
        b->default_slots = arena_calloc(b->arena, ELEMENTSOF(default_devices), sizeof(*b->default_slots));
        b->node_options = arena_calloc(b->arena, 3, sizeof(*b->node_options));
        b->node_options[0] = "mode=711"; /* who takes it away is root of the user namespace by then */
        b->node_options[1] = build_mount_label(b, "tmpfs");
        return may_make_nodes(b) ? open_nodes(b) : 0;
}

/* What files are masked with, when no device of the container's is it, and none was made before. */
static void add_null(InitBuild *b) {
        if (b->in_userns || !may_make_nodes(b)) {
                init_add_host_null(b->plan, masks_origin)->slot = b->null;
                return;
        }
        (void) add_open_node(b, &null_device, b->null, masks_origin);
        *init_add_clone_nodes(b->plan, masks_origin) = (InitCloneNodes){ .first = b->null, .number = 1 };
}

int build_devices(InitBuild *b) {
        const SpecLinux *l = &b->spec->linux_;
        int r = 0;

        if (l->masked_paths[0] && !b->null)
                r = build_slot(b, &b->null);
        if (r < 0)
                return r;
        if (b->n_nodes > 0)
                *init_add_clone_nodes(b->plan, l->n_devices > 0 ? "linux.devices" : NULL) = (InitCloneNodes){
                        .first = b->first_node,
                        .number = b->n_nodes,
                };
        for (size_t i = 0; i < ELEMENTSOF(default_devices); i++)
                if (!default_is_replaced(b, &default_devices[i]))
                        add_device(b, &default_devices[i], b->default_slots[i], NULL);
        for (size_t i = 0; i < l->n_devices; i++)
                add_device(b, &l->devices[i], b->device_slots[i], device_origin(b, i));
        if (b->null && !b->has_null)
                add_null(b);
        for (size_t i = 0; i < ELEMENTSOF(links) && !b->dev_is_bound; i++)
                *init_add_symlink(b->plan, NULL) = (InitSymlink){ .target = links[i].target, .path = links[i].path };
        return 0;
}

void build_console(InitBuild *b) {
        const SpecProcess *p = b->process;

        if (!p || !p->terminal)
                return;
        *init_add_console(b->plan, "process.terminal") = (InitConsole){
                .height = p->has_console_size ? p->console_height : 0,
                .width = p->has_console_size ? p->console_width : 0,
                .uid = p->uid,
                .gid = INIT_KEEP_ID, /* what devpts' gid option says */
                .bind = !b->exec && b->tree != TREE_IN_PLACE,
        };
        if (!build_goes_inside(b))
                init_add_control_terminal(b->plan, NULL);
}
