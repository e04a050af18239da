/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/bundle.h"
#include "runtime/preview.h"

int runtime_plan(const Runtime *rt, const CreateOptions *options, Text *ret, Error *reterr) {
        _cleanup_preview_ Preview p = {};
        int r;

        r = preview_read(rt, options, &p, reterr);
        if (r < 0)
                return r;
        r = spec_parse(p.config, p.config_size, &p.spec, reterr);
        if (r < 0)
                return error_prefixf(reterr, "%s", bundle_config_name(options, &p.arena));
        r = preview_filter(&p, reterr);
        if (r == 0)
                r = preview_unit(&p, reterr);
        if (r == 0)
                r = preview_init(&p, reterr);
        if (r < 0)
                return r;
        rdt_plan_build(p.spec, p.id, &p.rdt);
        preview_launch(&p, ret);
        if (p.unit.home != HOME_NONE) {
                text_add(ret, "\n");
                unit_plan_explain(&p.unit, ret);
        }
        if (p.rdt.group) {
                text_add(ret, "\n");
                rdt_plan_print(&p.rdt, ret);
        }
        text_add(ret, "\n");
        init_plan_explain(&p.init, ret);
        return 0;
}
