/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/file.h"
#include "host/cgroup.h"

#define FILE_MAX_BYTES (1024UL * 1024)

void stats_done(Stats *s) {
        free(s->memory_stat);
        free(s->blocks);
        free(s->huge_pages);
        free(s->networks);
        arena_done(&s->arena);
        *s = (Stats){};
}

/* The text of a file, from the arena; NULL when there is none. */
static char *read_text(int cgroup, const char *file, Stats *s) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(cgroup, file, FILE_MAX_BYTES, &text, NULL) < 0 ? NULL : arena_strdup(&s->arena, text);
}

/* The next line of a text that is cut up, or NULL. */
static char *next_line(char **rest) {
        return *rest ? strtok_r(NULL, "\n", rest) : NULL;
}

static char *first_line(char *text, char **rest) {
        *rest = NULL;
        return text ? strtok_r(text, "\n", rest) : NULL;
}

/* "max" is UINT64_MAX; no number is 0. */
static uint64_t to_number(const char *text) {
        return !text ? 0 : startswith(text, "max") ? UINT64_MAX : strtoull(text, NULL, 10);
}

static uint64_t read_number(int cgroup, const char *file, Stats *s) {
        return to_number(read_text(cgroup, file, s));
}

int stats_read_key(int cgroup, const char *file, const char *key, uint64_t *ret) {
        _cleanup_free_ char *text = NULL;
        char *rest;
        int r;

        r = read_file_at(cgroup, file, FILE_MAX_BYTES, &text, NULL);
        if (r < 0)
                return r;
        for (char *line = first_line(text, &rest); line; line = next_line(&rest)) {
                const char *value = startswith(line, key);

                if (value && value[0] == ' ') {
                        *ret = to_number(value + 1);
                        return 0;
                }
        }
        return -ENODATA;
}

/* --- cpu -------------------------------------------------------------------------------------------------------- */

static void read_cpu(int cgroup, Stats *s) {
        (void) stats_read_key(cgroup, "cpu.stat", "usage_usec", &s->cpu.usage);
        (void) stats_read_key(cgroup, "cpu.stat", "user_usec", &s->cpu.user);
        (void) stats_read_key(cgroup, "cpu.stat", "system_usec", &s->cpu.system);
        (void) stats_read_key(cgroup, "cpu.stat", "nr_periods", &s->cpu.periods);
        (void) stats_read_key(cgroup, "cpu.stat", "nr_throttled", &s->cpu.throttled_periods);
        (void) stats_read_key(cgroup, "cpu.stat", "throttled_usec", &s->cpu.throttled);
}

static void read_set(int cgroup, const char *file, StatSet *ret, Stats *s) {
        const char *text = read_text(cgroup, file, s);
        int n;

        ret->bits = arena_calloc(&s->arena, CPUS_MAX / 8, 1);
        n = text ? parse_bits(text, ret->bits, CPUS_MAX / 8) : 0;
        ret->n = n < 0 ? 0 : 8 * (size_t) n;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and the same for "full" */
static void read_pressure(int cgroup, const char *file, StatPressures *ret, Stats *s) {
        static const char *const keys[] = { "avg10=", "avg60=", "avg300=" };
        char *rest;

        for (char *line = first_line(read_text(cgroup, file, s), &rest); line; line = next_line(&rest)) {
                StatPressure *p = startswith(line, "full ") ? &ret->full : &ret->some;
                char *save = NULL;

                ret->set = true;
                for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                                p->averages[i] = startswith(word, keys[i]) ?: p->averages[i];
                        if (startswith(word, "total="))
                                p->total = to_number(word + strlen("total="));
                }
        }
}

/* --- memory ----------------------------------------------------------------------------------------------------- */

static void read_memory(int cgroup, Stats *s) {
        char *rest;

        s->memory = (StatMemory){ .usage = read_number(cgroup, "memory.current", s),
                                  .peak = read_number(cgroup, "memory.peak", s),
                                  .limit = read_number(cgroup, "memory.max", s) };
        s->swap = (StatMemory){ .usage = read_number(cgroup, "memory.swap.current", s),
                                .peak = read_number(cgroup, "memory.swap.peak", s),
                                .limit = read_number(cgroup, "memory.swap.max", s) };
        (void) stats_read_key(cgroup, "memory.events", "max", &s->memory.failures);
        (void) stats_read_key(cgroup, "memory.swap.events", "max", &s->swap.failures);
        for (char *line = first_line(read_text(cgroup, "memory.stat", s), &rest); line; line = next_line(&rest)) {
                char *blank = strchr(line, ' ');

                if (!blank)
                        continue;
                *blank = '\0';
                GREW(s->memory_stat, s->n_memory_stat);
                s->memory_stat[s->n_memory_stat++] = (StatPair){ line, to_number(blank + 1) };
        }
}

/* A file hugetlb.SIZE.current for each size; what is reserved counts where the kernel counts it. */
static void read_huge_pages(int cgroup, Stats *s) {
        int copy = openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *entry;

        while (dir && (entry = readdir(dir))) {
                const char *size = startswith(entry->d_name, "hugetlb."), *dot = size ? strchr(size, '.') : NULL;
                const char *name, *reserved;
                StatHugePages h = {};

                if (!dot || !streq(dot, ".current") || !cgroup_has_file(cgroup, entry->d_name))
                        continue;
                h.size = arena_strndup(&s->arena, size, (size_t) (dot - size));
                name = arena_strdup(&s->arena, entry->d_name);
                reserved = arena_printf(&s->arena, "hugetlb.%s.rsvd.current", h.size);
                h.usage = read_number(cgroup, cgroup_has_file(cgroup, reserved) ? reserved : name, s);
                (void) stats_read_key(cgroup, arena_printf(&s->arena, "hugetlb.%s.events", h.size), "max", &h.failures);
                GREW(s->huge_pages, s->n_huge_pages);
                s->huge_pages[s->n_huge_pages++] = h;
        }
        if (dir)
                closedir(dir);
}

/* --- block devices, tasks, network ------------------------------------------------------------------------------ */

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6" */
static void read_blocks(int cgroup, Stats *s) {
        char *rest;

        for (char *line = first_line(read_text(cgroup, "io.stat", s), &rest); line; line = next_line(&rest)) {
                StatBlock b = {};
                const struct { const char *key; uint64_t *to; } fields[] = {
                        { "rbytes=", &b.rbytes }, { "wbytes=", &b.wbytes }, { "rios=", &b.rios }, { "wios=", &b.wios },
                };
                char *save = NULL;

                if (sscanf(line, "%" SCNu64 ":%" SCNu64, &b.major, &b.minor) != 2)
                        continue;
                for (char *word = strtok_r(line, " ", &save); word; word = strtok_r(NULL, " ", &save))
                        for (size_t i = 0; i < ELEMENTSOF(fields); i++)
                                if (startswith(word, fields[i].key))
                                        *fields[i].to = to_number(startswith(word, fields[i].key));
                GREW(s->blocks, s->n_blocks);
                s->blocks[s->n_blocks++] = b;
        }
}

int stats_read_cgroup(int cgroup, Stats *s) {
        uint64_t populated;
        int r;

        r = stats_read_key(cgroup, "cgroup.events", "populated", &populated);
        if (r < 0)
                return r;
        read_cpu(cgroup, s);
        read_pressure(cgroup, "cpu.pressure", &s->cpu_pressure, s);
        read_pressure(cgroup, "memory.pressure", &s->memory_pressure, s);
        read_pressure(cgroup, "io.pressure", &s->io_pressure, s);
        read_set(cgroup, "cpuset.cpus.effective", &s->cpus, s);
        read_set(cgroup, "cpuset.mems.effective", &s->mems, s);
        read_memory(cgroup, s);
        read_huge_pages(cgroup, s);
        read_blocks(cgroup, s);
        s->pids = read_number(cgroup, "pids.current", s);
        s->pids_limit = read_number(cgroup, "pids.max", s);
        if (s->pids_limit == UINT64_MAX)
                s->pids_limit = 0;
        return 0;
}

#define FOUR " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64

/* "  eth0: BYTES PACKETS ERRORS DROPPED FIFO FRAME COMPRESSED MULTICAST" and the first four for what was sent. A name
 * may be any bytes but blanks and slashes: only those that are text are told. */
void stats_read_network(pid_t pid, Stats *s) {
        _cleanup_free_ char *path = xasprintf("/proc/%d/net/dev", pid);
        char *rest;

        for (char *line = first_line(read_text(AT_FDCWD, path, s), &rest); line; line = next_line(&rest)) {
                char *name = line + strspn(line, " "), *colon = strrchr(name, ':');
                StatNetwork n = { .name = name };
                bool text = true;

                if (!colon || sscanf(colon + 1, FOUR " %*u %*u %*u %*u" FOUR, n.rx, n.rx + 1, n.rx + 2, n.rx + 3, n.tx,
                                     n.tx + 1, n.tx + 2, n.tx + 3) != 8)
                        continue;
                *colon = '\0';
                for (const char *c = name; *c; c++)
                        text = text && *c > ' ' && *c < 0x7f;
                if (!text || streq(name, "lo"))
                        continue;
                GREW(s->networks, s->n_networks);
                s->networks[s->n_networks++] = n;
        }
}
