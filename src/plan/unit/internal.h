/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "plan/unit/plan.h"

/* Between the files of this directory: the list that they fill, and who fills what. */

/* The first property of that name, or NULL. */
UnitProp *unit_plan_find(const UnitPlan *plan, const char *name);

/* Appends a property, zeroed but for name and type. The result and all earlier ones are valid until the next
 * call. */
UnitProp *unit_plan_add(UnitPlan *plan, const char *name, UnitType type);
UnitProp *unit_plan_add_bool(UnitPlan *plan, const char *name, bool value);
UnitProp *unit_plan_add_u64(UnitPlan *plan, const char *name, uint64_t value);
UnitProp *unit_plan_add_string(UnitPlan *plan, const char *name, const char *value);

/* A limit, for which the configuration has two places: the later one counts. path is not copied. */
UnitProp *unit_plan_set(UnitPlan *plan, const char *name, UnitType type, const char *path);
void unit_plan_set_u64(UnitPlan *plan, const char *name, uint64_t value, const char *path);

/* One element more for a UNIT_PAIRS property. */
void unit_prop_add_pair(UnitPlan *plan, UnitProp *prop, const char *name, const char *value);
/* The element of a UNIT_WEIGHTS property. */
void unit_prop_set_weight(UnitPlan *plan, UnitProp *prop, const char *path, uint64_t value);

/* Appends a cgroup file. file, value and path are copied. */
CgroupWrite *unit_plan_write(UnitPlan *plan, const char *file, const char *value, const char *path);

/* The line for a device ("8:16") in the file that is behind a UNIT_WEIGHTS property. */
void unit_plan_write_block(UnitPlan *plan, const char *property, const char *device, uint64_t value, const char *path);

/* How a unit file has it. */
typedef enum TextKind {
        TEXT_NONE,       /* not to be set by option */
        TEXT_BOOL,
        TEXT_BYTES,      /* or a share, or infinity */
        TEXT_COUNT,
        TEXT_CPUS,
        TEXT_CPU_WEIGHT, /* or "idle" */
        TEXT_NODES,
        TEXT_PATHS,
        TEXT_QUOTA,
        TEXT_SHARE,
        TEXT_SIGNAL,
        TEXT_SLICE,
        TEXT_SPAN,       /* a time; there the name ends in Sec, and on the bus in USec */
        TEXT_STATUSES,
        TEXT_TASKS,      /* a number, or a share, or infinity */
        TEXT_TEXT,
        TEXT_UNITS,
        TEXT_URLS,
        TEXT_WEIGHT,
        TEXT_WORD,       /* of .values */
} TextKind;

/* What is known of a property, all in one row: type; how a unit file has it, and with that the option; the file that shows
 * it, which unified may name; the annotation. */
typedef struct Property {
        const char *name;
        UnitType type;
        TextKind text;
        const char *word;       /* what it is called in a unit file, if that is something else; or NULL */
        const char *file;       /* of a limit */
        const char *key;        /* of one for a device, in its line there */
        uint64_t none;          /* of a number: what holds without the file, too */
        uint64_t least;         /* systemd takes no 0 where the kernel would: 1 byte or 1 task comes to the same */
        bool annotation;        /* may set it */
        bool proposal;          /* the plan has a value that the annotation may replace */
        enum { CHECK_NONE, CHECK_ENUM, CHECK_SIGNAL, CHECK_TEXT, CHECK_AFTER, CHECK_BEFORE, CHECK_URLS } check;
        const char *values;     /* CHECK_ENUM: " one two " */
} Property;

extern const Property unit_properties[]; /* the end has no name */
/* The row of that name, or NULL. */
const Property *unit_property(const char *name);

struct Variant;
/* A value of its type, by what its row says: -EINVAL. */
int unit_property_check(const Property *p, const struct Variant *v);
/* As it is, of the property's type. */
void unit_prop_set_value(UnitProp *p, const struct Variant *v);

/* What the functions below are given. */
typedef struct Limits {
        UnitPlan *plan;
        const SpecResources *r;
        const HostFacts *facts;
        const LimitsNow *now;   /* all absent as long as the container is made */
        bool update;
        Error *reterr;
} Limits;

/* "linux.resources" but for unified, devices; what is typed. */
int unit_add_memory(const Limits *l);
int unit_add_cpu(const Limits *l);
int unit_add_pids(const Limits *l);
int unit_add_block_io(const Limits *l);
int unit_add_others(const Limits *l);

/* linux.resources.unified, after all typed resources: what it says replaces what they say. */
int unit_add_unified(const Limits *l);

/* The device rules with the defaults behind them. devices: linux.devices, which may replace defaults. */
int unit_add_devices(UnitPlan *plan, const SpecResources *r, const SpecDevice *devices, size_t n_devices,
                     bool update, Error *reterr);

/* What makes a service of it: its commands, its end, its messages. Before annotations. */
void unit_add_service(UnitPlan *plan, const Spec *spec, const Request *request, const HostFacts *facts);

/* What systemd starts when this service has ended; its command is to be added. */
UnitPlan *unit_add_end(UnitPlan *plan, const char *whose, bool rootless);

/* org.systemd.property.*, after all that is in config.json. */
int unit_add_annotations(UnitPlan *plan, const Spec *spec, Error *reterr);

/* What the command line says of a service, after all else. */
int unit_add_options(const Limits *l, const Supervision *s);

/* Pieces that typed and unified resources share; path is the JSON path for the error. */

/* What unified says of that file, without the blanks around it, or NULL. */
const char *unit_unified_value(const Limits *l, const char *key);
int unit_add_cpuset(const Limits *l, bool nodes, const char *list, const char *path);
void unit_add_cpu_quota(const Limits *l, uint64_t quota, uint64_t period, const char *path);
uint64_t unit_weight_from_bfq(uint64_t weight);
/* A value for a block device: of IODeviceWeight, IODeviceLatencyTargetUSec or IO{Read,Write}{Bandwidth,IOPS}Max. */
int unit_add_block_value(const Limits *l, const char *property, uint32_t major, uint32_t minor, uint64_t value,
                         const char *path);

/* CPUWeight out of shares, idle, and the keys of unified that say the same. */
int unit_add_cpu_weight(const Limits *l);
/* After all that has a say in it: the kernel takes no quota below the burst, and systemd would not tell us. */
int unit_check_cpu_burst(const Limits *l);

/* After all else: cgroup files that say the same as the properties, for a unit that is frozen; or in place of them, for a
 * container without a unit. */
void unit_add_files(const Limits *l);
void unit_use_files(const Limits *l);

/* Is this a syntactically valid name of a unit with one of these suffixes? suffixes: NULL-terminated, with
 * the dot. */
bool unit_name_is_plain(const char *name, const char *const *suffixes);
/* And this one of a slice, but not the root slice? */
bool unit_slice_is_plain(const char *name);
