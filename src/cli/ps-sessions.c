/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/ps-sessions.h"

#include <json.h>
#include <stdio.h>

#include "basic/str.h"

/* Of anybody's making: it must not look like a row, or talk to a terminal. */
static void print_command(const char *text) {
        for (; *text; text++)
                putchar((unsigned char) *text < ' ' || *text == 0x7f ? '?' : *text);
        putchar('\n');
}

static void print_table(const SessionRow *rows, size_t n) {
        int width = (int) strlen("SESSION");

        for (size_t i = 0; i < n; i++)
                width = MAX(width, (int) strlen(rows[i].name));
        printf("%-*s   %-8s   %-8s   %-4s   %-35s   COMMAND\n", width, "SESSION", "PID", "STATUS", "EXIT", "CREATED");
        for (const SessionRow *r = rows; r < rows + n; r++) {
                char pid[16], status[16];

                snprintf(pid, sizeof(pid), "%d", r->pid);
                snprintf(status, sizeof(status), "%d", r->exit_status);
                printf("%-*s   %-8s   %-8s   %-4s   %-35s   ", width, r->name, r->status == STATUS_STOPPED ? "-" : pid,
                       status_name(r->status), r->exit_status < 0 ? "-" : status, r->created);
                print_command(r->command);
        }
}

static void print_json(const SessionRow *rows, size_t n) {
        json_object *list = json_object_new_array();

        for (const SessionRow *r = rows; r < rows + n; r++) {
                json_object *o = json_object_new_object();

                json_object_object_add(o, "name", json_object_new_string(r->name));
                json_object_object_add(o, "pid", json_object_new_int(r->pid));
                json_object_object_add(o, "status", json_object_new_string(status_name(r->status)));
                if (r->exit_status >= 0)
                        json_object_object_add(o, "exitStatus", json_object_new_int(r->exit_status));
                json_object_object_add(o, "created", json_object_new_string(r->created));
                json_object_object_add(o, "command", json_object_new_string(r->command));
                json_object_array_add(list, o);
        }
        puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        json_object_put(list);
}

int ps_sessions(const Runtime *rt, const char *id, bool json, Error *reterr) {
        _cleanup_(arena_done) Arena a = {};
        SessionRow *rows = NULL;
        size_t n = 0;
        int r = runtime_sessions(rt, id, &a, &rows, &n, reterr);

        if (r == 0)
                (json ? print_json : print_table)(rows, n);
        return r;
}
