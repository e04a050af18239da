/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The cgroups that we make ourselves: below the scope, or in the caller's own unit instead of a scope. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "host/observe.h"
#include "steps/home.h"

/* Moves the process to a cgroup below this one, and hands it every controller that is here: they can be handed down once
 * no process is here any more. *ret: a descriptor of it. */
static int enter_below(const StepContext *c, int cgroup, const char *name, int *ret, Error *reterr) {
        _cleanup_free_ char *pid = xasprintf("%d", c->launch.pid);
        _cleanup_close_ int below = -EBADF;
        int r;

        if (mkdirat(cgroup, name, 0755) == 0 || errno == EEXIST)
                below = openat(cgroup, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = below < 0 ? -errno : write_kernel_file(below, "cgroup.procs", pid);
        if (r < 0)
                return error_errnof(reterr, r, "cannot move the container's process to cgroup %s below its own", name);
        r = cgroup_hand_down(cgroup);
        if (r < 0)
                return error_errnof(reterr, r, "cannot hand down the controllers to the container's cgroup");
        *ret = TAKE_FD(below);
        return 0;
}

/* An ordinary user can give what is his to others only from within a user namespace that has both. */
static int give_away(const StepContext *c, int cgroup, Error *reterr) {
        int r = c->unit->owner.set ? cgroup_delegate(cgroup, c->unit->owner.v) : 0;

        if (r == -EPERM && c->rt->facts.rootless) {
                log_message(LOG_WARNING, "the container's cgroup stays ours: it cannot be given to uid %u", c->unit->owner.v);
                return 0;
        }
        return r < 0 ? error_errnof(reterr, r, "cannot give the container's cgroup to uid %u", c->unit->owner.v) : 0;
}

static int enter(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const LaunchEnterHome *s = &step->enter_home;
        StepContext *c = context;
        _cleanup_free_ char *pid = xasprintf("%d", c->launch.pid);
        _cleanup_close_ int below = -EBADF;
        int r;

        r = s->moves ? write_kernel_file(c->cgroup, "cgroup.procs", pid) : 0;
        if (r < 0)
                return error_errnof(reterr, r, "cannot move the container's process to cgroup %s", c->unit->cgroup);
        if (s->subgroup)
                r = enter_below(c, c->cgroup, s->subgroup, &below, reterr);
        if (r == 0 && !c->unit->delegate)
                r = give_away(c, below >= 0 ? below : c->cgroup, reterr);
        return r < 0 ? r : launch_send(&c->launch, INIT_MSG_CGROUP, reterr);
}

const StepKind step_enter_home = { .run = enter };

static int delegate(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        _cleanup_close_ int cgroup = -EBADF, below = -EBADF;
        _cleanup_free_ char *path = NULL;
        int r;

        r = cgroup_of_pid(c->launch.pid, &path);
        if (r >= 0)
                r = cgroup = cgroup_open(path);
        if (r < 0)
                return error_errnof(reterr, r, "cannot open the container's cgroup");
        r = enter_below(c, cgroup, step->delegate.name, &below, reterr);
        return r < 0 ? r : give_away(c, below, reterr);
}

const StepKind step_delegate = { .run = delegate };

static int cannot(const StepContext *c, int r, const char *what, const char *path, Error *reterr) {
        return error_errnof(reterr, r, "%scannot %s %s", c->unit->home == HOME_CGROUP ? "linux.cgroupsPath: " : "",
                            what, path);
}

/*
 * For Podman's --cgroups=split, by which a service has its container within its own unit. systemd leaves what is below a
 * delegated unit to us, so that we write all limits ourselves. Which cgroup it is, is in the record before anything is in
 * it, so that delete knows it from one of somebody else.
 */
int cgroup_make(StepContext *c, int *ret, Error *reterr) {
        _cleanup_close_ int parent = -EBADF, cgroup = -EBADF;
        Record *record = &c->container->record;
        const char *name;
        int r;

        parent = cgroup_open_parent(c->unit->cgroup, &name);
        if (parent < 0)
                return cannot(c, parent, "open the cgroup above", c->unit->cgroup, reterr);
        cgroup_hand_down_to(c->unit->cgroup); /* a limit whose controller is not there is what fails */
        if (mkdirat(parent, name, 0755) < 0)
                return cannot(c, errno, "make cgroup", c->unit->cgroup, reterr);
        cgroup = cgroup_open(c->unit->cgroup);
        r = cgroup < 0 ? cgroup : cgroup_id(cgroup, &record->cgroup_id);
        if (r < 0)
                (void) cannot(c, r, "open cgroup", c->unit->cgroup, reterr);
        else
                r = container_save(c->container, reterr);
        if (r < 0)
                (void) unlinkat(parent, name, AT_REMOVEDIR);
        else
                *ret = TAKE_FD(cgroup);
        return r;
}

/* In the service that has called us. */
static int step_to(const char *path, Error *reterr) {
        _cleanup_close_ int cgroup = cgroup_open(path);
        int r = cgroup < 0 ? cgroup : write_kernel_file(cgroup, "cgroup.procs", "0");

        return r < 0 ? error_errnof(reterr, r, "cannot go to cgroup %s", path) : 0;
}

static int step_aside(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        const char *path = step->step_aside.path, *name;
        _cleanup_close_ int service = cgroup_open_parent(path, &name);

        if (service < 0 || (mkdirat(service, name, 0755) < 0 && errno != EEXIST))
                return error_errnof(reterr, service < 0 ? service : errno, "cannot make cgroup %s", path);
        container_note_invocation(c->container);
        return step_to(path, reterr);
}

const StepKind step_step_aside = { .run = step_aside };

/* A container that has made cgroups of its own by now has no place for us; systemd removes ours in the end. */
static int step_back(void *context, const LaunchStep *step, void **kept, Error *reterr) {
        const StepContext *c = context;
        const char *path = step->step_back.path, *name;
        _cleanup_close_ int service = cgroup_open_parent(path, &name);

        if (step_to(c->unit->cgroup, NULL) == 0)
                (void) unlinkat(service, name, AT_REMOVEDIR);
        return 0;
}

const StepKind step_step_back = { .run = step_back };
