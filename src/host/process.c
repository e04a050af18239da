/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"
#include "basic/file.h"
#include "basic/loop.h"
#include "basic/str.h"

#define STAT_MAX 1024U
#define EXITING_POLL_USEC UINT64_C(10000)

/* PF_EXITING of the kernel: no instruction of its program will be executed any more. */
#define FLAG_EXITING 0x4U

/* In text of a stat file. */
static char state_of(const char *text) {
        const char *rest = strrchr(text, ')'); /* the name in parentheses may hold anything */

        if (!rest || rest[1] != ' ')
                return '\0';
        return rest[2];
}

static bool has_ended(int tasks, const char *tid) {
        _cleanup_free_ char *text = NULL, *name = xasprintf("%s/stat", tid);

        return read_file_at(tasks, name, STAT_MAX, &text, NULL) == 0 && state_of(text) == 'Z';
}

/* Are there no others, and are they there still? */
static bool are_all(int tasks, const Strings *tids) {
        struct stat st;

        if (tids->n == 0 || fstat(tasks, &st) < 0 || st.st_nlink != tids->n + 2)
                return false;
        for (size_t i = 0; i < tids->n; i++)
                if (!has_ended(tasks, tids->s[i]))
                        return false;
        return true;
}

/* Whoever traces a thread may keep it, for as long as he lives, and nothing collects the process until then. Another one that
 * ends is seen to have ended for a moment, and may have made one that we have not met: those that have ended have to be all
 * that there are, and to stay. */
static bool all_threads_ended(pid_t pid) {
        _cleanup_free_ char *path = xasprintf("/proc/%d/task", pid);
        _cleanup_(arena_done) Arena arena = {};
        Strings ended = {};
        DIR *dir = opendir(path);
        struct dirent *entry;
        bool all;

        while (dir && (entry = readdir(dir)))
                if (entry->d_name[0] != '.' && has_ended(dirfd(dir), entry->d_name))
                        strings_add(&arena, &ended, arena_strdup(&arena, entry->d_name));
        all = dir && are_all(dirfd(dir), &ended);
        if (dir)
                closedir(dir);
        return all;
}

int process_stat(pid_t pid, ProcessStat *ret) {
        _cleanup_close_ int fd = -EBADF;
        char path[64], text[STAT_MAX];
        unsigned long long start_time = 0, user_ticks = 0, system_ticks = 0;
        unsigned flags = 0;
        const char *name, *rest;
        int threads = 0, parent = 0;
        ssize_t n;
        char state = '\0';
        bool ended;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ESRCH : -errno;
        n = read_full(fd, text, sizeof(text) - 1);
        if (n < 0)
                return (int) n;
        text[n] = '\0';
        /* The second field, the name in parentheses, may hold anything; the last ")" ends it. */
        rest = strrchr(text, ')');
        if (!rest || sscanf(rest + 1, " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %d %*d %llu",
                            &state, &parent, &flags, &user_ticks, &system_ticks, &threads, &start_time) != 7)
                return -EBADMSG;
        name = strchr(text, '(');
        if (!name || name > rest)
                return -EBADMSG;
        /* A first thread that ended before the others is no dead process. */
        ended = state == 'Z' || (flags & FLAG_EXITING);
        *ret = (ProcessStat){
                .parent = parent,
                .start_time = start_time,
                .cpu_ticks = user_ticks + system_ticks,
                .state = state,
                .dead = state == 'X' || (ended && (threads <= 1 || all_threads_ended(pid))),
        };
        snprintf(ret->name, sizeof(ret->name), "%.*s", (int) (rest - name - 1), name + 1);
        return 0;
}

int process_open(pid_t pid, uint64_t start_time) {
        _cleanup_close_ int fd = -EBADF;
        ProcessStat stat = {};
        int r;

        if (pid <= 0)
                return -ESRCH;
        fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return -errno;
        /* Looked at after the descriptor pins it, so that what we see is what we hold. */
        r = process_stat(pid, &stat);
        if (r < 0)
                return r;
        return stat.dead || stat.start_time != start_time || pidfd_has_exited(fd) ? -ESRCH : TAKE_FD(fd);
}

int process_wait(pid_t pid, int pidfd, uint64_t deadline) {
        for (;;) {
                int r = pidfd_wait(pidfd, MIN(deadline, now_usec() + EXITING_POLL_USEC));
                ProcessStat stat = {};

                if (r != -ETIMEDOUT)
                        return r;
                if (process_stat(pid, &stat) < 0 || stat.dead)
                        return 0;
                if (now_usec() >= deadline)
                        return -ETIMEDOUT;
        }
}

/* linux/pidfd.h of 6.15 */
typedef struct PidfdInfo {
        uint64_t mask, cgroup;
        uint32_t ids[11];
        int32_t exit_code;
} PidfdInfo;
#define GET_INFO _IOWR(0xff, 11, PidfdInfo)
#define INFO_EXIT (UINT64_C(1) << 3)

int process_exit_status(int pidfd, uint64_t deadline, int *ret) {
        PidfdInfo info = { .mask = INFO_EXIT }, now = info;

        if (ioctl(pidfd, GET_INFO, &now) < 0 && errno == ENOTTY) /* nor is it told when it is collected, before 6.9 */
                return -ENODATA;
        (void) loop_wait_fd(pidfd, 0, deadline); /* POLLHUP */
        if (ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
                return -ENODATA;
        *ret = info.exit_code;
        return 0;
}

int process_signal(int pidfd, int signal) {
        return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

char *boot_id(void) {
        static char id[64]; /* list asks once a container */
        char *text;

        if (id[0] == '\0') {
                if (read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", sizeof(id) - 1, &text, NULL) < 0)
                        return NULL;
                memcpy(id, text, strcspn(text, "\n"));
                free(text);
        }
        return xstrdup(id);
}

int process_namespace(pid_t pid, const char *type, uint64_t *ret) {
        const char *file = streq(type, "mount") ? "mnt" : streq(type, "network") ? "net" : type;
        _cleanup_free_ char *path = xasprintf("/proc/%d/ns/%s", pid, file);
        struct stat st;

        if (stat(path, &st) < 0)
                return -errno;
        *ret = st.st_ino;
        return 0;
}
