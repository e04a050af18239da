/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci/spec.h"

#include <stdlib.h>

#include "basic/str.h"
#include "oci/spec-fields.h"

/* Spec.document: a Spec can hold on to several, as each process.json that was read for it is one. */
typedef struct Document Document;
struct Document {
        struct json_object *value;
        Document *next;
};

/* Three numbers, then perhaps "-rc1" or "+dev". */
static bool is_version(const char *s) {
        static const char suffix[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.+-";

        for (unsigned i = 0; i < 3; i++) {
                size_t n = strspn(s, "0123456789");

                if (n == 0 || n > 9 || (n > 1 && s[0] == '0') || (i < 2 && s[n] != '.'))
                        return false;
                s += i < 2 ? n + 1 : n;
        }
        return *s == '\0' || ((*s == '-' || *s == '+') && s[1] != '\0' && strspn(s, suffix) == strlen(s));
}

/* The major version has to be ours; within it the specification is "forward and backward compatible", and a newer
 * minor version differs in properties that are ignored when they are not known. */
static int check_version(const JsonNode *node, void *version) {
        const char *s = *(const char **) version;

        if (!is_version(s))
                return json_error(node, NULL, EINVAL, "\"%s\" is not a version such as \"1.2.0\"", s);
        if (!startswith(s, "1."))
                return json_error(node, NULL, EINVAL, "unsupported version \"%s\": only 1.x is known", s);
        return 0;
}

void spec_settle_pids(const char *version, SpecResources *resources) {
        const char *minor = startswith(version, "1.");
        bool is_value = minor && strtoul(minor, NULL, 10) >= 3;

        if (!is_value && resources->pids_limit.set && resources->pids_limit.v == 0)
                resources->pids_limit.v = -1;
}

/* The kernel's __NEW_UTS_LEN. */
#define UTS_NAME_MAX 64

static int check_uts_name(const JsonNode *node, void *name) {
        size_t n = strlen(*(const char **) name);

        if (n > UTS_NAME_MAX)
                return json_error(node, NULL, EINVAL, "has %zu bytes, %d are possible", n, UTS_NAME_MAX);
        return 0;
}

static int check_annotation(const JsonNode *node, void *pair) {
        const SpecKeyValue *annotation = pair;

        if (annotation->key[0] == '\0')
                return json_error(node, NULL, EINVAL, "the name of an annotation must not be empty");
        /* An engine's, out of an image: no reason not to run it. */
        if (streq(annotation->key, SPEC_STOP_SIGNAL) && !isempty(annotation->value) &&
            parse_signal(annotation->value) <= 0)
                json_warn(node, "unknown signal \"%s\": stop begins with TERM", annotation->value);
        return 0;
}

static const JsonField root_fields[] = {
        JSON_STRING("path", Spec, root_path, .required = true,
                    HELPER("pivot_root, or chroot in a mount namespace that is not the container's alone; no symlink on "
                           "the way is followed: who can write there could have it lead to the host's root")),
        JSON_BOOL("readonly", Spec, root_readonly, HELPER("mount_setattr of the root")),
        {}
};

/* What is for other platforms may well stand beside "linux". A virtual machine would be another isolation than the
 * one that was asked for, so that is refused. */
const JsonField spec_fields[] = {
        JSON_STRING("ociVersion", Spec, oci_version, .required = true, .check = check_version,
                    RUNTIME("refuses another than 1.x")),
        JSON_INLINE("root", root_fields, .required = true),
        JSON_ARRAY("mounts", Spec, mounts, n_mounts, SpecMount, spec_mount_fields, .check = spec_check_mount),
        JSON_STRING("hostname", Spec, hostname, .check = check_uts_name,
                    HELPER("sethostname; refused in the host's own namespace")),
        JSON_STRING("domainname", Spec, domainname, .check = check_uts_name,
                    HELPER("setdomainname; refused in the host's own namespace")),
        JSON_POINTER("process", Spec, process, SpecProcess, spec_process_fields, .check = spec_check_process),
        JSON_INLINE("hooks", spec_hooks_fields),
        JSON_OBJECT("linux", Spec, linux_, SpecLinux, spec_linux_fields, .check = spec_check_sysctl),
        JSON_MAP("annotations", Spec, annotations, n_annotations, SpecKeyValue, NULL, .check = check_annotation,
                 RUNTIME("part of the state; for those with an effect see ocirt-sd(1)")),
        JSON_REFUSED("vm", "containers do not run in virtual machines here"),
        JSON_IGNORED("windows", "another platform"),
        JSON_IGNORED("solaris", "another platform"),
        JSON_IGNORED("zos", "another platform"),
        JSON_IGNORED("freebsd", "another platform"),
        {}
};

static Spec *spec_new(void) {
        Spec *spec = xmalloc0(sizeof(*spec));

        json_set_absent(spec_linux_fields, &spec->linux_);
        return spec;
}

Spec *spec_free(Spec *spec) {
        if (!spec)
                return NULL;
        for (Document *d = spec->document; d; d = d->next)
                json_free(d->value);
        arena_done(&spec->arena);
        free(spec);
        return NULL;
}

static int parse_document(Spec *spec, const char *bytes, size_t size, struct json_object **ret, Error *reterr) {
        Document *d;
        int r;

        r = json_parse(bytes, size, ret, reterr);
        if (r < 0)
                return r;
        d = arena_alloc(&spec->arena, sizeof(*d));
        *d = (Document){ .value = *ret, .next = spec->document };
        spec->document = d;
        return 0;
}

/* Reads a document that is one property of the object `parent` of config.json. */
static int parse_part(Spec *spec, const char *bytes, size_t size, const JsonNode *parent, const JsonField *row,
                      void *to) {
        JsonNode node = { .parent = parent, .name = row->name, .reader = parent->reader };
        int r;

        r = parse_document(spec, bytes, size, &node.value, parent->reader->reterr);
        return r < 0 ? r : row->read(&node, row, to);
}

static int parse(const char *bytes, size_t size, bool kept, SpecProblems *problems, Spec **ret, Error *reterr) {
        _cleanup_spec_ Spec *spec = spec_new();
        JsonReader reader = { &spec->arena, reterr, &spec->warnings, problems };
        JsonNode node = { .reader = &reader };
        int r;

        r = parse_document(spec, bytes, size, &node.value, reterr);
        if (r >= 0)
                r = json_read_fields(&node, spec_fields, spec);
        if (r >= 0)
                r = spec_find_listener(spec, reterr);
        if (r >= 0 && !kept)
                r = spec_validate(spec, reterr);
        if (r < 0) {
                (void) json_goes_on(&reader);
                for (size_t i = 0; i < spec->warnings.n && problems; i++)
                        strings_add(&problems->arena, &problems->warnings,
                                    arena_strdup(&problems->arena, spec->warnings.s[i]));
                return r;
        }
        if (spec->linux_.resources)
                spec_settle_pids(spec->oci_version, spec->linux_.resources);
        *ret = TAKE_PTR(spec);
        return 0;
}

int spec_parse(const char *bytes, size_t size, Spec **ret, Error *reterr) {
        return parse(bytes, size, false, NULL, ret, reterr);
}

int spec_parse_kept(const char *bytes, size_t size, Spec **ret, Error *reterr) {
        return parse(bytes, size, true, NULL, ret, reterr);
}

int spec_parse_all(const char *bytes, size_t size, SpecProblems *problems, Spec **ret) {
        Error error = {}; /* becomes one of the problems */

        return parse(bytes, size, false, problems, ret, &error);
}

void spec_problems_done(SpecProblems *problems) {
        arena_done(&problems->arena);
        *problems = (SpecProblems){};
}

static const JsonField *find_row(const JsonField *table, const char *name) {
        while (!streq(table->name, name))
                table++;
        return table;
}

int spec_parse_process(Spec *spec, const char *bytes, size_t size, SpecProcess **ret, Error *reterr) {
        JsonReader reader = { &spec->arena, reterr, &spec->warnings };
        const JsonNode root = { .reader = &reader };
        SpecProcess *process;
        int r;

        r = parse_part(spec, bytes, size, &root, find_row(spec_fields, "process"), &process);
        if (r < 0)
                return r;
        *ret = process;
        return 0;
}

/* One property of "linux". */
static int parse_linux_part(const char *bytes, size_t size, const char *name, size_t offset, Spec **ret,
                            Error *reterr) {
        _cleanup_spec_ Spec *spec = spec_new();
        JsonReader reader = { &spec->arena, reterr, &spec->warnings };
        const JsonNode root = { .name = "linux", .reader = &reader };
        int r;

        r = parse_part(spec, bytes, size, &root, find_row(spec_linux_fields, name), (char *) &spec->linux_ + offset);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(spec);
        return 0;
}

int spec_parse_resources(const char *bytes, size_t size, Spec **ret, Error *reterr) {
        return parse_linux_part(bytes, size, "resources", offsetof(SpecLinux, resources), ret, reterr);
}

int spec_parse_intel_rdt(const char *bytes, size_t size, Spec **ret, Error *reterr) {
        return parse_linux_part(bytes, size, "intelRdt", offsetof(SpecLinux, intel_rdt), ret, reterr);
}
