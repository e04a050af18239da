/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Before anything exists: the bundle is read and checked, and the plans are made. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "plan/init-build.h"
#include "runtime/activation.h"
#include "runtime/console.h"
#include "runtime/creation.h"
#include "runtime/notify.h"

#define CONFIG_MAX_BYTES (64UL * 1024 * 1024)

/* A bundle may come from anybody: opening a FIFO would wait for whoever writes. */
static int read_bundle_config(Creation *c, int bundle) {
        _cleanup_close_ int fd = openat(bundle, "config.json", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
        return read_file_fd(fd, CONFIG_MAX_BYTES, &c->config, &c->config_size);
}

static int read_config(Creation *c, Error *reterr) {
        const char *file = c->options->config;
        _cleanup_close_ int bundle = -EBADF;
        int r;

        c->bundle = realpath(c->options->bundle, NULL);
        bundle = c->bundle ? open(c->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (bundle < 0)
                return error_errnof(reterr, errno, "cannot open the bundle %s", c->options->bundle);
        r = file ? read_file_at(AT_FDCWD, file, CONFIG_MAX_BYTES, &c->config, &c->config_size)
                 : read_bundle_config(c, bundle);
        return r < 0 ? error_errnof(reterr, r, "cannot read %s in the bundle %s", file ?: "config.json", c->bundle) : 0;
}

/* As the user gave it. */
static int parse_config(Creation *c, Error *reterr) {
        const char *bundle = c->options->bundle, *file = c->options->config;
        int r = spec_parse(c->config, c->config_size, &c->spec, reterr);

        if (r == 0)
                return 0;
        if (file || streq(bundle, "."))
                return error_prefixf(reterr, "%s", file ?: "config.json");
        return error_prefixf(reterr, "%s%sconfig.json", bundle, endswith(bundle, "/") ? "" : "/");
}

static int check_console(const Creation *c, Error *reterr) {
        bool terminal = c->spec->process && c->spec->process->terminal;
        bool foreground = c->start_now && !c->options->detach;

        if (terminal && !foreground && !c->options->console_socket)
                return error_setf(reterr, EINVAL, "process.terminal: a detached container with a terminal needs "
                                  "--console-socket");
        if (!terminal && c->options->console_socket)
                return error_setf(reterr, EINVAL, "--console-socket: process.terminal is false");
        return 0;
}

/* Without a cgroup there are no limits; device rules aside, which every engine writes. */
static int check_no_limits(const Creation *c, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        HostFacts facts = c->rt->facts;
        const char *path = NULL;
        int r;

        if (!c->spec->linux_.resources)
                return 0;
        facts.rootless = true; /* no device rules */
        r = unit_plan_build_update(c->spec->linux_.resources, &facts, NULL, &plan, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan.n_props && !path; i++)
                path = unit_prop_file(&plan.props[i]) ? plan.props[i].path : NULL;
        if (!path && plan.n_writes > 0)
                path = plan.writes[0].path;
        return path ? error_setf(reterr, EOPNOTSUPP, "%s: there are no limits without a cgroup "
                                 "(--cgroup-manager=disabled)", path) : 0;
}

void log_warnings(const InitPlan *plan) {
        for (size_t i = 0; i < plan->warnings.n; i++)
                log_message(LOG_WARNING, "%s", plan->warnings.s[i]);
}

static int make_plans(Creation *c, Error *reterr) {
        Activation activation = activation_find();
        Request request = {
                .id = c->options->id,
                .bundle = c->bundle,
                .start_now = c->start_now,
                .no_pivot = c->options->no_pivot,
                .no_new_keyring = c->options->no_new_keyring,
                .listen_fds = activation.n,
                .listen_fd_names = activation.names,
                .environment = (const char *const *) environ,
                .seccomp = c->filter.bpf,
                .seccomp_size = c->filter.size,
        };
        int r;

        c->notifies = notify_is_wanted(c->spec->process);
        if (c->notifies)
                request.notify = arena_printf(&c->spec->arena, "%s/%s/" CONTAINER_NOTIFY, c->rt->root, request.id);
        /* Podman passes the same descriptors both ways; they are counted once. */
        c->preserve_fds = MAX(c->options->preserve_fds, request.listen_fds);
        request.preserve_fds = c->preserve_fds;
        r = c->manager ? unit_plan_build(c->spec, &request, &c->rt->facts, &c->unit, reterr) : check_no_limits(c, reterr);
        if (c->unit.cgroup)
                c->manager = manager_close(c->manager);
        if (r == 0)
                r = init_plan_build(c->spec, &request, &c->rt->facts, &c->init, reterr);
        if (r == 0)
                log_warnings(&c->init);
        return r;
}

static int plan_rdt(Creation *c, Error *reterr) {
        int r;

        rdt_plan_build(c->spec, c->options->id, &c->rdt);
        if (!c->rdt.group)
                return 0;
        r = c->resctrl = resctrl_open(reterr);
        return r < 0 ? r : MIN(resctrl_check(c->resctrl, &c->rdt, reterr), 0);
}

/* Another name for --pidfd-socket is crun's annotation. */
static int connect_pidfd_socket(Creation *c, Error *reterr) {
        const char *path = c->options->pidfd_socket;
        int r = path ? 0 : spec_annotation_path(c->spec, "run.oci.pidfd_receiver", &path, reterr);

        if (r < 0 || !path)
                return r;
        return c->pidfd_socket = console_connect(path, reterr);
}

/* Before systemd hears of us: its greeting is work for it that who is refused does not wait for. A user's systemd starts
 * no scope as long as such callers queue up. */
static int check_id(const Creation *c, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        int r = store_open(c->rt->root, false, &store, reterr);

        return r < 0 ? r : container_check_new(&store, c->options->id, reterr);
}

int creation_plan(Creation *c, Error *reterr) {
        int r;

        r = check_id(c, reterr);
        if (r == 0 && !c->rt->facts.cgroup_disabled)
                r = cgroup_require_mount(reterr);
        if (r == 0)
                r = read_config(c, reterr);
        if (r < 0)
                return r;
        /* The bus's greeting takes as long as reading the configuration: both at once. */
        if (!c->rt->facts.cgroup_disabled)
                r = manager_open(c->rt->facts.rootless, &c->manager, reterr);
        if (r >= 0)
                r = parse_config(c, reterr);
        if (r >= 0)
                r = check_console(c, reterr);
        if (r >= 0)
                r = store_open(c->rt->root, true, &c->store, reterr);
        if (r >= 0)
                r = filter_get(&c->store, c->spec->linux_.seccomp, &c->filter, reterr);
        if (r >= 0)
                r = make_plans(c, reterr);
        if (r >= 0)
                r = plan_rdt(c, reterr);
        if (r >= 0 && c->options->console_socket)
                r = c->console_socket = console_connect(c->options->console_socket, reterr);
        if (r >= 0)
                r = connect_pidfd_socket(c, reterr);
        return r < 0 ? r : 0;
}
