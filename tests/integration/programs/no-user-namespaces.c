/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* no-user-namespaces COMMAND…: executes it as where user.max_user_namespaces is 0. */
#include <linux/sched.h>

#include "filtered.h"

int main(int argc, char **argv) {
        static struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NUMBER),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_unshare, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ARGUMENT(0)),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSPC),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };

        return execute_filtered(code, sizeof(code) / sizeof(code[0]), argv + (argc > 0));
}
