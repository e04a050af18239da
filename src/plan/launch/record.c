/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/record.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "basic/file.h"
#include "basic/names.h"

typedef enum FieldType { FIELD_STRING, FIELD_BOOL, FIELD_U32, FIELD_U64, FIELD_PID } FieldType;

static const struct {
        const char *key;
        FieldType type;
        size_t offset;
        bool required;
} fields[] = {
#define FIELD(name, type, required) { #name, type, offsetof(Record, name), required }
        FIELD(id, FIELD_STRING, true),
        FIELD(oci_version, FIELD_STRING, true),
        FIELD(bundle, FIELD_STRING, true),
        FIELD(rootfs, FIELD_STRING, true),
        FIELD(created, FIELD_STRING, true),
        FIELD(started, FIELD_STRING, false),
        FIELD(owner, FIELD_U32, true),
        FIELD(boot_id, FIELD_STRING, true),
        FIELD(user_manager, FIELD_BOOL, true),
        FIELD(unit, FIELD_STRING, false),
        FIELD(slice, FIELD_STRING, false),
        FIELD(committed, FIELD_BOOL, true),
        FIELD(pid, FIELD_PID, true),
        FIELD(start_time, FIELD_U64, true),
        FIELD(cgroup, FIELD_STRING, false),
        FIELD(cgroup_id, FIELD_U64, false),
        FIELD(invocation_id, FIELD_STRING, false),
        FIELD(namespaces, FIELD_U32, true),
        FIELD(mount_id, FIELD_U64, false),
        FIELD(has_process, FIELD_BOOL, false),
        FIELD(has_start_hooks, FIELD_BOOL, false),
        FIELD(notifies, FIELD_BOOL, false),
        FIELD(stop_signal, FIELD_STRING, false),
        FIELD(keyring, FIELD_STRING, false),
        FIELD(rdt_group, FIELD_STRING, false),
        FIELD(rdt_own, FIELD_BOOL, false),
        FIELD(rdt_monitored, FIELD_BOOL, false),
        FIELD(kept, FIELD_BOOL, false),
        FIELD(waits, FIELD_BOOL, false),
        FIELD(no_pivot, FIELD_BOOL, false),
        FIELD(restart, FIELD_STRING, false),
        FIELD(stop_timeout, FIELD_U64, false),
#undef FIELD
};

void record_done(Record *r) {
        arena_done(&r->arena);
        *r = (Record){};
}

static void add_line(Text *t, const char *prefix, const char *key, const char *value) {
        text_add(t, prefix);
        text_add_escaped(t, key, "=");
        text_add(t, "=");
        text_add_escaped(t, value, "");
        text_add(t, "\n");
}

/* --- hooks ------------------------------------------------------------------------------------------------------ */

/* A line begins a hook, and those that follow are about that one. */
static const struct {
        SpecHookKind kind;
        const char *key, *prefix;
} hook_kinds[] = {
        { HOOK_POSTSTART, "poststart", "poststart." },
        { HOOK_POSTSTOP, "poststop", "poststop." },
};

static void add_hook(Text *t, size_t kind, const SpecHook *hook) {
        const char *prefix = hook_kinds[kind].prefix;

        add_line(t, "", hook_kinds[kind].key, hook->path);
        for (const char **argument = hook->args; argument && *argument; argument++)
                add_line(t, prefix, "argument", *argument);
        if (hook->env) /* that may be empty; without one it has ours */
                add_line(t, prefix, "environment", "");
        for (const char **variable = hook->env; variable && *variable; variable++)
                add_line(t, prefix, "variable", *variable);
        if (hook->timeout.set)
                text_addf(t, "%stimeout=%d\n", prefix, hook->timeout.v);
}

static void add_hooks(Text *t, const Record *r) {
        for (size_t k = 0; k < ELEMENTSOF(hook_kinds); k++)
                for (size_t i = 0; i < r->hooks[hook_kinds[k].kind].n; i++)
                        add_hook(t, k, &r->hooks[hook_kinds[k].kind].hooks[i]);
}

/* Room for one more, zeroed, in the arena: twice as much each time. */
static void *grow(Arena *a, void *list, size_t n, size_t size) {
        void *grown;

        if (n & (n - 1))
                return list;
        grown = arena_calloc(a, MAX(2 * n, (size_t) 1), size);
        if (n > 0)
                memcpy(grown, list, n * size);
        return grown;
}

static const char **append(Arena *a, const char *const *list, const char *value) {
        size_t n = 0;
        const char **grown;

        while (list && list[n])
                n++;
        grown = arena_calloc(a, n + 2, sizeof(*grown));
        if (n > 0)
                memcpy(grown, list, n * sizeof(*grown));
        grown[n] = arena_strdup(a, value);
        return grown;
}

static int decode_part(Arena *a, SpecHook *hook, const char *key, const char *value) {
        uint32_t timeout;

        if (streq(key, "argument"))
                hook->args = append(a, hook->args, value);
        else if (streq(key, "environment") && !hook->env)
                hook->env = arena_calloc(a, 1, sizeof(*hook->env));
        else if (streq(key, "variable") && hook->env)
                hook->env = append(a, hook->env, value);
        else if (streq(key, "timeout") && parse_u32(value, &timeout) == 0 && timeout > 0 && timeout <= INT32_MAX)
                hook->timeout = (OptI32){ true, (int32_t) timeout };
        else
                return -EBADMSG;
        return 0;
}

/* 1: it is no line of a hook. */
static int decode_hook(const char *key, const char *value, Record *r) {
        for (size_t k = 0; k < ELEMENTSOF(hook_kinds); k++) {
                SpecHooks *hooks = &r->hooks[hook_kinds[k].kind];
                const char *part = startswith(key, hook_kinds[k].prefix);

                if (part)
                        return hooks->n > 0 ? decode_part(&r->arena, &hooks->hooks[hooks->n - 1], part, value) : -EBADMSG;
                if (streq(key, hook_kinds[k].key)) {
                        hooks->hooks = grow(&r->arena, hooks->hooks, hooks->n, sizeof(SpecHook));
                        hooks->hooks[hooks->n++].path = arena_strdup(&r->arena, value);
                        return 0;
                }
        }
        return 1;
}

/* --- namespaces ------------------------------------------------------------------------------------------------- */

/* Of these the paths, where the mount namespace is that of others. */
#define KEPT_NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS)

static void add_namespaces(Text *t, const Record *r) {
        for (size_t i = 0; i < r->n_namespace_paths; i++)
                add_line(t, "namespace.", name_of(namespace_names, r->namespace_paths[i].type),
                         r->namespace_paths[i].path);
}

static void keep_namespace(Record *r, int type, const char *path) {
        r->namespace_paths = grow(&r->arena, r->namespace_paths, r->n_namespace_paths, sizeof(SpecNamespace));
        r->namespace_paths[r->n_namespace_paths++] = (SpecNamespace){ .type = type, .path = path };
}

static int decode_namespace(const char *key, const char *value, Record *r) {
        const Name *type = name_find(namespace_names, key);

        if (!type || !(type->value & KEPT_NAMESPACES))
                return -EBADMSG;
        keep_namespace(r, type->value, arena_strdup(&r->arena, value));
        return 0;
}

Spec record_spec(const Record *r) {
        Spec spec = {
                .oci_version = r->oci_version,
                .annotations = r->annotations,
                .n_annotations = r->n_annotations,
                .linux_.namespaces = r->namespace_paths,
                .linux_.n_namespaces = r->n_namespace_paths,
        };

        memcpy(spec.hooks, r->hooks, sizeof(spec.hooks));
        return spec;
}

void record_keep(Record *r, const Spec *spec) {
        bool elsewhere = spec_namespace(spec, CLONE_NEWNS) && spec_namespace(spec, CLONE_NEWNS)->path;

        r->oci_version = spec->oci_version;
        r->annotations = spec->annotations;
        r->n_annotations = spec->n_annotations;
        r->has_process = spec->process;
        r->has_start_hooks = spec->hooks[HOOK_START_CONTAINER].n > 0;
        r->stop_signal = spec_annotation(spec, SPEC_STOP_SIGNAL);
        for (size_t i = 0; i < ELEMENTSOF(hook_kinds); i++)
                r->hooks[hook_kinds[i].kind] = spec->hooks[hook_kinds[i].kind];
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++) {
                const SpecNamespace *n = &spec->linux_.namespaces[i];

                r->namespaces |= n->type;
                if (elsewhere && n->path && (n->type & KEPT_NAMESPACES))
                        keep_namespace(r, n->type, n->path);
        }
}

/* What systemd sends is what `stop` sends. */
static void keep_stop_signal(Record *r, const UnitPlan *unit) {
        for (const UnitProp *p = unit->props; p < unit->props + unit->n_props; p++)
                if (unit->home == HOME_SERVICE && p->path && streq(p->name, "KillSignal"))
                        r->stop_signal = arena_printf(&r->arena, "%d", p->v.i32);
}

void record_plan(Record *r, const char *id, const char *bundle, const Spec *spec, const UnitPlan *unit, const RdtPlan *rdt) {
        r->version = RECORD_VERSION;
        r->id = id;
        r->bundle = bundle;
        r->rootfs = path_normalize(&r->arena, bundle, spec->root_path);
        r->home = unit->home;
        r->unit = unit->name;
        r->slice = unit->slice;
        r->cgroup = unit->cgroup;
        r->rdt_group = rdt->group;
        r->rdt_own = rdt->own;
        r->rdt_monitored = rdt->monitor;
        record_keep(r, spec);
        keep_stop_signal(r, unit);
}

/* Each line has the name of the stream that it came by. All else that tells the lines of one container from those of another
 * the journal finds by the process that wrote, or in systemd's files about the unit, and both may be gone by then. */
const char *record_log_name(const Record *r, Arena *a) {
        return arena_printf(a, "%s-%08x", r->id, (uint32_t) hash_bytes(r->created, strlen(r->created)));
}

const char *record_end_unit(const Record *r, Arena *a) {
        return unit_name_of_end(r->home, r->unit, r->id, a);
}

int record_stop_signal(const Record *r) {
        int signal = r->stop_signal ? parse_signal(r->stop_signal) : 0;

        return signal > 0 ? signal : SIGTERM;
}

bool record_may_begin_again(const Record *r) {
        bool given = false;

        for (const char *const *p = r->properties; p && *p && !given; p++)
                given = startswith(*p, "Restart=");
        return given || (r->restart && !streq(r->restart, "no"));
}

/* --- all of it -------------------------------------------------------------------------------------------------- */

void record_encode(const Record *r, Text *ret) {
        text_addf(ret, "version=%d\n", RECORD_VERSION);
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const void *p = (const char *) r + fields[i].offset;

                switch (fields[i].type) {
                case FIELD_STRING:
                        if (*(const char *const *) p)
                                add_line(ret, "", fields[i].key, *(const char *const *) p);
                        break;
                case FIELD_BOOL:
                        text_addf(ret, "%s=%d\n", fields[i].key, *(const bool *) p);
                        break;
                case FIELD_U32:
                        text_addf(ret, "%s=%u\n", fields[i].key, *(const uint32_t *) p);
                        break;
                case FIELD_U64:
                        text_addf(ret, "%s=%llu\n", fields[i].key, (unsigned long long) *(const uint64_t *) p);
                        break;
                case FIELD_PID:
                        text_addf(ret, "%s=%u\n", fields[i].key, (unsigned) *(const pid_t *) p);
                        break;
                }
        }
        add_hooks(ret, r);
        add_namespaces(ret, r);
        for (const char *const *property = r->properties; property && *property; property++)
                add_line(ret, "", "property", *property);
        for (size_t i = 0; i < r->n_annotations; i++)
                add_line(ret, "annotation.", r->annotations[i].key, r->annotations[i].value);
        text_add(ret, "end=\n");
}

static int decode_field(size_t i, const char *value, Record *r) {
        void *p = (char *) r + fields[i].offset;
        uint64_t u;

        if (fields[i].type == FIELD_STRING) {
                *(const char **) p = arena_strdup(&r->arena, value);
                return 0;
        }
        if (parse_u64(value, &u) < 0)
                return -EBADMSG;
        switch (fields[i].type) {
        case FIELD_BOOL:
                if (u > 1)
                        return -EBADMSG;
                *(bool *) p = u;
                return 0;
        case FIELD_U32:
                if (u > UINT32_MAX)
                        return -EBADMSG;
                *(uint32_t *) p = (uint32_t) u;
                return 0;
        case FIELD_PID:
                if (u > INT32_MAX)
                        return -EBADMSG;
                *(pid_t *) p = (pid_t) u;
                return 0;
        default:
                *(uint64_t *) p = u;
                return 0;
        }
}

static int decode_annotation(const char *key, const char *value, Record *r) {
        r->annotations = grow(&r->arena, r->annotations, r->n_annotations, sizeof(SpecKeyValue));
        r->annotations[r->n_annotations++] = (SpecKeyValue){ arena_strdup(&r->arena, key), arena_strdup(&r->arena, value) };
        return 0;
}

/* What version 1 has, and no other: the hooks themselves are in config.json. */
static int decode_old(const char *key, const char *value, const Record *r) {
        bool known = streq(key, "has_poststart") || streq(key, "has_poststop");

        return known && r->version == 1 && (streq(value, "0") || streq(value, "1")) ? 0 : -EBADMSG;
}

static int decode_line(char *line, Record *r, uint64_t *seen) {
        char *value = strchr(line, '=');
        const char *rest;
        int r_hook;

        if (!value)
                return -EBADMSG;
        *value++ = '\0';
        if (unescape(line) < 0 || unescape(value) < 0)
                return -EBADMSG;
        rest = startswith(line, "annotation.");
        if (rest)
                return decode_annotation(rest, value, r);
        rest = startswith(line, "namespace.");
        if (rest)
                return decode_namespace(rest, value, r);
        if (streq(line, "property")) {
                r->properties = append(&r->arena, r->properties, value);
                return 0;
        }
        r_hook = decode_hook(line, value, r);
        if (r_hook <= 0)
                return r_hook;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(line, fields[i].key)) {
                        if (*seen & 1ULL << i)
                                return -EBADMSG;
                        *seen |= 1ULL << i;
                        return decode_field(i, value, r);
                }
        return decode_old(line, value, r);
}

/* What follows the first line, or NULL: by a version that we do not know. */
static char *decode_version(char *bytes, Record *r) {
        for (uint32_t version = 1; version <= RECORD_VERSION; version++) {
                _cleanup_free_ char *line = xasprintf("version=%u\n", version);
                const char *rest = startswith(bytes, line);

                r->version = version;
                if (rest)
                        return (char *) rest;
        }
        return NULL;
}

static int decode_home(Record *r) {
        if (!r->unit && !r->slice)
                r->home = r->cgroup ? HOME_CGROUP : HOME_NONE;
        else if (r->unit && r->slice)
                r->home = endswith(r->unit, ".service") ? HOME_SERVICE : HOME_SCOPE;
        else if (r->unit && r->cgroup)
                r->home = HOME_IN_SERVICE;
        else
                return -EBADMSG;
        return 0;
}

static int decode(char *bytes, Record *r) {
        bool ended = false;
        uint64_t seen = 0;
        char *line, *next;

        next = decode_version(bytes, r);
        if (!next)
                return -EBADMSG;
        for (line = next; *line && !ended; line = next) {
                next = strchr(line, '\n');
                if (!next)
                        return -EBADMSG;
                *next++ = '\0';
                ended = streq(line, "end=");
                if (!ended && decode_line(line, r, &seen) < 0)
                        return -EBADMSG;
        }
        if (!ended || *next)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (fields[i].required && !(seen & 1ULL << i))
                        return -EBADMSG;
        return decode_home(r);
}

int record_decode(char *bytes, Record *ret) {
        Record record = {};
        int r = decode(bytes, &record);

        if (r < 0)
                record_done(&record);
        else
                *ret = record;
        return r;
}
