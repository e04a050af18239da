/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <sched.h>

#include "basic/file.h"
#include "plan/init/internal.h"

/* What the parts ask about the whole. */

int build_slot(InitBuild *b, InitSlot *ret) {
        if (b->n_slots == INIT_SLOTS)
                return error_setf(b->reterr, EINVAL, "more than %u bind mounts, devices and namespaces to open",
                                  INIT_SLOTS);
        *ret = ++b->n_slots;
        return 0;
}

bool build_has_userns(const InitBuild *b) {
        return (b->new_namespaces | b->joined_namespaces) & CLONE_NEWUSER;
}

bool build_has_gate(const InitBuild *b) {
        return b->request && !b->request->start_now;
}

bool build_goes_inside(const InitBuild *b) {
        return b->joined_namespaces & CLONE_NEWPID;
}

bool build_hands_over(const InitBuild *b) {
        return (b->joined_namespaces & CLONE_NEWNS) && b->tree == TREE_COPY;
}

/* The directories above the rootfs need not let root of the user namespace through. In a mount namespace of others, who say
 * what is at a path, it goes itself. */
bool build_enters_rootfs(const InitBuild *b) {
        return build_has_userns(b) && b->facts->privileged && b->tree != TREE_COPY && !(b->joined_namespaces & CLONE_NEWNS);
}

bool build_keeps_groups(const InitBuild *b) {
        const char *keep = spec_annotation(b->spec, "run.oci.keep_original_groups");

        return keep && !streq(keep, "0");
}

bool build_has_mount_at(const InitBuild *b, const char *path) {
        for (size_t i = 0; i < b->n_mounts; i++)
                if (streq(b->mounts[i].target, path))
                        return true;
        return false;
}

bool build_has_device_near(const InitBuild *b, const char *path) {
        const SpecLinux *l = &b->spec->linux_;

        if (path_is_below(path, "/dev") || path_is_below("/dev", path))
                return true;
        for (size_t i = 0; i < l->n_devices; i++) {
                const char *device = path_normalize(b->arena, "/", l->devices[i].path);

                if (path_is_below(path, device) || path_is_below(device, path))
                        return true;
        }
        return false;
}

bool build_has_mount_hooks(const InitBuild *b) {
        return b->spec->hooks[HOOK_PRESTART].n > 0 || b->spec->hooks[HOOK_CREATE_RUNTIME].n > 0 ||
               b->spec->hooks[HOOK_CREATE_CONTAINER].n > 0;
}

void build_wait_for_cgroup(InitBuild *b) {
        if (!b->has_waited && !b->facts->cgroup_disabled)
                init_add_wait_cgroup(b->plan, NULL);
        b->has_waited = true;
}

void build_enter_cgroup(InitBuild *b) {
        if (b->in_cgroup)
                return;
        b->in_cgroup = true;
        build_wait_for_cgroup(b);
        if (b->new_namespaces & CLONE_NEWCGROUP)
                init_add_unshare(b->plan, NULL)->flags = CLONE_NEWCGROUP;
}
