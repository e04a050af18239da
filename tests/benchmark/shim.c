/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Lets every setrlimit() pass. crun raises RLIMIT_MEMLOCK, which takes
 * CAP_SYS_RESOURCE, and not every machine has that.
 */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
        syscall(SYS_prlimit64, 0, resource, limit, NULL);
        return 0;
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) {
        syscall(SYS_prlimit64, 0, resource, limit, NULL);
        return 0;
}

int prlimit(__pid_t pid, enum __rlimit_resource resource, const struct rlimit *limit, struct rlimit *old) {
        int r = (int) syscall(SYS_prlimit64, pid, resource, limit, old);

        return limit ? 0 : r;
}
