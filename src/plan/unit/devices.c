/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/*
 * Device rules are an ordered list: for each device and each kind of access the last rule that covers it
 * decides, and in the beginning everything is denied. systemd takes a set of what is allowed. So the list is
 * played through, and what it amounts to is handed over. What a set cannot say (a hole in what is allowed,
 * "any major, this minor") is rounded up there, and the list itself goes into the plan for a filter of our own, which
 * is asked as well.
 */

#define ANY INT64_C(-1)
/* The list is compared with itself, and becomes a program that the kernel has to accept. */
#define RULES_MAX 1000

/* Each rule that denies can make a hole in each that allows. With so many the list is for a filter of ours anyway. */
#define HOLES_MAX 65536

typedef struct Pattern {
        char type;              /* 'c' or 'b' */
        int64_t major, minor;   /* or ANY */
} Pattern;

typedef struct Entry {
        Pattern pattern;
        unsigned access;        /* allowed */
        size_t rule;            /* index of the rule that came first, for messages */
} Entry;

/* Part of an entry that a later rule has denied. */
typedef struct Hole {
        size_t entry;
        Pattern pattern;
        unsigned access;
        size_t rule;
} Hole;

#define NONE SIZE_MAX

typedef struct Emulator {
        Entry *entries;
        size_t n_entries;
        Hole *holes;
        size_t n_holes;
        bool too_many;          /* holes, to remember them all */
        DeviceRule *rules;      /* the list, with the defaults at its end */
        size_t n_rules;
} Emulator;

#define RULE_DEFAULT SIZE_MAX

static void emulator_done(Emulator *e) {
        free(e->entries);
        free(e->holes);
        free(e->rules);
}

static bool number_covers(int64_t a, int64_t b) {
        return a == ANY || a == b;
}

static bool covers(const Pattern *a, const Pattern *b) {
        return a->type == b->type && number_covers(a->major, b->major) && number_covers(a->minor, b->minor);
}

static bool number_meets(int64_t a, int64_t b) {
        return a == ANY || b == ANY || a == b;
}

static bool meets(const Pattern *a, const Pattern *b) {
        return a->type == b->type && number_meets(a->major, b->major) && number_meets(a->minor, b->minor);
}

/* Of two that meet. */
static Pattern intersection(const Pattern *a, const Pattern *b) {
        return (Pattern){ a->type, a->major == ANY ? b->major : a->major,
                          a->minor == ANY ? b->minor : a->minor };
}

static void allow(Emulator *e, Pattern pattern, unsigned access, size_t rule) {
        for (size_t i = 0; i < e->n_holes; i++)
                if (covers(&pattern, &e->holes[i].pattern))
                        e->holes[i].access &= ~access;
        for (size_t i = 0; i < e->n_entries; i++)
                if (covers(&pattern, &e->entries[i].pattern) && covers(&e->entries[i].pattern, &pattern)) {
                        e->entries[i].access |= access;
                        return;
                }
        GREW(e->entries, e->n_entries);
        e->entries[e->n_entries++] = (Entry){ pattern, access, rule };
}

static void deny(Emulator *e, Pattern pattern, unsigned access, size_t rule) {
        for (size_t i = 0; i < e->n_entries; i++) {
                Entry *entry = e->entries + i;

                if (covers(&pattern, &entry->pattern))
                        entry->access &= ~access;
                else if (meets(&pattern, &entry->pattern) && (entry->access & access) != 0) {
                        e->too_many = e->n_holes == HOLES_MAX;
                        if (e->too_many)
                                continue;
                        GREW(e->holes, e->n_holes);
                        e->holes[e->n_holes++] =
                                (Hole){ i, intersection(&pattern, &entry->pattern), access, rule };
                }
        }
}

static unsigned parse_access(const char *s) {
        return (strchr(s, 'r') ? DEVICE_READ : 0U) | (strchr(s, 'w') ? DEVICE_WRITE : 0U) |
               (strchr(s, 'm') ? DEVICE_MKNOD : 0U);
}

static void apply(Emulator *e, bool allowed, Pattern pattern, unsigned access, size_t rule) {
        if (allowed)
                allow(e, pattern, access, rule);
        else
                deny(e, pattern, access, rule);
        GREW(e->rules, e->n_rules);
        e->rules[e->n_rules++] = (DeviceRule){ allowed, pattern.type, pattern.major, pattern.minor, access };
}

/* Type "a" is both kinds of device; runc then looks at neither numbers nor access, we (and crun) do. */
static void apply_rule(Emulator *e, const SpecDeviceRule *rule, size_t index) {
        for (const char *type = "cb"; *type; type++) {
                Pattern pattern = { *type, rule->major.set ? rule->major.v : ANY,
                                    rule->minor.set ? rule->minor.v : ANY };

                if (rule->type == 'a' || rule->type == *type)
                        apply(e, rule->allow, pattern, parse_access(rule->access), index);
        }
}

/* Another device of the same path in linux.devices takes the place of a default. */
static bool is_other_device(const char *path, const Pattern *p, const SpecDevice *d) {
        return streq_null(path, d->path) && (d->type != 'c' || d->major != p->major || d->minor != p->minor);
}

/*
 * What every container may use whatever the list says, as with the other runtimes: any node may be made, the
 * devices that the specification puts into each container, its terminals, and (for the sake of long habit)
 * tun. Not 5:1, the host's console: the container's /dev/console is a pty.
 */
static void allow_defaults(Emulator *e, const SpecDevice *devices, size_t n_devices) {
        static const struct {
                const char *path;
                Pattern pattern;
                unsigned access;
        } defaults[] = {
                { NULL, { 'c', ANY, ANY }, DEVICE_MKNOD },
                { NULL, { 'b', ANY, ANY }, DEVICE_MKNOD },
                { "/dev/null", { 'c', 1, 3 }, DEVICE_ALL },
                { "/dev/zero", { 'c', 1, 5 }, DEVICE_ALL },
                { "/dev/full", { 'c', 1, 7 }, DEVICE_ALL },
                { "/dev/random", { 'c', 1, 8 }, DEVICE_ALL },
                { "/dev/urandom", { 'c', 1, 9 }, DEVICE_ALL },
                { "/dev/tty", { 'c', 5, 0 }, DEVICE_ALL },
                { NULL, { 'c', 5, 2 }, DEVICE_ALL },    /* ptmx */
                { NULL, { 'c', 136, ANY }, DEVICE_ALL },/* pts */
                { NULL, { 'c', 10, 200 }, DEVICE_ALL }, /* net/tun */
        };

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                bool replaced = false;

                for (size_t k = 0; k < n_devices && !replaced; k++)
                        replaced = is_other_device(defaults[i].path, &defaults[i].pattern, devices + k);
                if (!replaced)
                        apply(e, true, defaults[i].pattern, defaults[i].access, RULE_DEFAULT);
        }
}

/* Wider entries say it already for narrower ones: union of what covers the entry, others only. */
static unsigned access_from_wider(const Emulator *e, size_t index) {
        unsigned access = 0;

        for (size_t i = 0; i < e->n_entries; i++)
                if (i != index && covers(&e->entries[i].pattern, &e->entries[index].pattern))
                        access |= e->entries[i].access;
        return access;
}

/* The first rule that a set of allowed devices cannot say, or NONE. */
static size_t find_inexpressible(const Emulator *e) {
        size_t found = e->too_many ? e->holes[0].rule : NONE;

        for (size_t i = 0; i < e->n_holes; i++)
                if ((e->holes[i].access & e->entries[e->holes[i].entry].access) != 0)
                        found = MIN(found, e->holes[i].rule);
        for (size_t i = 0; i < e->n_entries; i++) {
                const Entry *entry = e->entries + i;

                if (entry->pattern.major == ANY && entry->pattern.minor != ANY &&
                    (entry->access & ~access_from_wider(e, i)) != 0)
                        found = MIN(found, entry->rule);
        }
        return found;
}

/* The smallest set that allows no less: the holes are in it, and a minor number of any device brings in all of them. */
static void round_up(Emulator *e) {
        size_t n = e->n_entries;

        for (size_t i = 0; i < n; i++) {
                Entry entry = e->entries[i];

                if (entry.pattern.major != ANY || entry.pattern.minor == ANY)
                        continue;
                entry.pattern.minor = ANY;
                allow(e, entry.pattern, entry.access, entry.rule);
        }
}

static bool allows_all(const Emulator *e) {
        bool c = false, b = false;

        for (size_t i = 0; i < e->n_entries; i++) {
                const Pattern *p = &e->entries[i].pattern;
                bool all = p->major == ANY && p->minor == ANY && e->entries[i].access == DEVICE_ALL;

                c |= all && p->type == 'c';
                b |= all && p->type == 'b';
        }
        return c && b;
}

static void add_entry(UnitPlan *plan, UnitProp *prop, const Pattern *p, unsigned access) {
        const char *type = p->type == 'c' ? "char" : "block";
        const char *name;

        if (p->major == ANY)
                name = arena_printf(&plan->arena, "%s-*", type);
        else if (p->minor == ANY)
                name = arena_printf(&plan->arena, "%s-%" PRIi64, type, p->major);
        else
                name = arena_printf(&plan->arena, "/dev/%s/%" PRIi64 ":%" PRIi64, type, p->major, p->minor);
        unit_prop_add_pair(plan, prop, name,
                           arena_printf(&plan->arena, "%s%s%s", access & DEVICE_READ ? "r" : "",
                                        access & DEVICE_WRITE ? "w" : "", access & DEVICE_MKNOD ? "m" : ""));
}

/*
 * systemd's filter wants one entry that allows all of what an open() asks for, so an entry says what wider
 * ones allow, too. DeviceAllow comes before DevicePolicy: the other way round the unit would ask for a
 * daemon-reload.
 */
static void add_properties(UnitPlan *plan, const Emulator *e, bool update) {
        bool all = allows_all(e);
        UnitProp *prop;

        if (update)
                unit_plan_add(plan, "DeviceAllow", UNIT_PAIRS); /* empty: forgets the old ones */
        if (!all) {
                prop = unit_plan_add(plan, "DeviceAllow", UNIT_PAIRS);
                for (size_t i = 0; i < e->n_entries; i++) {
                        unsigned wider = access_from_wider(e, i);

                        if ((e->entries[i].access & ~wider) != 0)
                                add_entry(plan, prop, &e->entries[i].pattern, e->entries[i].access | wider);
                }
        }
        unit_plan_add_string(plan, "DevicePolicy", all ? "auto" : "strict");
}

/* Without what comes before a rule that decides about everything of a kind. */
static void keep_rules(UnitPlan *plan, const Emulator *e) {
        plan->rules = arena_calloc(&plan->arena, e->n_rules, sizeof(DeviceRule));
        for (size_t i = 0; i < e->n_rules; i++) {
                const DeviceRule *r = e->rules + i;

                if (r->major == ANY && r->minor == ANY && r->access == DEVICE_ALL) {
                        size_t kept = 0;

                        for (size_t k = 0; k < plan->n_rules; k++)
                                if (plan->rules[k].type != r->type)
                                        plan->rules[kept++] = plan->rules[k];
                        plan->n_rules = kept;
                }
                plan->rules[plan->n_rules++] = *r;
        }
}

int unit_add_devices(UnitPlan *plan, const SpecResources *r, const SpecDevice *devices, size_t n_devices,
                     bool update, Error *reterr) {
        _cleanup_(emulator_done) Emulator e = {};
        size_t rule;

        if (r && r->n_devices > RULES_MAX)
                return error_setf(reterr, EOPNOTSUPP, "linux.resources.devices: more than %d rules", RULES_MAX);
        for (size_t i = 0; r && i < r->n_devices; i++)
                apply_rule(&e, r->devices + i, i);
        allow_defaults(&e, devices, n_devices);
        rule = find_inexpressible(&e);
        if (rule != NONE || (home_is_cgroup(plan->home) && !allows_all(&e))) {
                keep_rules(plan, &e);
                plan->rules_path = rule == NONE ? "linux.resources.devices"
                                                : arena_printf(&plan->arena, "linux.resources.devices[%zu]", rule);
                round_up(&e);
        }
        add_properties(plan, &e, update);
        plan->sets_devices = true;
        return 0;
}
