/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/str.h"
#include "host/cgroup.h"
#include "runtime/limits.h"
#include "runtime/runtime.h"

#define PROC_FILE_MAX 4096U

/* Is this "all of 32 bits, onto itself", the map of the initial user namespace? */
static bool in_initial_userns(void) {
        _cleanup_free_ char *map = NULL;
        unsigned inside, outside, size;

        if (read_file_at(AT_FDCWD, "/proc/self/uid_map", PROC_FILE_MAX, &map, NULL) < 0)
                return true; /* a kernel without user namespaces */
        return sscanf(map, "%u %u %u", &inside, &outside, &size) == 3 && inside == 0 && outside == 0 &&
               size == UINT32_MAX;
}

static bool is_enabled(const char *path) {
        _cleanup_free_ char *text = NULL;

        return read_file_at(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL) == 0 && text[0] == 'Y';
}

/* What is not permitted to us is not for us to give. */
static uint64_t lacked_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return 0;
        return ~(data[0].permitted | (uint64_t) data[1].permitted << 32);
}

void runtime_probe(HostFacts *ret) {
        *ret = (HostFacts){
                .own_userns = !in_initial_userns(),
                /* Every process but those that dropped it has what its uid stands for; cheap, and right where
                 * it matters: uid 0 outside of, or in, a user namespace. */
                .privileged = geteuid() == 0,
                .apparmor = is_enabled("/sys/module/apparmor/parameters/enabled"),
                .selinux = access("/sys/fs/selinux/enforce", F_OK) == 0,
                .lacked_capabilities = lacked_capabilities(),
                .cgroup_mount = cgroup_mount_point(),
                .queries = host_queries,
        };
        ret->rootless = geteuid() != 0 || ret->own_userns;
}

/* It looks at the flags before it finds that there is no filter. */
bool runtime_seccomp_waits_killable(void) {
        unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

const char *runtime_default_root(const HostFacts *facts, Arena *a) {
        const char *runtime_dir = getenv("XDG_RUNTIME_DIR");

        /* The caller's environment counts only for who is not root: engines drop it on some calls, and create and
         * start must agree. */
        if (facts->rootless && !isempty(runtime_dir))
                return arena_printf(a, "%s/ocirt-sd", runtime_dir);
        return "/run/ocirt-sd";
}
