/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>

#include "basic/nearest.h"
#include "plan/unit/text.h"

/*
 * Properties of a supervised container's service that who makes it gives: --property, --restart, --stop-timeout. He may do
 * with systemd what he likes, so what is refused is what would break what we rely on, or be about us and not about the
 * container; and what nobody has looked at. What he says goes before config.json.
 */

#define PROPERTY "--property "
#define USEC "USec"
#define SEC "Sec"

static const struct {
        const char *names, *why; /* patterns of fnmatch(3) */
} refusals[] = {
        { "ExecStart* ExecStop* ExecReload* ExecCondition",
          "this calls ocirt-sd; what the container runs is process.args in config.json" },
        { "Environment* PassEnvironment UnsetEnvironment",
          "variables are process.env in config.json, or what a drop-in of the service says" },
        { "LoadCredential* SetCredential* ImportCredential", "credentials are what a drop-in of the service says" },
        { "Type NotifyAccess PIDFile BusName GuessMainPID RemainAfterExit ExitType NonBlocking Sockets",
          "by this systemd knows the container's process, and when it has ended" },
        { "KillMode SendSIGKILL", "all that is in the container's cgroup ends with it" },
        { "TimeoutSec", "that is TimeoutStartSec and TimeoutStopSec" },
        { "RefuseManualStart RefuseManualStop", "it is started and stopped by request" },
        { "Watchdog*", "nothing of the container's reaches systemd, so that it could not say WATCHDOG=1, and would be "
                       "ended each time" },
        { "Delegate*", "its cgroup is the container's; what it sees of that is mounts in config.json" },
        { "Device* BPFProgram", "devices are linux.resources.devices in config.json" },
        { "IODevice* IORead* IOWrite*", "limits of a block device are linux.resources.blockIO in config.json" },
        { "User Group DynamicUser SupplementaryGroups PAMName", "who it runs as is process.user in config.json" },
        { "WorkingDirectory UMask", "that is process.cwd and process.user.umask in config.json" },
        { "Standard* TTY* Syslog* LogExtraFields LogNamespace",
          "what it writes goes to the journal, where `logs` finds it" },
        { "Limit*", "that is process.rlimits in config.json" },
        { "OOMScoreAdjust", "that is process.oomScoreAdj in config.json" },
        { "Nice CPUScheduling* CPUAffinity IOScheduling* NUMA*",
          "that is process.scheduler, process.ioPriority and process.execCPUAffinity in config.json" },
        { "Capability* AmbientCapabilities NoNewPrivileges SecureBits",
          "that is process.capabilities and process.noNewPrivileges in config.json" },
        { "SystemCall* Restrict* LockPersonality MemoryDenyWriteExecute Personality",
          "that is linux.seccomp in config.json" },
        { "Root* Mount* Bind* Private* Protect* Temporary* Read* Inaccessible* ExecPaths NoExecPaths JoinsNamespaceOf "
          "*Directory *DirectoryMode Network* IPCNamespacePath",
          "it would be about what ocirt-sd sees; what the container sees is root, mounts and linux.namespaces in "
          "config.json" },
        { "AppArmorProfile SELinuxContext SmackProcessLabel",
          "that is process.apparmorProfile and process.selinuxLabel in config.json" },
};

static const char *find_refusal(const char *name, Arena *a) {
        for (size_t i = 0; i < ELEMENTSOF(refusals); i++) {
                Variant patterns = { .s = refusals[i].names };

                variant_split(&patterns, a);
                for (size_t k = 0; k < patterns.n_items; k++)
                        if (fnmatch(patterns.items[k], name, 0) == 0)
                                return refusals[i].why;
        }
        return NULL;
}

/* systemd's manuals say RestartSec and CPUQuota, its bus RestartUSec and CPUQuotaPerSecUSec. */
static const char *name_in_files(const Property *p, Arena *a) {
        if (p->word || p->text != TEXT_SPAN)
                return p->word ?: p->name;
        return arena_printf(a, "%.*s" SEC, (int) (strlen(p->name) - strlen(USEC)), p->name);
}

static const Property *find_property(const char *name, Arena *a) {
        for (const Property *p = unit_properties; p->name; p++)
                if (p->text != TEXT_NONE && streq(name_in_files(p, a), name))
                        return p;
        return NULL;
}

static int refuse(const char *name, const char *origin, Arena *a, Error *reterr) {
        const char *why = find_refusal(name, a), *near;
        const Property *known;
        Strings names = {};

        if (why)
                return error_setf(reterr, EOPNOTSUPP, "%s: not to be set: %s", origin, why);
        for (const Property *p = unit_properties; p->name; p++)
                if (p->text != TEXT_NONE)
                        strings_add(a, &names, name_in_files(p, a));
        known = unit_property(name);
        near = known && known->text != TEXT_NONE ? name_in_files(known, a) : nearest(name, names.s, names.n);
        return error_setf(reterr, EOPNOTSUPP, "%s: not a property that can be set for a container%s%s%s", origin,
                          near ? ", did you mean " : "", near ?: "", near ? "?" : "");
}

static int unexpected(const Property *p, const char *text, const char *origin, Error *reterr) {
        _cleanup_text_ Text expected = {};

        text_add_expected(&expected, p);
        return error_setf(reterr, EINVAL, "%s: expected %s, got \"%s\"%s", origin, expected.s, text,
                          p->type == UNIT_STRV && strchr(text, '%') ? " (% is no specifier here)" : "");
}

/* systemd adds to a list each time. */
static bool is_list(const Property *p) {
        return p->type == UNIT_STRV || p->type == UNIT_STATUSES;
}

/* Of a number that can be a share, too, either. */
static const char *share_of(const Property *p, Arena *a) {
        return arena_printf(a, "%sScale", p->name);
}

static UnitProp *find(UnitPlan *plan, const Property *p) {
        return unit_plan_find(plan, p->name) ?: unit_plan_find(plan, share_of(p, &plan->arena));
}

static UnitProp *take_place(UnitPlan *plan, const Property *p, const Property *as, const char *origin) {
        UnitProp *prop = is_list(p) ? NULL : find(plan, p);

        if (!prop)
                prop = unit_plan_add(plan, as->name, as->type);
        *prop = (UnitProp){ .name = as->name, .type = as->type, .path = origin };
        return prop;
}

static int set(const Limits *l, const Property *p, const char *text, const char *origin) {
        UnitPlan *plan = l->plan;
        UnitProp statuses = {};
        Variant v = {};
        int r;

        if (p->text == TEXT_CPUS || p->text == TEXT_NODES)
                return unit_add_cpuset(l, p->text == TEXT_NODES, text, origin);
        r = p->text == TEXT_STATUSES ? text_parse_statuses(text, &plan->arena, &statuses)
                                     : text_parse(p, text, &plan->arena, &v);
        if (r < 0)
                return unexpected(p, text, origin, l->reterr);
        if (p->text == TEXT_STATUSES)
                take_place(plan, p, p, origin)->v = statuses.v;
        else if (v.type == unit_signatures[p->type][0])
                unit_prop_set_value(take_place(plan, p, p, origin), &v);
        else
                unit_prop_set_value(take_place(plan, p, unit_property(share_of(p, &plan->arena)), origin), &v);
        if (p->text == TEXT_SLICE)
                plan->slice = v.s;
        return 0;
}

/* From the command line, too? */
static const char *said_before(UnitPlan *plan, const Property *p) {
        const UnitProp *prop = is_list(p) ? NULL : find(plan, p);

        return prop && prop->path && startswith(prop->path, "--") ? prop->path : NULL;
}

/* As all that goes over the bus, and into a unit's file. */
static bool is_line(const char *s) {
        for (const char *end = s + strlen(s); s < end; s += utf8_length(s, end))
                if (utf8_length(s, end) == 0 || (iscntrl((unsigned char) *s) && *s != '\t'))
                        return false;
        return true;
}

static int add_property(const Limits *l, const char *setting) {
        const char *equals = strchr(setting, '='), *origin, *name, *before;
        Arena *a = &l->plan->arena;
        const Property *p;

        if (!is_line(setting))
                return error_setf(l->reterr, EINVAL, "--property: \"%s\" is not one line of UTF-8", setting);
        name = equals ? arena_strndup(a, setting, (size_t) (equals - setting)) : setting;
        origin = arena_printf(a, PROPERTY "%s", name);
        if (!equals)
                return error_setf(l->reterr, EINVAL, "%s: expected NAME=VALUE", origin);
        p = find_property(name, a);
        if (!p)
                return refuse(name, origin, a, l->reterr);
        before = said_before(l->plan, p);
        if (before)
                return error_setf(l->reterr, EINVAL, "%s: said before, by %s", origin, before);
        return set(l, p, strip(arena_strdup(a, equals + 1)), origin);
}

int unit_add_options(const Limits *l, const Supervision *s) {
        int r = 0;

        if (s->restart)
                r = set(l, unit_property("Restart"), s->restart, "--restart");
        if (s->stop_timeout > 0)
                unit_plan_set_u64(l->plan, "TimeoutStopUSec", s->stop_timeout, "--stop-timeout");
        for (const char *const *p = s->properties; p && *p && r == 0; p++)
                r = add_property(l, *p);
        return r < 0 ? r : unit_check_cpu_burst(l);
}
