/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/session-request.h"

#include <errno.h>

#include "basic/file.h"

#define FILE_MAX_BYTES (64UL * 1024 * 1024)

typedef enum FieldType { FIELD_STRING, FIELD_LIST, FIELD_BOOL } FieldType;

static const struct {
        const char *key;
        FieldType type;
        size_t offset;
} fields[] = {
#define FIELD(key, type, member) \
        { key, type, offsetof(ExecOptions, member) }
        FIELD("arg", FIELD_LIST, args),
        FIELD("env", FIELD_LIST, env),
        FIELD("cap", FIELD_LIST, caps),
        FIELD("gid", FIELD_LIST, additional_gids),
        FIELD("cwd", FIELD_STRING, cwd),
        FIELD("user", FIELD_STRING, user),
        FIELD("label", FIELD_STRING, process_label),
        FIELD("apparmor", FIELD_STRING, apparmor),
        FIELD("cgroup", FIELD_STRING, cgroup),
        FIELD("file", FIELD_STRING, process_file),
        FIELD("tty", FIELD_BOOL, tty),
        FIELD("no_new_privs", FIELD_BOOL, no_new_privs),
        FIELD("no_new_privs_set", FIELD_BOOL, no_new_privs_set),
        FIELD("ignore_paused", FIELD_BOOL, ignore_paused),
#undef FIELD
};

static void add_line(Text *t, const char *key, const char *value) {
        text_addf(t, "%s=", key);
        text_add_escaped(t, value, "");
        text_add(t, "\n");
}

void session_request_encode(const SessionRequest *request, Text *ret) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const void *p = (const char *) &request->options + fields[i].offset;

                if (fields[i].type == FIELD_BOOL)
                        text_addf(ret, "%s=%d\n", fields[i].key, *(const bool *) p);
                else if (fields[i].type == FIELD_STRING && *(const char *const *) p)
                        add_line(ret, fields[i].key, *(const char *const *) p);
                else if (fields[i].type == FIELD_LIST)
                        for (const char *const *s = *(const char *const *const *) p; s && *s; s++)
                                add_line(ret, fields[i].key, *s);
        }
        if (request->process)
                add_line(ret, "process", request->process);
        text_add(ret, "end=\n");
}

static void append(const char ***list, const char *value, Arena *a) {
        size_t n = 0;
        const char **longer;

        while (*list && (*list)[n])
                n++;
        longer = arena_calloc(a, n + 2, sizeof(*longer));
        if (n > 0)
                memcpy(longer, *list, n * sizeof(*longer));
        longer[n] = arena_strdup(a, value);
        *list = longer;
}

static int decode_field(size_t i, const char *value, Arena *a, ExecOptions *o) {
        void *p = (char *) o + fields[i].offset;

        switch (fields[i].type) {
        case FIELD_STRING:
                *(const char **) p = arena_strdup(a, value);
                return 0;
        case FIELD_LIST:
                append(p, value, a);
                return 0;
        default:
                *(bool *) p = streq(value, "1");
                return streq(value, "0") || streq(value, "1") ? 0 : -EBADMSG;
        }
}

static int decode_line(char *line, Arena *a, SessionRequest *request) {
        char *value = strchr(line, '=');

        if (!value)
                return -EBADMSG;
        *value++ = '\0';
        if (unescape(value) < 0)
                return -EBADMSG;
        if (streq(line, "process")) {
                request->process = arena_strdup(a, value);
                request->process_size = strlen(value);
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(line, fields[i].key))
                        return decode_field(i, value, a, &request->options);
        return -EBADMSG;
}

int session_request_decode(char *bytes, Arena *a, SessionRequest *ret) {
        SessionRequest request = {};
        char *save = NULL;

        for (char *line = strtok_r(bytes, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (streq(line, "end=")) {
                        *ret = request;
                        return strtok_r(NULL, "\n", &save) ? -EBADMSG : 0;
                }
                if (decode_line(line, a, &request) < 0)
                        return -EBADMSG;
        }
        return -EBADMSG;
}

int session_request_read(const Container *session, Arena *a, SessionRequest *ret, Error *reterr) {
        _cleanup_free_ char *bytes = NULL;
        int r = read_file_at(session->dir, "request", FILE_MAX_BYTES, &bytes, NULL);

        if (r == 0)
                r = session_request_decode(bytes, a, ret);
        return r < 0 ? error_errnof(reterr, r, "cannot read what session %s of container %s is to run", session->id,
                                    session->of)
                     : 0;
}
