/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>

#include "plan/unit-internal.h"

/*
 * Device rules are an ordered list: for each device and each kind of access the last rule that covers it
 * decides, and in the beginning everything is denied. systemd takes a set of what is allowed. So the list is
 * played through and what it amounts to is handed over; what a set cannot say (a hole in what is allowed,
 * "any major, this minor") is refused rather than rounded up or down.
 */

#define ANY INT64_C(-1)

/* Each rule that denies can make a hole in each that allows. */
#define HOLES_MAX 65536

enum { ACCESS_READ = 1, ACCESS_WRITE = 2, ACCESS_MKNOD = 4, ACCESS_ALL = 7 };

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

typedef struct Emulator {
        Entry *entries;
        size_t n_entries;
        Hole *holes;
        size_t n_holes;
        bool too_many;
} Emulator;

#define RULE_DEFAULT SIZE_MAX

static void emulator_done(Emulator *e) {
        free(e->entries);
        free(e->holes);
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
                                return;
                        GREW(e->holes, e->n_holes);
                        e->holes[e->n_holes++] =
                                (Hole){ i, intersection(&pattern, &entry->pattern), access, rule };
                }
        }
}

static unsigned parse_access(const char *s) {
        return (strchr(s, 'r') ? ACCESS_READ : 0U) | (strchr(s, 'w') ? ACCESS_WRITE : 0U) |
               (strchr(s, 'm') ? ACCESS_MKNOD : 0U);
}

/* Type "a" is both kinds of device; runc then looks at neither numbers nor access, we (and crun) do. */
static void apply_rule(Emulator *e, const SpecDeviceRule *rule, size_t index) {
        for (const char *type = "cb"; *type; type++) {
                Pattern pattern = { *type, rule->major.set ? rule->major.v : ANY,
                                    rule->minor.set ? rule->minor.v : ANY };

                if (rule->type != 'a' && rule->type != *type)
                        continue;
                if (rule->allow)
                        allow(e, pattern, parse_access(rule->access), index);
                else
                        deny(e, pattern, parse_access(rule->access), index);
        }
}

/*
 * What every container may use whatever the list says, as with the other runtimes: any node may be made, the
 * devices that the specification puts into each container, its terminals, and (for the sake of long habit)
 * tun. Not 5:1, the host's console: the container's /dev/console is a pty. Another device of the same path
 * in linux.devices takes the place of a default.
 */
static bool is_other_device(const char *path, const Pattern *p, const SpecDevice *d) {
        return streq_null(path, d->path) && (d->type != 'c' || d->major != p->major || d->minor != p->minor);
}

static void allow_defaults(Emulator *e, const SpecDevice *devices, size_t n_devices) {
        static const struct {
                const char *path;
                Pattern pattern;
                unsigned access;
        } defaults[] = {
                { NULL, { 'c', ANY, ANY }, ACCESS_MKNOD },
                { NULL, { 'b', ANY, ANY }, ACCESS_MKNOD },
                { "/dev/null", { 'c', 1, 3 }, ACCESS_ALL },
                { "/dev/zero", { 'c', 1, 5 }, ACCESS_ALL },
                { "/dev/full", { 'c', 1, 7 }, ACCESS_ALL },
                { "/dev/random", { 'c', 1, 8 }, ACCESS_ALL },
                { "/dev/urandom", { 'c', 1, 9 }, ACCESS_ALL },
                { "/dev/tty", { 'c', 5, 0 }, ACCESS_ALL },
                { NULL, { 'c', 5, 2 }, ACCESS_ALL },    /* ptmx */
                { NULL, { 'c', 136, ANY }, ACCESS_ALL },/* pts */
                { NULL, { 'c', 10, 200 }, ACCESS_ALL }, /* net/tun */
        };

        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
                bool replaced = false;

                for (size_t k = 0; k < n_devices && !replaced; k++)
                        replaced = is_other_device(defaults[i].path, &defaults[i].pattern, devices + k);
                if (!replaced)
                        allow(e, defaults[i].pattern, defaults[i].access, RULE_DEFAULT);
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

static int check_expressible(const Emulator *e, Error *reterr) {
        if (e->too_many)
                return error_setf(reterr, EOPNOTSUPP, "linux.resources.devices: too many rules that deny a part of what "
                                  "others allow");
        for (size_t i = 0; i < e->n_holes; i++)
                if ((e->holes[i].access & e->entries[e->holes[i].entry].access) != 0)
                        return error_setf(reterr, EOPNOTSUPP,
                                          "linux.resources.devices[%zu]: systemd cannot deny a part of "
                                          "what an earlier rule allows",
                                          e->holes[i].rule);
        for (size_t i = 0; i < e->n_entries; i++) {
                const Entry *entry = e->entries + i;

                if (entry->pattern.major == ANY && entry->pattern.minor != ANY &&
                    (entry->access & ~access_from_wider(e, i)) != 0)
                        return error_setf(reterr, EOPNOTSUPP,
                                          "linux.resources.devices[%zu]: systemd cannot allow one minor "
                                          "number of all devices",
                                          entry->rule);
        }
        return 0;
}

static bool allows_all(const Emulator *e) {
        bool c = false, b = false;

        for (size_t i = 0; i < e->n_entries; i++) {
                const Pattern *p = &e->entries[i].pattern;
                bool all = p->major == ANY && p->minor == ANY && e->entries[i].access == ACCESS_ALL;

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
                           arena_printf(&plan->arena, "%s%s%s", access & ACCESS_READ ? "r" : "",
                                        access & ACCESS_WRITE ? "w" : "", access & ACCESS_MKNOD ? "m" : ""));
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

int unit_add_devices(UnitPlan *plan, const SpecResources *r, const SpecDevice *devices, size_t n_devices,
                     bool update, Error *reterr) {
        _cleanup_(emulator_done) Emulator e = {};
        int k;

        for (size_t i = 0; r && i < r->n_devices; i++)
                apply_rule(&e, r->devices + i, i);
        allow_defaults(&e, devices, n_devices);
        k = check_expressible(&e, reterr);
        if (k < 0)
                return k;
        add_properties(plan, &e, update);
        return 0;
}
