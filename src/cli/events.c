/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "basic/quantity.h"
#include "cli/verb.h"

#define DEFAULT_INTERVAL UINT64_C(5000000)
#define INTERVAL_MAX (INT32_MAX * UINT64_C(1000000))

typedef struct EventsOptions {
        const char *interval;
        bool stats;
} EventsOptions;

static const Option options[] = {
        { .name = "interval", .offset = offsetof(EventsOptions, interval), .type = OPTION_STRING, .argument = "TIME",
          .help = "Between statistics (default: 5s)" },
        { .name = "stats", .offset = offsetof(EventsOptions, stats), .type = OPTION_FLAG,
          .help = "Print them once, and exit" },
        OPTION_END,
};

/* --- JSON as runc prints it ------------------------------------------------------------------------------------- */

static void key(Text *t, const char *name) {
        text_addf(t, "%s\"%s\":", strchr("{[", t->s[t->n - 1]) ? "" : ",", name);
}

static void open_object(Text *t, const char *name) {
        if (name)
                key(t, name);
        else if (t->n > 0 && t->s[t->n - 1] != '[')
                text_add(t, ",");
        text_add(t, "{");
}

static void close_object(Text *t) {
        text_add(t, "}");
}

static void number(Text *t, const char *name, uint64_t value) {
        key(t, name);
        text_addf(t, "%" PRIu64, value);
}

/* What is 0 is left out. */
static void count(Text *t, const char *name, uint64_t value) {
        if (value != 0)
                number(t, name, value);
}

static void string(Text *t, const char *name, const char *value) {
        key(t, name);
        text_add_json_string(t, value);
}

static void add_pressure(Text *t, const char *name, const StatPressure *p) {
        static const char *const keys[] = { "avg10", "avg60", "avg300" };

        open_object(t, name);
        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                key(t, keys[i]);
                text_add(t, p->averages[i] ?: "0");
        }
        number(t, "total", p->total);
        close_object(t);
}

static void add_pressures(Text *t, const StatPressures *p) {
        if (!p->set)
                return;
        open_object(t, "psi");
        add_pressure(t, "some", &p->some);
        add_pressure(t, "full", &p->full);
        close_object(t);
}

static void add_cpu(Text *t, const Stats *s) {
        open_object(t, "cpu");
        open_object(t, "usage");
        count(t, "total", s->cpu.usage * 1000);
        number(t, "kernel", s->cpu.system * 1000);
        number(t, "user", s->cpu.user * 1000);
        close_object(t);
        open_object(t, "throttling");
        count(t, "periods", s->cpu.periods);
        count(t, "throttledPeriods", s->cpu.throttled_periods);
        count(t, "throttledTime", s->cpu.throttled * 1000);
        close_object(t);
        add_pressures(t, &s->cpu_pressure);
        close_object(t);
}

static void add_set(Text *t, const char *name, const StatSet *set) {
        const char *before = "[";

        if (set->n == 0)
                return;
        key(t, name);
        for (size_t i = 0; i < set->n; i++)
                if (has_bit(set->bits, i)) {
                        text_addf(t, "%s%zu", before, i);
                        before = ",";
                }
        text_add(t, "]");
}

/* Of cgroup v1 but for the first two: runc prints the others as 0. */
static void add_cpuset(Text *t, const Stats *s) {
        static const char *const flags[] = { "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate",
                                             "memory_spread_page", "memory_spread_slab", "memory_pressure",
                                             "sched_load_balance", "sched_relax_domain_level" };

        open_object(t, "cpuset");
        add_set(t, "cpus", &s->cpus);
        add_set(t, "mems", &s->mems);
        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                number(t, flags[i], 0);
        close_object(t);
}

static void add_memory_entry(Text *t, const char *name, const StatMemory *m) {
        open_object(t, name);
        number(t, "limit", m->limit);
        count(t, "usage", m->usage);
        count(t, "max", m->peak);
        number(t, "failcnt", m->failures);
        close_object(t);
}

static uint64_t sum(uint64_t a, uint64_t b) {
        return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static void add_memory(Text *t, const Stats *s) {
        const StatMemory none = {}, both = { .usage = sum(s->memory.usage, s->swap.usage), .failures = s->swap.failures,
                                             .limit = sum(s->memory.limit, s->swap.limit) };

        open_object(t, "memory");
        for (size_t i = 0; i < s->n_memory_stat; i++)
                if (streq(s->memory_stat[i].name, "file"))
                        count(t, "cache", s->memory_stat[i].value);
        add_memory_entry(t, "usage", &s->memory);
        add_memory_entry(t, "swap", &both);
        add_memory_entry(t, "kernel", &none);
        add_memory_entry(t, "kernelTCP", &none);
        open_object(t, "raw");
        for (size_t i = 0; i < s->n_memory_stat; i++)
                number(t, s->memory_stat[i].name, s->memory_stat[i].value);
        close_object(t);
        add_pressures(t, &s->memory_pressure);
        close_object(t);
}

static void add_block_entry(Text *t, const StatBlock *b, const char *operation, uint64_t value) {
        open_object(t, NULL);
        count(t, "major", b->major);
        count(t, "minor", b->minor);
        string(t, "op", operation);
        count(t, "value", value);
        close_object(t);
}

static void add_block_io(Text *t, const Stats *s) {
        open_object(t, "blkio");
        for (unsigned bytes = 1; s->n_blocks > 0 && bytes <= 1; bytes--) {
                key(t, bytes ? "ioServiceBytesRecursive" : "ioServicedRecursive");
                text_add(t, "[");
                for (size_t i = 0; i < s->n_blocks; i++) {
                        add_block_entry(t, s->blocks + i, "Read", bytes ? s->blocks[i].rbytes : s->blocks[i].rios);
                        add_block_entry(t, s->blocks + i, "Write", bytes ? s->blocks[i].wbytes : s->blocks[i].wios);
                }
                text_add(t, "]");
        }
        add_pressures(t, &s->io_pressure);
        close_object(t);
}

static void add_huge_pages(Text *t, const Stats *s) {
        open_object(t, "hugetlb");
        for (size_t i = 0; i < s->n_huge_pages; i++) {
                open_object(t, s->huge_pages[i].size);
                count(t, "usage", s->huge_pages[i].usage);
                number(t, "failcnt", s->huge_pages[i].failures);
                close_object(t);
        }
        close_object(t);
}

static void add_networks(Text *t, const Stats *s) {
        static const char *const rx[] = { "RxBytes", "RxPackets", "RxErrors", "RxDropped" };
        static const char *const tx[] = { "TxBytes", "TxPackets", "TxErrors", "TxDropped" };

        key(t, "network_interfaces");
        if (s->n_networks == 0) {
                text_add(t, "null");
                return;
        }
        text_add(t, "[");
        for (size_t i = 0; i < s->n_networks; i++) {
                open_object(t, NULL);
                string(t, "Name", s->networks[i].name);
                for (size_t k = 0; k < ELEMENTSOF(rx); k++)
                        number(t, rx[k], s->networks[i].rx[k]);
                for (size_t k = 0; k < ELEMENTSOF(tx); k++)
                        number(t, tx[k], s->networks[i].tx[k]);
                close_object(t);
        }
        text_add(t, "]");
}

/* Who reads wants each event as it happens. */
static int print(Text *t, Error *reterr) {
        text_add(t, "\n");
        return fputs(t->s, stdout) == EOF || fflush(stdout) == EOF
                ? error_setf(reterr, EIO, "cannot write to standard output") : 0;
}

static void begin(Text *t, const char *type, const char *id) {
        open_object(t, NULL);
        string(t, "type", type);
        string(t, "id", id);
}

static int print_stats(const char *id, const Stats *s, Error *reterr) {
        void (*const parts[])(Text *t, const Stats *s) = { add_cpu, add_cpuset, add_memory };
        _cleanup_text_ Text t = {};

        begin(&t, "stats", id);
        open_object(&t, "data");
        for (size_t i = 0; i < ELEMENTSOF(parts); i++)
                parts[i](&t, s);
        open_object(&t, "pids");
        count(&t, "current", s->pids);
        count(&t, "limit", s->pids_limit);
        close_object(&t);
        add_block_io(&t, s);
        add_huge_pages(&t, s);
        open_object(&t, "intel_rdt");
        close_object(&t);
        add_networks(&t, s);
        close_object(&t);
        close_object(&t);
        return print(&t, reterr);
}

static int print_oom(const char *id, Error *reterr) {
        _cleanup_text_ Text t = {};

        begin(&t, "oom", id);
        close_object(&t);
        return print(&t, reterr);
}

/* --- the verb --------------------------------------------------------------------------------------------------- */

static int events(const Runtime *rt, void *target, char **words, Error *reterr) {
        static const EventSink sink = { .stats = print_stats, .oom = print_oom };
        const EventsOptions *o = target;
        uint64_t interval = DEFAULT_INTERVAL;

        if (o->interval && (parse_timespan(o->interval, &interval) < 0 || interval == 0 || interval > INTERVAL_MAX))
                return error_setf(reterr, EINVAL, "--interval: expected seconds or a time such as 5s or 1min, got \"%s\"",
                                  o->interval);
        return runtime_events(rt, words[0], o->stats ? 0 : interval, &sink, reterr);
}

const Verb verb_events = {
        .name = "events", .arguments = "ID", .summary = "Print what a container uses, and OOM kills",
        .example = "events --interval 1min web",
        .options = options, .options_size = sizeof(EventsOptions), .order = OPTIONS_ANYWHERE,
        .min_words = 1, .max_words = 1, .run = events,
};
