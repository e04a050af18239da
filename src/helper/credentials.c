/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "helper/credentials.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

int credentials_hide(Error *e) {
        if (prctl(PR_SET_DUMPABLE, 0) < 0)
                return error_errnof(e, errno, "become not dumpable");
        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
                return error_errnof(e, errno, "tie the process to the runtime");
        return 0;
}

int credentials_show(Error *e) {
        return prctl(PR_SET_DUMPABLE, 1) < 0 ? error_errnof(e, errno, "become dumpable") : 0;
}

int credentials_set(uid_t uid, gid_t gid, const gid_t *groups, size_t n_groups, unsigned flags) {
        uid_t r, effective, saved;
        gid_t rg, eg, sg;

        if (!(flags & CREDENTIALS_KEEP_GROUPS) && setgroups(n_groups, groups) < 0 &&
            !(errno == EPERM && (flags & CREDENTIALS_GROUPS_LENIENT)))
                return -errno;
        if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
                return -errno;
        if (getresuid(&r, &effective, &saved) < 0 || getresgid(&rg, &eg, &sg) < 0)
                return -errno;
        if (r != uid || effective != uid || saved != uid || rg != gid || eg != gid || sg != gid)
                return -EPERM;
        return 0;
}

int credentials_act_as(uid_t uid) {
        CapabilitySets sets = {};
        int r = capabilities_get(&sets);

        if (r < 0)
                return r;
        if (setresuid(-1, uid, -1) == 0)
                r = capabilities_set(&sets);
        else if (errno != EPERM && errno != EINVAL) /* EINVAL: our user namespace has no such uid */
                r = -errno;
        return r < 0 ? r : credentials_hide(NULL);
}

int credentials_act_as_nobody(void) {
        uid_t uid;

        return getrandom(&uid, sizeof(uid), 0) != sizeof(uid) ? -errno : credentials_act_as(uid);
}

int capabilities_get(CapabilitySets *ret) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        if (syscall(SYS_capget, &header, data) < 0)
                return -errno;
        *ret = (CapabilitySets){
                .effective = data[0].effective | (uint64_t) data[1].effective << 32,
                .permitted = data[0].permitted | (uint64_t) data[1].permitted << 32,
                .inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32,
        };
        return 0;
}

int capabilities_set(const CapabilitySets *sets) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

        for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
                data[i] = (struct __user_cap_data_struct){
                        .effective = (uint32_t) (sets->effective >> (32 * i)),
                        .permitted = (uint32_t) (sets->permitted >> (32 * i)),
                        .inheritable = (uint32_t) (sets->inheritable >> (32 * i)),
                };
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}
