/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/device-filter.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "plan/unit/device-program.h"

/* How ours is told from those of others; BPF_OBJ_NAME_LEN - 1 bytes at most. */
#define NAME "ocirt_devices"
#define LICENSE "LGPL-2.1-or-later"
/* As many as a cgroup can have of one kind (BPF_CGROUP_MAX_PROGS). */
#define PROGRAMS_MAX 64

static int bpf(int command, union bpf_attr *attributes) {
        long r = syscall(SYS_bpf, command, attributes, sizeof(*attributes));

        return r < 0 ? -errno : (int) r;
}

int device_filter_load(const UnitPlan *plan, Error *reterr) {
        _cleanup_free_ struct bpf_insn *code = NULL;
        union bpf_attr a = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE };
        size_t n;
        int fd;

        code = device_program(plan->rules, plan->n_rules, &n);
        a.insns = (uintptr_t) code;
        a.insn_cnt = (__u32) n;
        a.license = (uintptr_t) LICENSE;
        snprintf(a.prog_name, sizeof(a.prog_name), "%s", NAME);
        fd = bpf(BPF_PROG_LOAD, &a);
        return fd < 0 ? error_errnof(reterr, fd, "%s: Linux takes no filter for it",
                                     plan->rules_path) : fd;
}

static bool is_ours(int program) {
        struct bpf_prog_info info = {};
        union bpf_attr a = {};

        a.info.bpf_fd = (__u32) program;
        a.info.info_len = sizeof(info);
        a.info.info = (uintptr_t) &info;
        return bpf(BPF_OBJ_GET_INFO_BY_FD, &a) >= 0 && streq(info.name, NAME);
}

int device_filter_find(int cgroup) {
        __u32 ids[PROGRAMS_MAX] = {};
        union bpf_attr a = {};
        int r;

        a.query.target_fd = (__u32) cgroup;
        a.query.attach_type = BPF_CGROUP_DEVICE;
        a.query.prog_ids = (uintptr_t) ids;
        a.query.prog_cnt = PROGRAMS_MAX;
        r = bpf(BPF_PROG_QUERY, &a);
        if (r < 0)
                return r;
        for (__u32 i = 0; i < a.query.prog_cnt; i++) {
                union bpf_attr of_id = { .prog_id = ids[i] };
                _cleanup_close_ int fd = bpf(BPF_PROG_GET_FD_BY_ID, &of_id); /* -ENOENT: detached meanwhile */

                if (fd >= 0 && is_ours(fd))
                        return TAKE_FD(fd);
        }
        return -ENOENT;
}

int device_filter_replace(int cgroup, int old, int new) {
        union bpf_attr a = {};

        if (old < 0 && new < 0)
                return 0;
        a.target_fd = (__u32) cgroup;
        a.attach_type = BPF_CGROUP_DEVICE;
        a.attach_bpf_fd = (__u32) (new < 0 ? old : new);
        if (new < 0)
                return bpf(BPF_PROG_DETACH, &a);
        a.attach_flags = BPF_F_ALLOW_MULTI;
        if (old >= 0) {
                a.attach_flags |= BPF_F_REPLACE;
                a.replace_bpf_fd = (__u32) old;
        }
        return bpf(BPF_PROG_ATTACH, &a);
}
