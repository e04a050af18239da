/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/unit-view.h"

#include <errno.h>

#include "basic/str.h"
#include "host/manager-internal.h"
#include "host/unit-properties.h"

typedef enum LimitType {
        LIMIT_MAXIMUM,  /* of all that there is, "infinity" */
        LIMIT_SETTING,  /* without it something else holds, which is said elsewhere */
        LIMIT_CPUS,
} LimitType;

static const struct {
        const char *name;
        LimitType type;
} limits[] = {
        { "MemoryMax", LIMIT_MAXIMUM },       { "EffectiveMemoryMax", LIMIT_MAXIMUM }, /* systemd 256 */
        { "MemoryHigh", LIMIT_MAXIMUM },      { "MemoryLow", LIMIT_SETTING },
        { "MemorySwapMax", LIMIT_MAXIMUM },   { "TasksMax", LIMIT_MAXIMUM },
        { "EffectiveTasksMax", LIMIT_MAXIMUM }, { "CPUQuotaPerSecUSec", LIMIT_MAXIMUM },
        { "CPUWeight", LIMIT_SETTING },       { "AllowedCPUs", LIMIT_CPUS },
        { "AllowedMemoryNodes", LIMIT_CPUS }, { "IOWeight", LIMIT_SETTING },
};

static void read_number(Manager *m, UnitRef unit, LimitType type, Arena *a, UnitLimit *ret) {
        uint64_t value;

        if (manager_get_u64(m, unit, ret->name, &value, NULL) < 0 || (type == LIMIT_SETTING && value == UINT64_MAX))
                return;
        ret->is_number = value != UINT64_MAX;
        ret->number = value;
        ret->text = ret->is_number ? arena_printf(a, "%llu", (unsigned long long) value) : "infinity";
}

static const char *read_list(Manager *m, UnitRef unit, const char *property, Arena *a) {
        _cleanup_text_ Text text = {};

        return manager_get_mask(m, unit, property, &text, NULL) < 0 || text.n == 0 ? NULL : arena_strdup(a, text.s);
}

static void read_restarts(Manager *m, UnitRef unit, UnitView *ret) {
        _cleanup_message_ sd_bus_message *reply = NULL;

        ret->counts_restarts = endswith(unit.name, ".service") &&
                               manager_get_property(m, unit, "NRestarts", &reply, NULL) >= 0 &&
                               sd.bus_message_read(reply, "v", "u", &ret->restarts) >= 0;
}

static bool is_loaded(Manager *m, UnitRef unit, UnitView *ret, Arena *a) {
        const char *state = manager_get_text(m, unit, "LoadState", false, a);

        ret->active = state ? manager_get_text(m, unit, "ActiveState", false, a) : NULL;
        return ret->active && !streq(state, "not-found");
}

int unit_view_read(Manager *m, UnitRef unit, Arena *a, UnitView *ret, Error *reterr) {
        *ret = (UnitView){};
        if (!is_loaded(m, unit, ret, a))
                return 0;
        ret->is_there = true;
        ret->sub = manager_get_text(m, unit, "SubState", false, a);
        ret->result = manager_get_text(m, unit, "Result", true, a);
        read_restarts(m, unit, ret);
        ret->n_limits = ELEMENTSOF(limits);
        ret->limits = arena_calloc(a, ELEMENTSOF(limits), sizeof(UnitLimit));
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                UnitLimit *limit = &ret->limits[i];

                limit->name = limits[i].name;
                if (limits[i].type == LIMIT_CPUS)
                        limit->text = read_list(m, unit, limit->name, a);
                else
                        read_number(m, unit, limits[i].type, a, limit);
        }
        return 0;
}
