/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <signal.h>

#include "plan/unit/internal.h"
#include "plan/unit/variant.h"

#define DEFAULT_WEIGHT 100

#define ANNOTATION .annotation = true
#define LIMIT(name) .file = name, .none = UINT64_MAX
#define RESTARTS " no on-success on-failure on-abnormal on-watchdog on-abort always "
#define ACTIONS                                                                                                        \
        " none reboot reboot-force reboot-immediate poweroff poweroff-force poweroff-immediate exit exit-force "        \
        "soft-reboot soft-reboot-force kexec kexec-force halt halt-force halt-immediate "
#define ENDS " terminate abort kill "

const Property unit_properties[] = {
        { "After", UNIT_STRV, TEXT_UNITS, ANNOTATION, .check = CHECK_AFTER },
        { "AllowedCPUs", UNIT_BYTES, TEXT_CPUS, .file = "cpuset.cpus" },
        { "AllowedMemoryNodes", UNIT_BYTES, TEXT_NODES, .file = "cpuset.mems" },
        { "Before", UNIT_STRV, TEXT_UNITS, ANNOTATION, .check = CHECK_BEFORE },
        { "BindsTo", UNIT_STRV, TEXT_UNITS },
        { "CPUQuotaPerSecUSec", UNIT_U64, TEXT_QUOTA, ANNOTATION, LIMIT("cpu.max"), .word = "CPUQuota" },
        { "CPUQuotaPeriodUSec", UNIT_U64, TEXT_SPAN, ANNOTATION, LIMIT("cpu.max") },
        { "CPUWeight", UNIT_U64, TEXT_CPU_WEIGHT, ANNOTATION, .file = "cpu.weight", .none = DEFAULT_WEIGHT },
        { "CollectMode", UNIT_STRING, TEXT_WORD, ANNOTATION, .check = CHECK_ENUM, .values = " inactive inactive-or-failed ",
          .proposal = true },
        { "Conflicts", UNIT_STRV, TEXT_UNITS },
        { "DefaultDependencies", UNIT_BOOL, TEXT_BOOL, ANNOTATION, .proposal = true },
        { "Description", UNIT_STRING, TEXT_TEXT, ANNOTATION, .check = CHECK_TEXT, .proposal = true },
        { "Documentation", UNIT_STRV, TEXT_URLS, ANNOTATION, .check = CHECK_URLS },
        { "FailureAction", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = ACTIONS },
        { "FinalKillSignal", UNIT_I32, TEXT_SIGNAL, ANNOTATION, .check = CHECK_SIGNAL },
        { "IODeviceLatencyTargetUSec", UNIT_WEIGHTS, .file = "io.latency", .key = "target=" },
        { "IODeviceWeight", UNIT_WEIGHTS, .file = "io.weight", .key = "" },
        { "IOReadBandwidthMax", UNIT_WEIGHTS, .file = "io.max", .key = "rbps=" },
        { "IOReadIOPSMax", UNIT_WEIGHTS, .file = "io.max", .key = "riops=" },
        { "IOWeight", UNIT_U64, TEXT_WEIGHT, ANNOTATION, .file = "io.weight", .none = DEFAULT_WEIGHT },
        { "IOWriteBandwidthMax", UNIT_WEIGHTS, .file = "io.max", .key = "wbps=" },
        { "IOWriteIOPSMax", UNIT_WEIGHTS, .file = "io.max", .key = "wiops=" },
        { "KillSignal", UNIT_I32, TEXT_SIGNAL, ANNOTATION, .check = CHECK_SIGNAL, .proposal = true },
        { "ManagedOOMMemoryPressure", UNIT_STRING, TEXT_WORD, ANNOTATION, .check = CHECK_ENUM, .values = " auto kill " },
        { "ManagedOOMMemoryPressureDurationUSec", UNIT_U64, TEXT_SPAN, ANNOTATION },
        { "ManagedOOMMemoryPressureLimit", UNIT_U32, TEXT_SHARE, ANNOTATION },
        { "ManagedOOMPreference", UNIT_STRING, TEXT_WORD, ANNOTATION, .check = CHECK_ENUM, .values = " none avoid omit " },
        { "ManagedOOMSwap", UNIT_STRING, TEXT_WORD, ANNOTATION, .check = CHECK_ENUM, .values = " auto kill " },
        { "MemoryHigh", UNIT_U64, TEXT_BYTES, ANNOTATION, LIMIT("memory.high"), .least = 1 },
        { "MemoryHighScale", UNIT_U32, .file = "memory.high" },
        { "MemoryLow", UNIT_U64, TEXT_BYTES, ANNOTATION, .file = "memory.low" },
        { "MemoryLowScale", UNIT_U32, .file = "memory.low" },
        { "MemoryMax", UNIT_U64, TEXT_BYTES, ANNOTATION, LIMIT("memory.max"), .least = 1 },
        { "MemoryMaxScale", UNIT_U32, .file = "memory.max" },
        { "MemoryMin", UNIT_U64, TEXT_BYTES, ANNOTATION, .file = "memory.min" },
        { "MemoryMinScale", UNIT_U32, .file = "memory.min" },
        { "MemorySwapMax", UNIT_U64, TEXT_BYTES, ANNOTATION, LIMIT("memory.swap.max") },
        { "MemorySwapMaxScale", UNIT_U32, .file = "memory.swap.max" },
        { "MemoryZSwapMax", UNIT_U64, TEXT_BYTES, ANNOTATION },
        { "MemoryZSwapMaxScale", UNIT_U32 },
        { "OOMPolicy", UNIT_STRING, TEXT_WORD, ANNOTATION, .check = CHECK_ENUM, .values = " continue stop kill ",
          .proposal = true },
        { "OnFailure", UNIT_STRV, TEXT_UNITS },
        { "OnSuccess", UNIT_STRV, TEXT_UNITS },
        { "PartOf", UNIT_STRV, TEXT_UNITS },
        { "PropagatesStopTo", UNIT_STRV, TEXT_UNITS },
        { "Requires", UNIT_STRV, TEXT_UNITS },
        { "RequiresMountsFor", UNIT_STRV, TEXT_PATHS },
        { "Requisite", UNIT_STRV, TEXT_UNITS },
        { "Restart", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = RESTARTS },
        { "RestartForceExitStatus", UNIT_STATUSES, TEXT_STATUSES },
        { "RestartKillSignal", UNIT_I32, TEXT_SIGNAL, .check = CHECK_SIGNAL },
        { "RestartMaxDelayUSec", UNIT_U64, TEXT_SPAN },
        /* With "direct" nobody would be called for the end that comes before (OnFailure=). */
        { "RestartMode", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = " normal debug " },
        { "RestartPreventExitStatus", UNIT_STATUSES, TEXT_STATUSES },
        { "RestartSteps", UNIT_U32, TEXT_COUNT },
        { "RestartUSec", UNIT_U64, TEXT_SPAN },
        { "RuntimeMaxUSec", UNIT_U64, TEXT_SPAN, ANNOTATION },
        { "RuntimeRandomizedExtraUSec", UNIT_U64, TEXT_SPAN },
        { "Slice", UNIT_STRING, TEXT_SLICE },
        { "StartLimitAction", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = ACTIONS },
        { "StartLimitBurst", UNIT_U32, TEXT_COUNT },
        { "StartLimitIntervalUSec", UNIT_U64, TEXT_SPAN },
        { "StartupCPUWeight", UNIT_U64, TEXT_CPU_WEIGHT, ANNOTATION },
        { "StartupIOWeight", UNIT_U64, TEXT_WEIGHT, ANNOTATION },
        { "SuccessAction", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = ACTIONS },
        { "SuccessExitStatus", UNIT_STATUSES, TEXT_STATUSES },
        { "TasksMax", UNIT_U64, TEXT_TASKS, ANNOTATION, LIMIT("pids.max"), .least = 1 },
        { "TasksMaxScale", UNIT_U32, .file = "pids.max" },
        { "TimeoutAbortUSec", UNIT_U64, TEXT_SPAN },
        { "TimeoutStartFailureMode", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = ENDS },
        { "TimeoutStartUSec", UNIT_U64, TEXT_SPAN },
        { "TimeoutStopFailureMode", UNIT_STRING, TEXT_WORD, .check = CHECK_ENUM, .values = ENDS },
        { "TimeoutStopUSec", UNIT_U64, TEXT_SPAN, ANNOTATION, .proposal = true },
        { "Upholds", UNIT_STRV, TEXT_UNITS },
        { "Wants", UNIT_STRV, TEXT_UNITS },
        {}
};

const Property *unit_property(const char *name) {
        for (const Property *p = unit_properties; p->name; p++)
                if (streq(p->name, name))
                        return p;
        return NULL;
}

static int check_units(const Variant *v, bool after) {
        static const char *const before_types[] = { ".slice", ".target", NULL };
        static const char *const after_types[] = { ".slice", ".target", ".service", ".socket", ".mount", NULL };

        for (size_t i = 0; i < v->n_items; i++)
                if (!unit_name_is_plain(v->items[i], after ? after_types : before_types))
                        return -EINVAL;
        return 0;
}

static int check_enum(const char *values, const char *s) {
        _cleanup_free_ char *word = xasprintf(" %s ", s);

        return strchr(s, ' ') || !strstr(values, word) ? -EINVAL : 0;
}

/* Control characters would break lines of the unit file and of every listing. */
static int check_text(const char *s) {
        for (; *s; s++)
                if (iscntrl((unsigned char) *s))
                        return -EINVAL;
        return 0;
}

/* What systemd takes for Documentation=. */
static int check_urls(const Variant *v) {
        static const char *const schemes[] = { "http://", "https://", "file:/", "info:", "man:" };

        for (size_t i = 0; i < v->n_items; i++) {
                const char *rest = NULL;

                for (size_t k = 0; k < ELEMENTSOF(schemes) && !rest; k++)
                        rest = startswith(v->items[i], schemes[k]);
                if (isempty(rest) || check_text(rest) < 0)
                        return -EINVAL;
        }
        return 0;
}

int unit_property_check(const Property *p, const Variant *v) {
        switch (p->check) {
        case CHECK_ENUM:
                return check_enum(p->values, v->s);
        case CHECK_SIGNAL:
                return v->i < 1 || v->i > SIGRTMAX ? -EINVAL : 0;
        case CHECK_TEXT:
                return check_text(v->s);
        case CHECK_AFTER:
                return check_units(v, true);
        case CHECK_BEFORE:
                return check_units(v, false);
        case CHECK_URLS:
                return check_urls(v);
        default:
                return 0;
        }
}

void unit_prop_set_value(UnitProp *p, const Variant *v) {
        switch (p->type) {
        case UNIT_BOOL:
                p->v.b = v->u != 0;
                break;
        case UNIT_I32:
                p->v.i32 = (int32_t) v->i;
                break;
        case UNIT_U32:
                p->v.u32 = (uint32_t) v->u;
                break;
        case UNIT_U64:
                p->v.u64 = v->u;
                break;
        case UNIT_STRING:
                p->v.s = v->s;
                break;
        default:
                p->v.strv.items = v->items;
                p->v.strv.n = v->n_items;
                break;
        }
}
