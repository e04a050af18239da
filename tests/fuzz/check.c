/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>

#include "fuzz.h"
#include "oci/json-text.h"
#include "plan/unit/internal.h"

/* What is demanded here is written after systemd's own checks and the kernel's, not after the code that is
 * tested. */

static bool is_utf8(const char *s) {
        _cleanup_text_ Text json = {};
        size_t names;

        text_add_json_string(&json, s);
        return json_text_check(json.s, json.n, &names, NULL) == 0;
}

char *input_string(const uint8_t *data, size_t size) {
        char *s = xmalloc0(size + 1);

        memcpy(s, data, size);
        if (is_utf8(s))
                return s;
        free(s);
        return NULL;
}

char *next_line(char **s) {
        return strsep(s, "\n");
}

void check_one_line(const char *s) {
        ASSERT(is_utf8(s));
        for (const char *p = s; *p; p++)
                if (iscntrl((unsigned char) *p))
                        FAIL_AT("a control character: \"%s\"", s);
}

void check_error(int r, const Error *e) {
        ASSERT(r < 0);
        ASSERT_EQ(e->code, -r);
        ASSERT(!isempty(e->message));
        check_one_line(e->message);
}

void check_printed(Text *printed, size_t n_lines) {
        char *rest = printed->s;
        size_t n = 0;

        if (n_lines == 0) {
                ASSERT_EQ(printed->n, 0);
                return;
        }
        ASSERT_EQ(strlen(printed->s), printed->n);
        ASSERT_EQ(printed->s[printed->n - 1], '\n');
        for (char *line = next_line(&rest); rest; line = next_line(&rest)) {
                ASSERT(line[0] != '\0');
                check_one_line(line);
                n++;
        }
        ASSERT_EQ(n, n_lines);
}

/* unit_name_is_valid() of systemd, for names that are no instances. */
static void check_unit_name(const char *name, const char *suffix) {
        static const char valid[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\";

        ASSERT(strlen(name) <= 255);
        ASSERT(endswith(name, suffix));
        ASSERT(strlen(name) > strlen(suffix));
        ASSERT(strspn(name, valid) == strlen(name));
        ASSERT(name[0] != '.');
}

void check_scope_name(const char *name) {
        check_unit_name(name, ".scope");
        ASSERT(!streq(name, "init.scope"));
        /* With a drop-in directory, "NAME.d", it is still a file name. */
        ASSERT(strlen(name) + strlen(".d") <= 255);
}

void check_slice_name(const char *name) {
        check_unit_name(name, ".slice");
        ASSERT(name[0] != '-');
        ASSERT(!strstr(name, "--"));
        ASSERT(!strstr(name, "-.slice"));
}

static void check_range(const UnitPlan *plan, const char *name, uint64_t min, uint64_t max,
                        bool or_infinity) {
        const UnitProp *p = unit_plan_find(plan, name);

        if (!p || (or_infinity && p->v.u64 == UINT64_MAX))
                return;
        if (p->v.u64 < min || p->v.u64 > max)
                FAIL_AT("%s is %llu", name, (unsigned long long) p->v.u64);
}

/* bus_cgroup_set_property() of systemd. */
static void check_ranges(const UnitPlan *plan) {
        check_range(plan, "CPUWeight", 0, 10000, false); /* 0 means idle */
        check_range(plan, "IOWeight", 1, 10000, false);
        check_range(plan, "CPUQuotaPerSecUSec", 1, UINT64_MAX, true);
        check_range(plan, "CPUQuotaPeriodUSec", 1000, 1000000, false);
        check_range(plan, "MemoryMax", 1, UINT64_MAX, true);
        check_range(plan, "MemoryHigh", 1, UINT64_MAX, true);
        check_range(plan, "TasksMax", 1, UINT64_MAX, true);
}

static void check_weights(const UnitProp *p) {
        bool weight = streq(p->name, "IODeviceWeight");

        for (size_t i = 0; i < p->v.weights.n; i++) {
                unsigned long long value = p->v.weights.items[i].value;

                ASSERT(startswith(p->v.weights.items[i].path, "/dev/block/"));
                if (value < 1 || (weight && value > 10000))
                        FAIL_AT("%s of %s is %llu", p->name, p->v.weights.items[i].path, value);
        }
}

static void check_device_allow(const UnitProp *p) {
        for (size_t i = 0; i < p->v.pairs.n; i++) {
                const UnitPair *pair = &p->v.pairs.items[i];

                ASSERT(pair->value[0] != '\0' && strspn(pair->value, "rwm") == strlen(pair->value));
                ASSERT(startswith(pair->name, "/dev/char/") || startswith(pair->name, "/dev/block/") ||
                       startswith(pair->name, "char-") || startswith(pair->name, "block-"));
        }
}

static void check_prop(const UnitPlan *plan, const UnitProp *p) {
        /* An empty DeviceAllow comes before the other: it forgets what was there. */
        if (unit_plan_find(plan, p->name) != p)
                ASSERT_STR(p->name, "DeviceAllow");
        switch (p->type) {
        case UNIT_STRING:
                check_one_line(p->v.s);
                break;
        case UNIT_STRV:
                for (size_t i = 0; i < p->v.strv.n; i++)
                        check_one_line(p->v.strv.items[i]);
                break;
        case UNIT_BYTES:
                ASSERT(p->v.bytes.n > 0 && p->v.bytes.n <= 1024);
                ASSERT(p->v.bytes.data[p->v.bytes.n - 1] != 0);
                break;
        case UNIT_PAIRS:
                check_device_allow(p);
                break;
        case UNIT_WEIGHTS:
                check_weights(p);
                break;
        default:
                break;
        }
}

static void check_write(const UnitPlan *plan, const CgroupWrite *w) {
        const char *dot = strchr(w->file, '.');

        ASSERT(dot && dot > w->file && dot[1] != '\0');
        ASSERT(!strchr(w->file, '/'));
        check_one_line(w->file);
        ASSERT(w->value[0] != '\0');
        ASSERT(!strchr(w->value, '\n'));
        ASSERT(w->path[0] != '\0');
        if (w->instead_of) {
                const UnitProp *p = unit_plan_find(plan, w->instead_of);

                ASSERT(p && p->optional);
        }
}

void check_unit_plan(const UnitPlan *plan, bool annotated) {
        _cleanup_text_ Text printed = {};
        const UnitProp *slice = unit_plan_find(plan, "Slice");

        if (plan->name) {
                check_scope_name(plan->name);
                check_slice_name(plan->slice);
                ASSERT_STR(slice->v.s, plan->slice);
        } else
                ASSERT(!slice);
        if (plan->cgroup)
                ASSERT(!plan->name && plan->n_props == 0);
        for (size_t i = 0; i < plan->n_props; i++)
                check_prop(plan, &plan->props[i]);
        for (size_t i = 0; i < plan->n_writes; i++)
                check_write(plan, &plan->writes[i]);
        if (!annotated)
                check_ranges(plan);
        unit_plan_print(plan, &printed);
        check_printed(&printed, (plan->name ? 1 : 0) + (plan->cgroup ? 1 : 0) + (plan->subgroup ? 1 : 0) +
                                (plan->delegate ? 1 : 0) + (plan->owner.set ? 1 : 0) +
                                plan->n_props + plan->n_writes + plan->n_rules);
}
