/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/log.h"
#include "basic/quantity.h"
#include "cli/verb.h"

#define FILE_MAX_BYTES (16UL * 1024 * 1024)

typedef struct UpdateOptions {
        const char *resources;
        const char *blkio_weight, *cpu_period, *cpu_quota, *cpu_share, *cpu_burst, *cpu_idle, *cpu_rt_period, *cpu_rt_runtime;
        const char *cpuset_cpus, *cpuset_mems, *memory, *memory_reservation, *memory_swap, *kernel_memory,
                *kernel_memory_tcp, *pids_limit, *l3_cache_schema, *mem_bw_schema;
} UpdateOptions;

typedef enum ValueType { VALUE_NUMBER, VALUE_BYTES, VALUE_TEXT } ValueType;

#define ROW(name_, field, argument_, help_) \
        { .name = name_, .offset = offsetof(UpdateOptions, field), .type = OPTION_STRING, .argument = argument_, .help = help_ }
static const Option options[] = {
        { .name = "resources", .letter = 'r', .offset = offsetof(UpdateOptions, resources), .type = OPTION_STRING,
          .argument = "FILE", .help = "LinuxResources as JSON (-: standard input)" },
        ROW("memory", memory, "BYTES", "Memory, such as 64m or 1.5g (-1: no limit)"),
        ROW("memory-reservation", memory_reservation, "BYTES", "Memory kept when it gets short"),
        ROW("memory-swap", memory_swap, "BYTES", "Memory and swap together"),
        ROW("cpu-share", cpu_share, "N", "Weight against others (default: 1024)"),
        ROW("cpu-quota", cpu_quota, "USEC", "CPU time a period (-1: no limit)"),
        ROW("cpu-period", cpu_period, "USEC", "The period (default: 100000)"),
        ROW("cpu-burst", cpu_burst, "USEC", "What it may save up of it"),
        ROW("cpu-idle", cpu_idle, "0|1", "1: only when nobody else wants it"),
        ROW("cpuset-cpus", cpuset_cpus, "LIST", "CPUs it may use (0-3,7)"),
        ROW("cpuset-mems", cpuset_mems, "LIST", "Memory nodes it may use"),
        ROW("pids-limit", pids_limit, "N", "Processes and threads (-1: no limit)"),
        ROW("blkio-weight", blkio_weight, "N", "Weight of its input and output (10-1000)"),
        ROW("cpu-rt-period", cpu_rt_period, "USEC", NULL),
        ROW("cpu-rt-runtime", cpu_rt_runtime, "USEC", NULL),
        ROW("kernel-memory", kernel_memory, "BYTES", NULL),
        ROW("kernel-memory-tcp", kernel_memory_tcp, "BYTES", NULL),
        ROW("l3-cache-schema", l3_cache_schema, "LINE", "Its share of the L3 cache (L3:0=7f0)"),
        ROW("mem-bw-schema", mem_bw_schema, "LINE", "Its share of the memory's bandwidth (MB:0=20)"),
        OPTION_ELSEWHERE("cpus", 0, "that is --cpu-quota here, in microseconds of each --cpu-period"),
        OPTION_END,
};
#undef ROW

/* Where a flag belongs in LinuxResources. */
static const struct {
        size_t offset;
        const char *flag, *object, *key;
        ValueType type;
} places[] = {
#define PLACE(field, flag, object, key, type) { offsetof(UpdateOptions, field), flag, object, key, type }
        PLACE(memory, "memory", "memory", "limit", VALUE_BYTES),
        PLACE(memory_reservation, "memory-reservation", "memory", "reservation", VALUE_BYTES),
        PLACE(memory_swap, "memory-swap", "memory", "swap", VALUE_BYTES),
        PLACE(kernel_memory, "kernel-memory", "memory", "kernel", VALUE_BYTES),
        PLACE(kernel_memory_tcp, "kernel-memory-tcp", "memory", "kernelTCP", VALUE_BYTES),
        PLACE(cpu_share, "cpu-share", "cpu", "shares", VALUE_NUMBER),
        PLACE(cpu_quota, "cpu-quota", "cpu", "quota", VALUE_NUMBER),
        PLACE(cpu_period, "cpu-period", "cpu", "period", VALUE_NUMBER),
        PLACE(cpu_burst, "cpu-burst", "cpu", "burst", VALUE_NUMBER),
        PLACE(cpu_idle, "cpu-idle", "cpu", "idle", VALUE_NUMBER),
        PLACE(cpu_rt_period, "cpu-rt-period", "cpu", "realtimePeriod", VALUE_NUMBER),
        PLACE(cpu_rt_runtime, "cpu-rt-runtime", "cpu", "realtimeRuntime", VALUE_NUMBER),
        PLACE(cpuset_cpus, "cpuset-cpus", "cpu", "cpus", VALUE_TEXT),
        PLACE(cpuset_mems, "cpuset-mems", "cpu", "mems", VALUE_TEXT),
        PLACE(pids_limit, "pids-limit", "pids", "limit", VALUE_NUMBER),
        PLACE(blkio_weight, "blkio-weight", "blockIO", "weight", VALUE_NUMBER),
#undef PLACE
};

/* The value of a flag, or NULL. */
static const char *given(const UpdateOptions *o, size_t place) {
        const void *variable = (const char *) o + places[place].offset;

        return *(const char *const *) variable;
}

static json_object *member(json_object *parent, const char *key) {
        json_object *o = json_object_object_get(parent, key);

        if (!o) {
                o = json_object_new_object();
                json_object_object_add(parent, key, o);
        }
        return o;
}

/* The flags as the document that --resources takes, so that there is one way for both. */
static int resources_from_flags(const UpdateOptions *o, json_object *document, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                const char *value = given(o, i);
                int64_t number;
                int r = 0;

                if (!value)
                        continue;
                if (places[i].type != VALUE_TEXT)
                        r = places[i].type == VALUE_BYTES ? parse_bytes(value, &number) : parse_i64(value, &number);
                if (r < 0)
                        return error_setf(reterr, EINVAL, "--%s: expected %s, got \"%s\"", places[i].flag,
                                          places[i].type == VALUE_BYTES ? "bytes, or a size such as 64m or 1.5GiB"
                                                                        : "a number", value);
                json_object_object_add(member(document, places[i].object), places[i].key,
                                       places[i].type == VALUE_TEXT ? json_object_new_string(value)
                                                                    : json_object_new_int64(number));
        }
        return 0;
}

static int read_resources(const UpdateOptions *o, Spec **ret, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        json_object *document;
        size_t size;
        int r;

        if (o->resources) {
                bool input = streq(o->resources, "-");

                r = input ? read_file_fd(STDIN_FILENO, FILE_MAX_BYTES, &bytes, &size)
                          : read_file_at(AT_FDCWD, o->resources, FILE_MAX_BYTES, &bytes, &size);
                if (r < 0)
                        return error_errnof(reterr, r, "cannot read --resources %s", o->resources);
                r = spec_parse_resources(bytes, size, ret, reterr);
                return r < 0 ? error_prefixf(reterr, "%s", input ? "standard input" : o->resources) : 0;
        }
        document = json_object_new_object();
        r = resources_from_flags(o, document, reterr);
        if (r >= 0) {
                const char *text = json_object_to_json_string(document);

                r = spec_parse_resources(text, strlen(text), ret, reterr);
        }
        json_object_put(document);
        return r;
}

static bool has_resources(const UpdateOptions *o) {
        bool found = o->resources;

        for (size_t i = 0; i < ELEMENTSOF(places) && !found; i++)
                found = given(o, i);
        return found;
}

static int read_rdt(const UpdateOptions *o, Spec **ret, Error *reterr) {
        json_object *document = json_object_new_object();
        const char *text;
        int r;

        if (o->l3_cache_schema)
                json_object_object_add(document, "l3CacheSchema", json_object_new_string(o->l3_cache_schema));
        if (o->mem_bw_schema)
                json_object_object_add(document, "memBwSchema", json_object_new_string(o->mem_bw_schema));
        text = json_object_to_json_string(document);
        r = spec_parse_intel_rdt(text, strlen(text), ret, reterr);
        json_object_put(document);
        return r;
}

/* Who gave a flag knows of no path in config.json. */
static void name_flag(const UpdateOptions *o, Error *e) {
        for (size_t i = 0; i < ELEMENTSOF(places) && !o->resources; i++) {
                _cleanup_free_ char *path = xasprintf("linux.resources.%s.%s", places[i].object, places[i].key);

                if (given(o, i))
                        error_renamef(e, path, "--%s", places[i].flag);
        }
        if (o->l3_cache_schema)
                error_renamef(e, "linux.intelRdt.l3CacheSchema", "--l3-cache-schema");
        if (o->mem_bw_schema)
                error_renamef(e, "linux.intelRdt.memBwSchema", "--mem-bw-schema");
}

/* resctrl is apart from the cgroup. Who asks for nothing is told whether there is such a container. */
static int update(const Runtime *rt, void *target, char **words, Error *reterr) {
        const UpdateOptions *o = target;
        bool has_rdt = o->l3_cache_schema || o->mem_bw_schema, has_others = has_resources(o) || !has_rdt;
        _cleanup_spec_ Spec *resources = NULL, *rdt = NULL;
        int r = 0;

        if (has_others)
                r = read_resources(o, &resources, reterr);
        if (r == 0 && has_rdt)
                r = read_rdt(o, &rdt, reterr);
        if (r == 0 && resources)
                log_warnings(&resources->warnings);
        if (r == 0 && resources)
                r = runtime_update(rt, words[0], resources->linux_.resources, reterr);
        if (r == 0 && rdt)
                r = runtime_update_rdt(rt, words[0], rdt->linux_.intel_rdt, reterr);
        if (r < 0)
                name_flag(o, reterr);
        return r;
}

const Verb verb_update = {
        .name = "update", .arguments = "ID", .summary = "Change the limits of a container",
        .example = "update --memory 64m --pids-limit 100 web",
        .options = options, .options_size = sizeof(UpdateOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = update,
};
