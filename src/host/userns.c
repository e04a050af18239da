/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "basic/program.h"

#define PROC_FILE_MAX 16384U

/* They ask who has which ids, which may be a network's to answer. */
#define TOOL_SECONDS 30

/* --- ours ------------------------------------------------------------------------------------------------------- */

typedef struct MapLine {
        uint32_t inside, outside, size;
} MapLine;

/* The line of a uid or gid map that has this id. */
static bool find_line(const char *path, uint32_t id, MapLine *ret) {
        _cleanup_free_ char *text = NULL;

        if (read_file_at(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL) < 0)
                return false;
        for (char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
                if (sscanf(line, "%u %u %u", &ret->inside, &ret->outside, &ret->size) == 3 && id >= ret->inside &&
                    id - ret->inside < ret->size)
                        return true;
        return false;
}

/* All of 32 bits, onto itself; or a kernel without user namespaces. */
bool userns_is_initial(void) {
        _cleanup_free_ char *text = NULL;
        MapLine line = {};

        return read_file_at(AT_FDCWD, "/proc/self/uid_map", PROC_FILE_MAX, &text, NULL) < 0 ||
               (sscanf(text, "%u %u %u", &line.inside, &line.outside, &line.size) == 3 && line.inside == 0 &&
                line.outside == 0 && line.size == UINT32_MAX);
}

uint32_t userns_outer_uid(void) {
        uint32_t uid = geteuid();
        MapLine line;

        return find_line("/proc/self/uid_map", uid, &line) ? line.outside + (uid - line.inside) : uid;
}

bool userns_outer_ids(pid_t pid, uint32_t uid, uint32_t gid, uint32_t *ret_uid, uint32_t *ret_gid) {
        char uid_map[32], gid_map[32];
        MapLine u, g;

        snprintf(uid_map, sizeof(uid_map), "/proc/%d/uid_map", pid);
        snprintf(gid_map, sizeof(gid_map), "/proc/%d/gid_map", pid);
        if (!find_line(uid_map, uid, &u) || !find_line(gid_map, gid, &g))
                return false;
        *ret_uid = u.outside + (uid - u.inside);
        *ret_gid = g.outside + (gid - g.inside);
        return true;
}

bool userns_denies_setgroups(void) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(AT_FDCWD, "/proc/self/setgroups", PROC_FILE_MAX, &text, NULL) == 0 &&
               startswith(text, "deny");
}

/* --- new ones --------------------------------------------------------------------------------------------------- */

/* What differs between users and groups. */
typedef struct MapKind {
        const char *file, *property, *tool, *ranges, *whose;
} MapKind;

static const MapKind uid_kind = { "uid_map", "linux.uidMappings", "newuidmap", "/etc/subuid", "uid" };
static const MapKind gid_kind = { "gid_map", "linux.gidMappings", "newgidmap", "/etc/subgid", "gid" };

/* Nobody can put a program into these but root; the caller's PATH may have been set by anybody. */
static char *find_tool(const char *name) {
        static const char *const directories[] = { "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin",
                                                   "/run/wrappers/bin" };

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                char *path = xasprintf("%s/%s", directories[i], name);

                if (access(path, X_OK) == 0)
                        return path;
                free(path);
        }
        return NULL;
}

/* "newuidmap PID 0 1000 1 1 100000 65536" */
static char **tool_arguments(Arena *a, const MapKind *kind, pid_t pid, const SpecIdMap *map, size_t n) {
        char **argv = arena_calloc(a, 3 * n + 3, sizeof(char *));
        size_t k = 0;

        argv[k++] = arena_strdup(a, kind->tool);
        argv[k++] = arena_printf(a, "%d", pid);
        for (size_t i = 0; i < n; i++) {
                argv[k++] = arena_printf(a, "%u", map[i].container_id);
                argv[k++] = arena_printf(a, "%u", map[i].host_id);
                argv[k++] = arena_printf(a, "%u", map[i].size);
        }
        return argv;
}

static int map_by_tool(const MapKind *kind, pid_t pid, const SpecIdMap *map, size_t n, Error *reterr) {
        _cleanup_close_ int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        _cleanup_(arena_done) Arena arena = {};
        _cleanup_free_ char *path = find_tool(kind->tool);
        int r;

        if (!path)
                return error_setf(reterr, EOPNOTSUPP, "%s: a map of more than your own %s takes %s (package uidmap), which is "
                                  "not installed", kind->property, kind->whose, kind->tool);
        r = program_run(&(Program){ .path = path,
                                    .args = (const char *const *) tool_arguments(&arena, kind, pid, map, n),
                                    .input = nothing,
                                    .out = -EBADF,
                                    .err = -EBADF,
                                    .timeout = TOOL_SECONDS }, reterr);
        return r < 0 ? error_prefixf(reterr, "%s: the ranges that are yours are in %s: %s", kind->property, kind->ranges,
                                     kind->tool) : 0;
}

/* Without capabilities over the namespace that we are in one may map the own id, and no other. */
static bool maps_self_only(const SpecIdMap *map, size_t n, uint32_t self) {
        return n == 1 && map[0].size == 1 && map[0].host_id == self;
}

static int map_by_ourselves(const MapKind *kind, int proc, const SpecIdMap *map, size_t n, Error *reterr) {
        _cleanup_text_ Text text = {};
        int r;

        for (size_t i = 0; i < n; i++)
                text_addf(&text, "%u %u %u\n", map[i].container_id, map[i].host_id, map[i].size);
        r = write_kernel_file(proc, kind->file, text.s);
        if (r == -EPERM && kind == &gid_kind && write_kernel_file(proc, "setgroups", "deny") == 0)
                r = write_kernel_file(proc, kind->file, text.s);
        return r < 0 ? error_errnof(reterr, r, "%s: cannot be written", kind->property) : 0;
}

static int write_map(const MapKind *kind, int proc, pid_t pid, const SpecIdMap *map, size_t n, uint32_t self,
                     Error *reterr) {
        if (geteuid() == 0 || maps_self_only(map, n, self))
                return map_by_ourselves(kind, proc, map, n, reterr);
        return map_by_tool(kind, pid, map, n, reterr);
}

int userns_write_maps(const Launch *l, const SpecLinux *spec, Error *reterr) {
        _cleanup_close_ int proc = -EBADF;
        char path[64];
        int r;

        snprintf(path, sizeof(path), "/proc/%d", l->pid);
        proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc < 0 || pidfd_has_exited(l->pidfd)) /* after the open: what we opened is what we spawned */
                return error_errnof(reterr, ESRCH, "the container's process ended before it was set up");
        r = write_map(&gid_kind, proc, l->pid, spec->gid_mappings, spec->n_gid_mappings, getegid(), reterr);
        if (r < 0)
                return r;
        return write_map(&uid_kind, proc, l->pid, spec->uid_mappings, spec->n_uid_mappings, geteuid(), reterr);
}
