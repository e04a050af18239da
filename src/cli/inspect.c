/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>

#include "cli/ids.h"
#include "cli/inspection.h"
#include "cli/state-object.h"
#include "cli/verb.h"

typedef struct InspectOptions {
        const char *format;
        json_object *all;       /* of several; NULL: each is printed at once */
} InspectOptions;

static const Option options[] = {
        { .name = "format", .letter = 'f', .offset = offsetof(InspectOptions, format), .type = OPTION_STRING,
          .argument = "FIELD", .help = "That alone, as state.status or exit.code" },
        OPTION_ELSEWHERE("output", 'o', "it is JSON; --format FIELD prints one value"),
        OPTION_END,
};

static bool step(json_object *at, const char *name, json_object **ret) {
        uint64_t i;

        if (json_object_is_type(at, json_type_object))
                return json_object_object_get_ex(at, name, ret);
        if (!json_object_is_type(at, json_type_array) || parse_u64(name, &i) < 0 || i >= json_object_array_length(at))
                return false;
        *ret = json_object_array_get_idx(at, i);
        return true;
}

/* Names may have dots themselves, as those of annotations. What is nothing has all fields, and they are nothing. */
static bool find(json_object *at, const char *path, json_object **ret) {
        json_object *next;

        *ret = at;
        if (!at || step(at, path, ret))
                return true;
        for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
                _cleanup_free_ char *name = xasprintf("%.*s", (int) (dot - path), path);

                if (step(at, name, &next) && find(next, dot + 1, ret))
                        return true;
        }
        return false;
}

static int print_field(json_object *object, const char *path, Error *reterr) {
        json_object *found;

        if (!find(object, path, &found))
                return error_setf(reterr, EINVAL, "--format: inspect has no field \"%s\"%s", path,
                                  strchr(path, '{') ? " (it is a path, as state.status)" : "");
        if (json_object_is_type(found, json_type_string))
                puts(json_object_get_string(found));
        else
                print_object(found, false);
        return 0;
}

static int inspect_one(const Runtime *rt, const char *id, void *target, Error *reterr) {
        _cleanup_inspection_ Inspection i = INSPECTION_NONE;
        const InspectOptions *o = target;
        json_object *object;
        int r = runtime_inspect(rt, id, &i, reterr);

        if (r < 0)
                return r;
        object = inspection_object(&i);
        if (o->all) {
                json_object_array_add(o->all, object);
                return 0;
        }
        if (o->format)
                r = print_field(object, o->format, reterr);
        else
                print_object(object, true);
        json_object_put(object);
        return r;
}

static int inspect(const Runtime *rt, void *target, char **words, Error *reterr) {
        InspectOptions *o = target;
        int r;

        if (words[1] && !o->format)
                o->all = json_object_new_array();
        r = on_each(rt, words, false, inspect_one, o, reterr);
        if (o->all)
                print_object(o->all, true);
        json_object_put(o->all);
        return r;
}

const Verb verb_inspect = {
        .name = "inspect", .arguments = "ID...", .summary = "Print all that is known of a container as JSON",
        .example = "inspect --format exit.code web",
        .options = options, .options_size = sizeof(InspectOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = UINT32_MAX, .run = inspect,
};
