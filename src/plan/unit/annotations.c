/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>

#include "basic/nearest.h"
#include "plan/unit/internal.h"
#include "plan/unit/variant.h"

/*
 * Annotations org.systemd.property.NAME become properties of the scope. Engines pass on what their users write, and a
 * property can be as good as root on the host, so each has a row that says whether it may be set. What the runtime decides
 * itself may not be; of what it only proposes, the annotation wins; what the resources say, they say.
 */

#define PREFIX "org.systemd.property."
#define VALUE_MAX 4096

/*
 * systemd's manuals say TimeoutStopSec, its bus TimeoutStopUSec. As other runtimes do, take both: seconds,
 * of any numeric type, are multiplied. Returns 1 when name was of that kind; *ret_name then is the bus's
 * name.
 */
static int convert_seconds(Arena *a, const char *name, const char **ret_name) {
        size_t n = strlen(name);

        if (n < 4 || !endswith(name, "Sec") || !islower((unsigned char) name[n - 4]))
                return 0;
        *ret_name = arena_printf(a, "%.*sUSec", (int) (n - 3), name);
        return 1;
}

static int check_name(const char *name) {
        size_t n = 0;

        for (; name[n]; n++)
                if (!isalpha((unsigned char) name[n]) || (unsigned char) name[n] >= 0x80)
                        return -EINVAL;
        return n >= 3 && n <= 64 ? 0 : -EINVAL;
}

static const char *type_name(UnitType type) {
        switch (type) {
        case UNIT_BOOL:
                return "a boolean";
        case UNIT_I32:
                return "an int32";
        case UNIT_U32:
                return "a uint32";
        case UNIT_U64:
                return "a uint64";
        case UNIT_STRING:
                return "a string";
        default:
                return "strings: words, or a list like ['a', 'b']";
        }
}

static int refuse(const char *key, const char *name, Arena *a, Error *reterr) {
        Strings names = {};
        const char *near;

        for (const Property *p = unit_properties; p->name; p++)
                if (p->annotation)
                        strings_add(a, &names, p->name);
        near = nearest(name, names.s, names.n);
        return error_setf(reterr, EOPNOTSUPP, "annotation %s: not a property that a container may set%s%s%s", key,
                          near ? ", did you mean " : "", near ?: "", near ? "?" : "");
}

/* Strings need no quotes where strings are wanted, and lists no brackets: they are words then, as in a unit file. */
static int read_value(const Property *p, const char *text, Arena *a, Variant *ret) {
        bool strings = p->type == UNIT_STRING || p->type == UNIT_STRV;
        int r = variant_parse(text, a, ret);

        if (strings && !strchr("'\"[@", *text) && (r < 0 || (ret->type != 's' && ret->type != 'a'))) {
                *ret = (Variant){ .type = 's', .s = strip(arena_strdup(a, text)) };
                r = 0;
        }
        if (r == 0 && p->type == UNIT_STRV && ret->type == 's')
                variant_split(ret, a);
        return r;
}

static int add_annotation(UnitPlan *plan, const char *key, const char *name, const char *text,
                          Error *reterr) {
        const Property *p;
        Variant v = {};
        UnitProp *prop;
        bool seconds;

        if (check_name(name) < 0)
                return error_setf(reterr, EINVAL, "annotation %s: not the name of a unit property", key);
        seconds = convert_seconds(&plan->arena, name, &name) > 0;
        p = unit_property(name);
        if (!p || !p->annotation || (seconds && p->type != UNIT_U64))
                return refuse(key, name, &plan->arena, reterr);
        if (strlen(text) > VALUE_MAX)
                return error_setf(reterr, EINVAL, "annotation %s: value of more than %d bytes", key,
                                  VALUE_MAX);
        text += strspn(text, " \t");
        if (read_value(p, text, &plan->arena, &v) < 0)
                return error_setf(reterr, EINVAL,
                                  "annotation %s: \"%s\" is not a value in GVariant's text format: expected %s", key,
                                  text, seconds ? "a number of seconds" : type_name(p->type));
        if ((seconds ? variant_seconds_to_usec(&v) : variant_convert(&v, p->type)) < 0)
                return error_setf(reterr, EINVAL, "annotation %s: expected %s, got \"%s\"", key,
                                  seconds ? "a number of seconds" : type_name(p->type), text);
        if (unit_property_check(p, &v) < 0)
                return error_setf(reterr, EINVAL, "annotation %s: bad value \"%s\"", key, text);
        prop = unit_plan_find(plan, p->name);
        if (prop && !p->proposal)
                return error_setf(reterr, EINVAL,
                                  "annotation %s: %s is set elsewhere in the configuration, too", key,
                                  p->name);
        if (!prop)
                prop = unit_plan_add(plan, p->name, p->type);
        prop->optional = false;
        prop->path = arena_printf(&plan->arena, "annotation %s", key);
        unit_prop_set_value(prop, &v);
        return 0;
}

/* The same property twice, be it as Sec and USec or by a document with the same key twice. */
static int check_duplicates(const Spec *spec, size_t n, const char *name, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};

        (void) convert_seconds(&a, name, &name);
        for (size_t i = 0; i < n; i++) {
                const char *other = startswith(spec->annotations[i].key, PREFIX);

                if (!other)
                        continue;
                (void) convert_seconds(&a, other, &other);
                if (streq(other, name))
                        return error_setf(reterr, EINVAL, "annotation %s: sets %s, as annotation %s does",
                                          spec->annotations[n].key, name, spec->annotations[i].key);
        }
        return 0;
}

int unit_add_annotations(UnitPlan *plan, const Spec *spec, Error *reterr) {
        for (size_t i = 0; i < spec->n_annotations; i++) {
                const char *name = startswith(spec->annotations[i].key, PREFIX);
                int r;

                if (!name)
                        continue;
                r = check_duplicates(spec, i, name, reterr);
                if (r < 0)
                        return r;
                r = add_annotation(plan, spec->annotations[i].key, name, spec->annotations[i].value, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
