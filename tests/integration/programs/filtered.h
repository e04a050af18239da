/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Programs that execute a command as where the kernel refuses something. */

#define NUMBER offsetof(struct seccomp_data, nr)
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARGUMENT(i) offsetof(struct seccomp_data, args[i])
#else
#define ARGUMENT(i) (offsetof(struct seccomp_data, args[i]) + 4)
#endif

/* The exit status of main(), if it returns. */
static int execute_filtered(struct sock_filter *code, unsigned short n, char **command) {
        const struct sock_fprog program = { n, code };

        if (!command[0] || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return 1;
        execvp(command[0], command);
        perror(command[0]);
        return 1;
}
