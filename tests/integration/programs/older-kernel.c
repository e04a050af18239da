/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* older-kernel COMMAND…: executes it as Linux before 6.17 would, which has no fsconfig(FSCONFIG_SET_FD) for a procfs. */
#include <linux/mount.h>

#include "filtered.h"

int main(int argc, char **argv) {
        static struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsconfig, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(1)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FSCONFIG_SET_FD, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };

        return execute_filtered(code, sizeof(code) / sizeof(code[0]), argv + (argc > 0));
}
