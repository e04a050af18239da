/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* forbid-nodes: who has CAP_BPF and CAP_NET_ADMIN lets nobody in its cgroup make device nodes, helpers of the runtime's
 * included. Prints "forbidden", or "none: WHY"; and stays. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(op, dst, src, offset, value) { .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (value) }

/* access_type is the type, and from bit 16 on what is to be done. */
static const struct bpf_insn program[] = {
        INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0),
        INSN(BPF_ALU | BPF_RSH | BPF_K, 2, 0, 0, 16),
        INSN(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, BPF_DEVCG_ACC_MKNOD),
        INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1),
        INSN(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 1, 0),
        INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
        INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

static int bpf(int command, union bpf_attr *attributes) {
        return (int) syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

int main(void) {
        union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE, .insns = (uintptr_t) program,
                                .insn_cnt = sizeof(program) / sizeof(program[0]), .license = (uintptr_t) "LGPL-2.1-or-later" };
        union bpf_attr attach = { .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
        int fd = bpf(BPF_PROG_LOAD, &load);

        attach.target_fd = (uint32_t) open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        attach.attach_bpf_fd = (uint32_t) fd;
        if (fd < 0 || bpf(BPF_PROG_ATTACH, &attach) < 0)
                printf("none: %s\n", strerror(errno));
        else
                puts("forbidden");
        fflush(stdout);
        for (;;)
                pause();
}
