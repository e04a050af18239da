/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/preview.h"

#include <errno.h>

#include "basic/fd.h"
#include "host/resctrl.h"
#include "oci/container-id.h"
#include "plan/init/build.h"
#include "runtime/bundle.h"
#include "runtime/creation.h"

void preview_done(Preview *p) {
        init_plan_done(&p->init);
        unit_plan_done(&p->unit);
        filter_done(&p->filter);
        p->spec = spec_free(p->spec);
        free(p->config);
        free(p->bundle);
        arena_done(&p->arena);
}

int preview_read(const Runtime *rt, const CreateOptions *options, Preview *ret, Error *reterr) {
        const char *name;
        int r;

        *ret = (Preview){ .rt = rt, .options = options };
        r = bundle_read(options, &ret->bundle, &ret->config, &ret->config_size, reterr);
        if (r < 0)
                return r;
        name = strrchr(ret->bundle, '/') + 1;
        ret->id = options->id ?: (container_id_is_valid(name) ? name : "container");
        return container_check_new(&(Store){ .fd = -EBADF }, ret->id, reterr);
}

/* Not from a cache, and not into one. */
int preview_filter(Preview *p, Error *reterr) {
        int r = filter_get(&(Store){ .fd = -EBADF }, p->spec->linux_.seccomp, &p->filter, reterr);

        p->request = (Request){ .id = p->id, .bundle = p->bundle, .seccomp = p->filter.bpf, .seccomp_size = p->filter.size,
                                .seccomp_unknown = p->filter.unknown };
        p->request.no_pivot = p->options->no_pivot;
        if (!p->options->no_new_keyring)
                p->request.keyring = arena_printf(&p->arena, "_ses.%s.RANDOM", p->id);
        return r;
}

int preview_unit(Preview *p, Error *reterr) {
        return p->rt->facts.cgroup_disabled ? creation_check_no_limits(p->spec, &p->rt->facts, reterr)
                                            : unit_plan_build(p->spec, &p->request, &p->rt->facts, &p->unit, reterr);
}

int preview_init(Preview *p, Error *reterr) {
        return init_plan_build(p->spec, &p->request, &p->rt->facts, &p->init, reterr);
}

int preview_rdt(Preview *p, Error *reterr) {
        _cleanup_close_ int resctrl = -EBADF;

        rdt_plan_build(p->spec, p->id, &p->rdt);
        if (!p->rdt.group)
                return 0;
        resctrl = resctrl_open(reterr);
        return resctrl < 0 ? resctrl : MIN(resctrl_check(resctrl, &p->rdt, reterr), 0);
}

void preview_launch(const Preview *p, Text *ret) {
        const LaunchCreation what = {
                .spec = p->spec,
                .id = p->id,
                .unit = &p->unit,
                .init = &p->init,
                .rdt = &p->rdt,
                .sends_terminal = p->options->console_socket,
                .sends_pidfd = p->options->pidfd_socket,
                .pid_file = p->options->pid_file,
        };
        _cleanup_launch_plan_ LaunchPlan plan = {};

        launch_plan_create(&what, &plan);
        launch_plan_print(&plan, ret);
}
