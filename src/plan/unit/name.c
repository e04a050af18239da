/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "plan/unit/internal.h"

/* systemd takes 255 bytes; some are left for what it appends itself (drop-in directories). */
#define SCOPE_MAX 200
#define SLICE_MAX 255
#define SCOPE_SUFFIX ".scope"
#define SLICE_SUFFIX ".slice"
#define SERVICE_SUFFIX ".service"

/* Of a unit of a session, and what is kept then of that of its container. */
#define SESSION_MAX 245
#define SESSION_KEEP 150

static bool is_alnum(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What unit names are made of. '@' would make an instance of a template; systemd's own escapes use '\\'. */
static bool is_unit_char(char c) {
        return is_alnum(c) || (c != '\0' && strchr(":_.-", c));
}

bool unit_name_is_plain(const char *name, const char *const *suffixes) {
        const char *dot = strrchr(name, '.');
        bool known = false;

        if (!dot || dot == name || strlen(name) > SLICE_MAX)
                return false;
        for (size_t i = 0; suffixes[i]; i++)
                known = known || streq(dot, suffixes[i]);
        for (const char *c = name; c < dot; c++)
                if (!is_unit_char(*c) && *c != '\\' && (*c != '@' || c == name))
                        return false;
        return known;
}

/* As systemd checks it. A container in the root slice would be nobody's to limit. */
bool unit_slice_is_plain(const char *slice) {
        size_t n = strlen(slice);
        bool good = n > strlen(SLICE_SUFFIX) && n <= SLICE_MAX && endswith(slice, SLICE_SUFFIX);

        for (size_t i = 0; good && i < n; i++)
                good = is_unit_char(slice[i]) || slice[i] == '\\';
        return good && slice[0] != '-' && slice[0] != '.' && !strstr(slice, "--") && !strstr(slice, "-" SLICE_SUFFIX);
}

static int check_slice(const char *slice, const char *cgroups_path, Error *reterr) {
        if (unit_slice_is_plain(slice))
                return 0;
        return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\" in \"%s\" is not the name of a slice", slice,
                          cgroups_path);
}

static void add_escaped(Text *name, const char *s) {
        for (; *s; s++)
                if (is_unit_char(*s) && (*s != '.' || name->n > 0))
                        text_addn(name, s, 1);
                else
                        text_addf(name, "\\x%02x", (unsigned char) *s);
}

/* Appends the suffix; too long a name keeps its beginning, as far as no escape is cut, and gets a hash: long names that begin
 * alike must not meet, but a collision would only be refused by systemd. */
static const char *finish_scope(Text *name, Arena *a) {
        size_t keep = SCOPE_MAX - strlen("-0123456789abcdef" SCOPE_SUFFIX);
        const char *escape;

        if (name->n + strlen(SCOPE_SUFFIX) <= SCOPE_MAX)
                return arena_printf(a, "%s" SCOPE_SUFFIX, name->s);
        escape = memrchr(name->s + keep - 3, '\\', 3);
        if (escape)
                keep = (size_t) (escape - name->s);
        return arena_printf(a, "%.*s-%016" PRIx64 SCOPE_SUFFIX, (int) keep, name->s, hash_bytes(name->s, name->n));
}

/* prefix may be empty. Names that mean another unit to systemd or to people are refused. */
static int build_scope(const char *prefix, const char *base, const char *cgroups_path, Arena *a,
                       const char **ret, Error *reterr) {
        static const char *const foreign[] = { ".slice", ".service", ".socket",
                                               ".target", ".mount", ".timer" };
        _cleanup_text_ Text name = {};

        if (isempty(base))
                return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\" has no name for the scope",
                                  cgroups_path);
        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (endswith(base, foreign[i]))
                        return error_setf(reterr, EINVAL,
                                          "linux.cgroupsPath: \"%s\" must not name a unit that ends in %s",
                                          cgroups_path, foreign[i]);
        if (!isempty(prefix)) {
                add_escaped(&name, prefix);
                text_add(&name, "-");
        }
        add_escaped(&name, base);
        if (streq(name.s, "init"))
                return error_setf(reterr, EINVAL,
                                  "linux.cgroupsPath: \"%s\" means init.scope, which is systemd's own",
                                  cgroups_path);
        *ret = finish_scope(&name, a);
        return 0;
}

/* "slice:prefix:name" and, as crun takes it, "slice:name"; an empty slice is the default one. */
static int parse_triple(const char *path, Arena *a, const char **ret_name, const char **ret_slice,
                        Error *reterr) {
        const char *first = strchr(path, ':'), *second = strchr(first + 1, ':');
        const char *prefix = second ? arena_strndup(a, first + 1, (size_t) (second - first - 1)) : "";
        const char *base = second ? second + 1 : first + 1;
        int r;

        if (strchr(base, ':'))
                return error_setf(
                        reterr, EINVAL,
                        "linux.cgroupsPath: \"%s\" has more than the three parts of slice:prefix:name",
                        path);
        if (first > path) {
                *ret_slice = arena_strndup(a, path, (size_t) (first - path));
                r = check_slice(*ret_slice, path, reterr);
                if (r < 0)
                        return r;
        }
        return build_scope(prefix, base, path, a, ret_name, reterr);
}

/* Where a slice is, its name says: "a-b.slice" is in "a.slice", "b.slice" is not, nor is any slice in what is none.
 * above: the slice before it, or NULL. base: what else is. */
static int check_nesting(const char *slice, const char *above, const char *base, const char *path, Error *reterr) {
        size_t n = above ? strlen(above) - strlen(SLICE_SUFFIX) : 0;

        if (!isempty(base))
                return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\": systemd has no %s in \"%s\", which is no slice",
                                  path, slice, base);
        if (!above || (strncmp(slice, above, n) == 0 && slice[n] == '-'))
                return 0;
        return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\": systemd has no %s in %s; it would be called %.*s-%s",
                          path, slice, above, (int) n, above, slice);
}

/*
 * A path, as it would be for cgroupfs: "/default/c1". Leading components that are slices say the slice (the
 * last of them, its name has those above in it), the rest, joined by "-", is the scope's name. buildah's
 * --cgroup-parent comes as "foo.slice".
 */
static int parse_path(const char *path, const char *id, Arena *a, const char **ret_name,
                      const char **ret_slice, Error *reterr) {
        _cleanup_text_ Text base = {};
        char *copy = arena_strdup(a, path), *save = NULL;
        const char *above = NULL;
        int r;

        for (char *c = strtok_r(copy, "/", &save); c; c = strtok_r(NULL, "/", &save)) {
                if (streq(c, "."))
                        continue;
                if (streq(c, ".."))
                        return error_setf(reterr, EINVAL, "linux.cgroupsPath: \"%s\" must not go up", path);
                if (endswith(c, SLICE_SUFFIX)) {
                        r = check_slice(c, path, reterr);
                        if (r == 0)
                                r = check_nesting(c, above, base.s, path, reterr);
                        if (r < 0)
                                return r;
                        *ret_slice = above = c;
                        continue;
                }
                text_addf(&base, "%s%s", base.n > 0 ? "-" : "", c);
        }
        return base.n > 0 ? build_scope("", base.s, path, a, ret_name, reterr)
                          : build_scope("ocirt-sd", id, path, a, ret_name, reterr);
}

/* No name of a container or of a session has a colon, nor has that of a template's instance another '@'. */
const char *unit_name_of_end(Home home, const char *unit, const char *id, Arena *a) {
        if (home == HOME_IN_SERVICE)
                return arena_printf(a, "ocirt-sd-end@%s.service", id);
        return arena_printf(a, "%.*s::end.service", (int) (strlen(unit) - strlen(".service")), unit);
}

const char *unit_name_above(const char *path, Arena *a) {
        char *copy = arena_strdup(a, path), *save = NULL;
        const char *c = strtok_r(copy, "/", &save);

        for (const char *next; (next = strtok_r(NULL, "/", &save)); c = next)
                if (endswith(c, ".service") || endswith(c, ".scope"))
                        return c;
        return NULL;
}

int unit_name_build(const char *cgroups_path, const char *id, bool rootless, Arena *a, const char **ret_name,
                    const char **ret_slice, Error *reterr) {
        const char *name = NULL, *slice = rootless ? "user.slice" : "system.slice";
        int r;

        if (isempty(cgroups_path)) {
                _cleanup_text_ Text t = {};

                /* Not through build_scope(): an id may end in ".service" and the like. */
                text_add(&t, "ocirt-sd-");
                add_escaped(&t, id);
                name = finish_scope(&t, a);
                r = 0;
        } else if (strchr(cgroups_path, ':'))
                r = parse_triple(cgroups_path, a, &name, &slice, reterr);
        else
                r = parse_path(cgroups_path, id, a, &name, &slice, reterr);
        if (r < 0)
                return r;
        *ret_name = name;
        *ret_slice = slice;
        return 0;
}

const char *unit_slice_above(const char *path, const char *unit, Arena *a) {
        char *copy = arena_strdup(a, path), *save = NULL;
        const char *above = NULL;

        for (const char *c = strtok_r(copy, "/", &save); c; c = strtok_r(NULL, "/", &save)) {
                if (streq(c, unit))
                        return above && endswith(above, SLICE_SUFFIX) ? above : NULL;
                above = c;
        }
        return NULL;
}

/* '@' would make it an instance of the template that the container's unit may be one of. */
const char *unit_name_of_session(const char *unit, const char *session, Arena *a) {
        const char *dot = strrchr(unit, '.');
        int n = dot ? (int) (dot - unit) : (int) strlen(unit);
        char *name = arena_printf(a, "%.*s:%s" SERVICE_SUFFIX, n, unit, session);

        if (strlen(name) > SESSION_MAX)
                name = arena_printf(a, "%.*s-%016" PRIx64 ":%s" SERVICE_SUFFIX, SESSION_KEEP, unit,
                                    hash_bytes(unit, strlen(unit)), session);
        for (char *c = name; *c; c++)
                if (*c == '@')
                        *c = '-';
        return name;
}
