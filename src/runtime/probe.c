/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/file.h"
#include "basic/str.h"
#include "host/bus.h"
#include "host/cgroup.h"
#include "host/userns.h"
#include "runtime/queries.h"
#include "runtime/runtime.h"

#define PROC_FILE_MAX 4096U

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
                .own_userns = !userns_is_initial(),
                .uid = geteuid(),
                .gid = getegid(),
                /* Every process but those that dropped it has what its uid stands for; cheap, and right where
                 * it matters: uid 0 outside of, or in, a user namespace. */
                .privileged = geteuid() == 0,
                .apparmor = is_enabled("/sys/module/apparmor/parameters/enabled"),
                .selinux = access("/sys/fs/selinux/enforce", F_OK) == 0,
                .lacked_capabilities = lacked_capabilities(),
                .cgroup_mount = cgroup_mount_point(),
                .queries = host_queries,
        };
        ret->setgroups_denied = ret->own_userns && userns_denies_setgroups();
        /* Root in the user namespace of a system container has that container's systemd. */
        ret->rootless = geteuid() != 0 || (ret->own_userns && !bus_system_is_ours());
}

/* It looks at the flags before it finds that there is no filter. */
bool runtime_seccomp_waits_killable(void) {
        unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;

        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) < 0 && errno == EFAULT;
}

int runtime_default_root(const Caller *caller, const HostFacts *facts, Arena *a, const char **ret, Error *reterr) {
        /* The caller's environment counts only for who is not root: engines drop it on some calls, and create and
         * start must agree. */
        _cleanup_free_ char *directory = facts->rootless ? user_runtime_directory(caller) : NULL;

        if (facts->rootless && !directory && !facts->privileged)
                return user_runtime_directory_error("there is no directory to remember containers in (and no --root)", reterr);
        *ret = directory ? arena_printf(a, "%s/ocirt-sd", directory) : "/run/ocirt-sd";
        return 0;
}
