/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "basic/moment.h"
#include "basic/quantity.h"
#include "cli/logs.h"
#include "cli/verb.h"
#include "runtime/inspect.h"

#define LINES 10U

static void print_line(const char *title, const Text *text) {
        _cleanup_text_ Text printable = {};

        if (text->n == 0)
                return;
        text_add_printable(&printable, text->s);
        printf("%10s: %s\n", title, printable.s);
}

/* "Mon 2026-11-30 17:40:01 UTC; 2min ago" */
static void add_moment(Text *t, const char *moment) {
        char stamp[64] = "";
        uint64_t usec;
        struct tm tm;
        time_t seconds;

        if (!moment || parse_moment(moment, 0, &usec) < 0)
                return;
        seconds = (time_t) (usec / 1000000);
        if (localtime_r(&seconds, &tm))
                strftime(stamp, sizeof(stamp), "%a %Y-%m-%d %H:%M:%S %Z", &tm);
        text_addf(t, " since %s; ", stamp);
        text_add_age(t, moment);
}

static const char *since(const Inspection *i) {
        switch (i->status) {
        case STATUS_STOPPED:
                return i->has_ended ? i->end.time : NULL;
        case STATUS_CREATED:
                return i->container.record.created;
        default:
                return i->container.record.started;
        }
}

static void print_state(const Inspection *i) {
        const char *sub = i->unit.sub;
        _cleanup_text_ Text t = {};

        text_add(&t, status_name(i->status));
        if (sub && streq(sub, "auto-restart"))
                text_add(&t, " (about to be started again)");
        add_moment(&t, since(i));
        print_line("State", &t);
}

static void print_process(const Inspection *i) {
        _cleanup_text_ Text t = {};

        if (i->status == STATUS_STOPPED || i->container.record.pid <= 0)
                return;
        text_addf(&t, "%d", i->container.record.pid);
        if (i->process[0])
                text_addf(&t, " (%s)", i->process);
        if (i->n_pids > 1)
                text_addf(&t, ", %zu in all", i->n_pids);
        print_line("Process", &t);
}

static void print_end(const Inspection *i) {
        _cleanup_text_ Text t = {};
        const char *signal;
        int code;

        if (i->has_ended) {
                code = exit_code(&i->end, &signal);
                if (signal)
                        text_addf(&t, "by signal %s", signal);
                else if (code >= 0)
                        text_addf(&t, "with status %d", code);
                text_addf(&t, "%s%s", t.n > 0 ? ", " : "", exit_reason(&i->end));
        } else if (i->status == STATUS_STOPPED)
                text_add(&t, "nobody has seen how");
        print_line("Ended", &t);
}

static void add_bytes(Text *t, uint64_t bytes) {
        static const char units[] = "BKMGTPE";
        double amount = (double) bytes;
        size_t unit = 0;

        for (; amount >= 1024 && units[unit + 1]; unit++)
                amount /= 1024;
        text_addf(t, unit == 0 || amount == (double) (uint64_t) amount ? "%.0f%c" : "%.1f%c", amount, units[unit]);
}

/* Of the unit itself, in the manner of systemctl: bytes, and µs of a processor in a second. */
static void print_limits(const Inspection *i) {
        _cleanup_text_ Text t = {};

        for (const UnitLimit *l = i->unit.limits; l < i->unit.limits + i->unit.n_limits; l++) {
                if (!l->text || streq(l->text, "infinity") || startswith(l->name, "Effective"))
                        continue;
                text_addf(&t, "%s%s ", t.n > 0 ? ", " : "", l->name);
                if (l->is_number && strstr(l->name, "Memory"))
                        add_bytes(&t, l->number);
                else if (l->is_number && endswith(l->name, "PerSecUSec"))
                        text_addf(&t, "%.4g%%", (double) l->number / 10000);
                else
                        text_add(&t, l->text);
        }
        print_line("Limits", &t);
}

static void print_text(const char *title, const char *text) {
        _cleanup_text_ Text t = {};

        text_add(&t, text ?: "");
        print_line(title, &t);
}

static void print_unit(const Inspection *i) {
        const Record *record = &i->container.record;
        _cleanup_text_ Text t = {};

        if (!home_has_unit(record->home))
                return;
        text_addf(&t, "%s", record->unit);
        if (i->unit.is_there)
                text_addf(&t, ", %s (%s)", i->unit.active, i->unit.sub);
        print_line("Unit", &t);
}

static void print_restarts(const Inspection *i) {
        _cleanup_text_ Text t = {};

        if (i->unit.counts_restarts && i->unit.restarts > 0)
                text_addf(&t, "%u, by systemd", i->unit.restarts);
        print_line("Restarts", &t);
}

static void print_head(const Inspection *i) {
        const Record *record = &i->container.record;
        _cleanup_text_ Text t = {};

        text_add_printable(&t, record->bundle ?: "");
        printf("%s%s%s\n", i->container.id, t.n > 0 ? " - " : "", t.s ?: "");
        print_state(i);
        print_process(i);
        print_end(i);
        print_text("Failure", i->failure);
        print_restarts(i);
        print_limits(i);
        print_unit(i);
        print_text("Cgroup", i->status == STATUS_STOPPED ? NULL : record->cgroup);
}

static int status(const Runtime *rt, void *target, char **words, Error *reterr) {
        _cleanup_inspection_ Inspection i = INSPECTION_NONE;
        int r = runtime_inspect(rt, words[0], &i, reterr);

        if (r < 0)
                return r;
        print_head(&i);
        if (!home_is_supervised(i.container.record.home))
                return 0;
        putchar('\n');
        return logs_print_last(rt, words[0], LINES, reterr);
}

const Verb verb_status = {
        .name = "status", .arguments = "ID", .summary = "Show how a container is, with its last lines",
        .example = "status web",
        .order = OPTIONS_ANYWHERE, .min_words = 1, .max_words = 1, .run = status,
};
