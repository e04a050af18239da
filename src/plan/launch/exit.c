/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/launch/exit.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static const struct {
        const char *key;
        size_t offset;
} fields[] = {
#define FIELD(name) { #name, offsetof(Exit, name) }
        FIELD(result),
        FIELD(code),
        FIELD(status),
        FIELD(time),
        FIELD(invocation),
        FIELD(request),
#undef FIELD
};

/* systemd has those between SIGRTMIN and SIGRTMAX as "RTMIN+1". */
static const char *signal_name(int number, Arena *a) {
        const char *name = sigabbrev_np(number);

        if (name)
                return arena_strdup(a, name);
        return number >= SIGRTMIN && number <= SIGRTMAX ? arena_printf(a, "RTMIN+%d", number - SIGRTMIN)
                                                        : arena_printf(a, "%d", number);
}

static int signal_number(const char *name) {
        const char *beyond = startswith(name, "RTMIN+");
        uint64_t number;

        for (int i = 1; i < SIGRTMIN; i++)
                if (streq_null(sigabbrev_np(i), name))
                        return i;
        if (parse_u64(beyond ?: name, &number) < 0 || number > (uint64_t) SIGRTMAX)
                return -EBADMSG;
        return (beyond ? SIGRTMIN : 0) + (int) number;
}

Exit exit_from_wait(int status, Arena *a) {
        if (WIFSIGNALED(status))
                return (Exit){ .result = WCOREDUMP(status) ? "core-dump" : "signal",
                               .code = WCOREDUMP(status) ? "dumped" : "killed",
                               .status = signal_name(WTERMSIG(status), a) };
        return (Exit){ .result = WEXITSTATUS(status) == 0 ? "success" : "exit-code",
                       .code = "exited",
                       .status = arena_printf(a, "%d", WEXITSTATUS(status)) };
}

Exit exit_from_unit(const char *result, int code, int status, Arena *a) {
        Exit e = { .result = arena_strdup(a, result) };

        if (code == CLD_EXITED)
                e.code = "exited";
        else if (code == CLD_KILLED || code == CLD_DUMPED)
                e.code = code == CLD_DUMPED ? "dumped" : "killed";
        else
                return e;
        e.status = code == CLD_EXITED ? arena_printf(a, "%d", status) : signal_name(status, a);
        return e;
}

int exit_status(const Exit *e) {
        uint64_t number;
        int signal;

        if (!e->code || !e->status)
                return -ENODATA;
        if (streq(e->code, "exited"))
                return parse_u64(e->status, &number) < 0 || number > 255 ? -ENODATA : (int) number;
        signal = signal_number(e->status);
        return signal < 0 ? -ENODATA : 128 + signal;
}

int exit_code(const Exit *e, const char **ret_signal) {
        bool exited = streq_null(e->code, "exited");

        *ret_signal = e->code && !exited ? e->status : NULL;
        return exited ? exit_status(e) : -ENODATA;
}

/* A process that was asked to end may do so as it likes. What systemd has had to do besides is another matter. */
const char *exit_reason(const Exit *e) {
        static const char *const own[] = { "success", "exit-code", "signal" };

        for (size_t i = 0; e->request && i < ELEMENTSOF(own); i++)
                if (streq(e->result, own[i]))
                        return "stopped";
        return e->result;
}

int exit_status_of_wait(int status) {
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void exit_encode(const Exit *e, Text *ret) {
        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                const char *value = *(const char *const *) ((const void *) ((const char *) e + fields[i].offset));

                if (!value)
                        continue;
                text_addf(ret, "%s=", fields[i].key);
                text_add_escaped(ret, value, "");
                text_add(ret, "\n");
        }
}

static int decode_line(char *line, Arena *a, Exit *e) {
        char *value = strchr(line, '=');

        if (!value)
                return -EBADMSG;
        *value++ = '\0';
        if (unescape(value) < 0)
                return -EBADMSG;
        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                if (streq(line, fields[i].key)) {
                        *(const char **) ((void *) ((char *) e + fields[i].offset)) = arena_strdup(a, value);
                        return 0;
                }
        return -EBADMSG;
}

int exit_decode(char *bytes, Arena *a, Exit *ret) {
        char *save = NULL;
        Exit e = {};

        for (char *line = strtok_r(bytes, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
                if (decode_line(line, a, &e) < 0)
                        return -EBADMSG;
        if (!e.result)
                return -EBADMSG;
        *ret = e;
        return 0;
}
