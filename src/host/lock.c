/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/loop.h"
#include "basic/str.h"
#include "host/process.h"

#define LOOK_USEC 2000

/* How long a verb waits for another one that changes the same container. */
#define PATIENCE_SECONDS 60
/* And one that is to end whatever happens, before and after it has killed the other. */
#define BREAK_SECONDS 4

/* flock() knows no deadline, and nothing says that a lock is free: it is looked at, as most are after some milliseconds.
 * -ETIMEDOUT. */
static int lock_until(int dir, unsigned seconds) {
        uint64_t deadline = now_usec() + (uint64_t) seconds * 1000000;
        int r = 0;

        while (r == 0 && flock(dir, LOCK_EX | LOCK_NB) < 0)
                if (errno != EWOULDBLOCK)
                        r = -errno;
                else if (now_usec() >= deadline)
                        r = -ETIMEDOUT;
                else
                        r = loop_sleep(LOOK_USEC);
        return r;
}

/* Does it execute the same file as we do? A lock may outlive who took it, and its pid become somebody else's. */
static bool is_one_of_us(pid_t pid) {
        struct stat us, it;
        char path[64];

        snprintf(path, sizeof(path), "/proc/%d/exe", pid);
        return stat("/proc/self/exe", &us) == 0 && stat(path, &it) == 0 && us.st_dev == it.st_dev &&
               us.st_ino == it.st_ino;
}

/* /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:1a:815 0 EOF"; "->" instead of FLOCK for who waits. */
static void kill_holders(int dir) {
        unsigned long long inode;
        unsigned major_number, minor_number;
        struct stat st;
        char line[256];
        FILE *f = fopen("/proc/locks", "re");
        int pid;

        while (f && fstat(dir, &st) == 0 && fgets(line, sizeof(line), f))
                if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_number, &minor_number, &inode) == 4 &&
                    pid > 0 && pid != getpid() && makedev(major_number, minor_number) == st.st_dev && inode == st.st_ino) {
                        _cleanup_close_ int pidfd = (int) syscall(SYS_pidfd_open, pid, 0);

                        if (pidfd >= 0 && is_one_of_us(pid))
                                (void) process_signal(pidfd, SIGKILL);
                }
        if (f)
                fclose(f);
}

int lock_directory(int dir, LockMode mode) {
        struct stat st;
        int r = lock_until(dir, mode == LOCK_BREAK ? BREAK_SECONDS : PATIENCE_SECONDS);

        if (r == -ETIMEDOUT && mode == LOCK_BREAK) {
                kill_holders(dir);
                r = lock_until(dir, BREAK_SECONDS);
        }
        if (r < 0)
                return r;
        if (fstat(dir, &st) < 0)
                return -errno;
        return st.st_nlink == 0 ? -ENOENT : 0;
}
