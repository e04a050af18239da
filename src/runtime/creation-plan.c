/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Before anything exists: the bundle is read and checked, and the plans are made. */
#include <errno.h>
#include <inttypes.h>
#include <sys/random.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/log.h"
#include "host/cgroup.h"
#include "plan/init/build.h"
#include "runtime/bundle.h"
#include "runtime/creation.h"
#include "runtime/own-service.h"
#include "runtime/preserve.h"
#include "steps/notify.h"
#include "steps/peer.h"

static int parse_config(Creation *c, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        int r = spec_parse(c->config, c->config_size, &c->spec, reterr);

        if (r < 0)
                return error_prefixf(reterr, "%s", bundle_config_name(c->options, &a));
        log_debug("%s: read, %zu bytes", bundle_config_name(c->options, &a), c->config_size);
        return 0;
}

static int check_console(const Creation *c, Error *reterr) {
        bool terminal = c->spec->process && c->spec->process->terminal;
        bool foreground = c->start_now && !c->options->detach;

        if (terminal && !foreground && !c->options->console_socket)
                return error_setf(reterr, EINVAL, "process.terminal: a detached container with a terminal needs "
                                  "--console-socket; false here is one without a terminal");
        if (!terminal && c->options->console_socket)
                return error_setf(reterr, EINVAL, "--console-socket: process.terminal is false");
        return 0;
}

int creation_check_no_limits(const Spec *spec, const HostFacts *facts, Error *reterr) {
        _cleanup_(unit_plan_done) UnitPlan plan = {};
        HostFacts without = *facts;
        const char *path = NULL;
        int r;

        if (!spec->linux_.resources)
                return 0;
        without.rootless = true; /* no device rules */
        r = unit_plan_build_update(spec->linux_.resources, &without, NULL, &plan, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < plan.n_props && !path; i++)
                path = unit_prop_file(&plan.props[i]) ? plan.props[i].path : NULL;
        if (!path && plan.n_writes > 0)
                path = plan.writes[0].path;
        return path ? error_setf(reterr, EOPNOTSUPP, "%s: there are no limits without a cgroup "
                                 "(--cgroup-manager=disabled)", path) : 0;
}

/* Whoever knows the name can make that keyring before us, or join it with the same uid: nobody must be able to guess it. */
static int name_keyring(Creation *c, Error *reterr) {
        uint64_t random[2];

        if (c->options->no_new_keyring)
                return 0;
        if (getrandom(random, sizeof(random), 0) != sizeof(random))
                return error_errnof(reterr, errno, "cannot make a name for the container's session keyring");
        c->keyring = arena_printf(&c->spec->arena, "_ses.%s.%016" PRIx64 "%016" PRIx64, c->options->id, random[0],
                                  random[1]);
        return 0;
}

/* For systemd to call us; the descriptors and the sockets of who calls us now will not be there then. */
static int supervise(const Creation *c, Supervision *ret, Error *reterr) {
        const CreateOptions *o = c->options;

        if (!o->supervise)
                return 0;
        if (o->console_socket || o->pidfd_socket || o->preserve_fds > 0)
                return error_setf(reterr, EINVAL,
                                  "--supervise: what systemd starts has no descriptors or sockets of yours "
                                  "(--console-socket, --pidfd-socket, --preserve-fds)");
        if (c->spec->process && c->spec->process->terminal)
                return error_setf(reterr, EINVAL,
                                  "process.terminal: nobody is at the other end when systemd starts it");
        if (c->rt->facts.cgroup_disabled)
                return error_setf(reterr, EINVAL, "--supervise: a service has a cgroup (--cgroup-manager=disabled)");
        *ret = (Supervision){ .program = o->program, .root = c->rt->root, .restart = o->restart,
                              .stop_timeout = o->stop_timeout, .properties = o->properties };
        if (o->service) {
                ret->unit = cgroup_unit_name(o->service);
                ret->cgroup = o->service;
        }
        return ret->program ? 0
                            : error_setf(reterr, EOPNOTSUPP, "--supervise: there is no program for systemd to call");
}

static int make_plans(Creation *c, Error *reterr) {
        const Caller *caller = &c->rt->caller;
        _cleanup_free_ char *ends_with = own_service_to_end_with(c);
        Request request = {
                .id = c->options->id,
                .bundle = c->bundle,
                .ends_with = ends_with,
                .start_now = c->start_now,
                .no_pivot = c->options->no_pivot,
                .keyring = c->keyring,
                .listen_fds = caller->listen_fds,
                .listen_fd_names = caller->listen_fd_names,
                .stdio = streams_look(caller),
                .launcher_stays = c->start_now && !c->options->detach,
                .environment = caller->environment,
                .notifies = !c->options->supervise && notify_is_wanted(caller, c->spec->process),
                .seccomp = c->filter.bpf,
                .seccomp_size = c->filter.size,
                .seccomp_unknown = c->filter.unknown,
        };
        int r;

        r = supervise(c, &request.supervision, reterr);
        if (r == 0)
                r = own_service_gift(c, &request.gift, reterr);
        if (r == 0)
                r = preserve_fds(caller, c->options->preserve_fds, &c->preserve_fds, reterr);
        if (r < 0)
                return r;
        request.preserve_fds = c->preserve_fds;
        r = c->rt->facts.cgroup_disabled ? creation_check_no_limits(c->spec, &c->rt->facts, reterr)
                                         : unit_plan_build(c->spec, &request, &c->rt->facts, &c->unit, reterr);
        if (home_is_cgroup(c->unit.home))
                c->manager = manager_close(c->manager);
        if (r == 0)
                r = init_plan_build(c->spec, &request, &c->rt->facts, &c->init, reterr);
        if (r == 0)
                log_info("container %s: planned: %zu unit properties, %zu cgroup files, %zu steps", c->options->id,
                         c->unit.n_props, c->unit.n_writes, c->init.n_steps);
        log_warnings(r == 0 ? &c->init.warnings : &c->spec->warnings); /* a word that is misspelt explains what is missing */
        return r;
}

static int plan_rdt(Creation *c, Error *reterr) {
        int r;

        rdt_plan_build(c->spec, c->options->id, &c->rdt);
        if (!c->rdt.group)
                return 0;
        r = c->steps.resctrl = resctrl_open(reterr);
        return r < 0 ? r : MIN(resctrl_check(c->steps.resctrl, &c->rdt, reterr), 0);
}

/* Another name for --pidfd-socket is crun's annotation. */
static int connect_pidfd_socket(Creation *c, Error *reterr) {
        const char *path = c->options->pidfd_socket;
        int r = path ? 0 : spec_annotation_path(c->spec, "run.oci.pidfd_receiver", &path, reterr);

        if (r < 0 || !path)
                return r;
        return c->pidfd_socket = peer_connect(path, reterr);
}

/* Before systemd hears of us: its greeting is work for it that who is refused does not wait for. A user's systemd starts
 * no scope as long as such callers queue up. */
static int check_id(const Creation *c, Error *reterr) {
        _cleanup_store_ Store store = { .fd = -EBADF };
        int r = store_open(c->rt->root, &c->rt->caller, false, &store, reterr);

        return r < 0 ? r : container_check_new(&store, c->options->id, reterr);
}

/* From a configuration that was read. */
static int plan_all(Creation *c, Error *reterr) {
        int r = filter_get(&c->store, c->spec->linux_.seccomp, &c->filter, reterr);
        if (r >= 0)
                r = name_keyring(c, reterr);
        if (r >= 0)
                r = make_plans(c, reterr);
        if (r >= 0)
                r = plan_rdt(c, reterr);
        return r;
}

int creation_plan(Creation *c, Error *reterr) {
        int r;

        r = check_id(c, reterr);
        if (r == 0 && !c->rt->facts.cgroup_disabled)
                r = cgroup_require_mount(reterr);
        if (r == 0)
                r = bundle_read(c->options, &c->bundle, &c->config, &c->config_size, reterr);
        if (r < 0)
                return r;
        /* The bus's greeting takes as long as reading the configuration: both at once. */
        if (!c->rt->facts.cgroup_disabled)
                r = manager_open(&c->rt->caller, c->rt->facts.rootless, &c->manager, reterr);
        if (r >= 0)
                r = parse_config(c, reterr);
        if (r >= 0)
                r = check_console(c, reterr);
        if (r >= 0)
                r = store_open(c->rt->root, &c->rt->caller, true, &c->store, reterr);
        if (r >= 0)
                r = plan_all(c, reterr);
        if (r >= 0 && c->options->console_socket)
                r = c->console_socket = peer_connect(c->options->console_socket, reterr);
        if (r >= 0)
                r = connect_pidfd_socket(c, reterr);
        return r < 0 ? r : 0;
}

int creation_plan_again(Creation *c, Error *reterr) {
        int r = store_open(c->rt->root, &c->rt->caller, false, &c->store, reterr);
        Spec *config;

        if (r >= 0)
                r = container_read_config(&c->container, &config, reterr);
        if (r < 0)
                return r;
        c->spec = TAKE_PTR(c->container.config);
        c->bundle = xstrdup(c->container.record.bundle);
        return MIN(plan_all(c, reterr), 0);
}
