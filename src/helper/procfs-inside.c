/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "basic/arch.h"
#include "basic/fd.h"
#include "helper/credentials.h"
#include "helper/procfs.h"

/*
 * For kernels before 6.17. The file system is opened by a process in the pid namespace, where others may trace it: it has
 * CAP_SYS_ADMIN, because the kernel wants that, and nothing else. Its root is an empty directory, its only descriptor the
 * socket on which it answers, which tells nobody who is at its other end, and it may make no system call but those three
 * that it makes. What it opens is of no use to who has no CAP_SYS_ADMIN; and what comes from it is configured and looked at
 * by who asked.
 */

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW(field) (offsetof(struct seccomp_data, field))
#else
#define LOW(field) (offsetof(struct seccomp_data, field) + sizeof(uint32_t))
#endif
#define LET_PASS(call)                                       \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* A clone() that is no plain fork is not let pass. */
static int allow_little(void) {
        static const struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_AUDIT_ARCH, 1, 0),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                LET_PASS(fsopen),
                LET_PASS(sendmsg),
                LET_PASS(wait4),
                LET_PASS(exit_group),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW(args[0])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SIGCHLD, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        };
        const struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = (struct sock_filter *) code };

        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                return -errno;
        return 0;
}

static int empty_root(void) {
        _cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -EBADF;

        if (fs < 0 || fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        return fd < 0 || fchdir(fd) < 0 || chroot(".") < 0 ? -errno : 0;
}

static int give_up_the_rest(int answer) {
        const CapabilitySets sets = { .effective = 1ULL << CAP_SYS_ADMIN, .permitted = 1ULL << CAP_SYS_ADMIN };
        int r = empty_root();

        for (unsigned cap = 0; r >= 0 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
                (void) prctl(PR_CAPBSET_DROP, cap);
        if (r >= 0)
                r = capabilities_set(&sets);
        if (r >= 0 && (dup2(answer, 0) < 0 || close_range(1, ~0U, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0))
                r = -errno;
        return r < 0 ? r : allow_little();
}

/* In a child that stays outside; its child is the one. */
static _noreturn_ void open_inside(int pidns, int answer) {
        int r = setns(pidns, CLONE_NEWPID) < 0 ? -errno : give_up_the_rest(answer), fs;
        long pid;

        if (r < 0)
                _exit(1);
        pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
                fs = fsopen("proc", FSOPEN_CLOEXEC);
                (void) send_fd(0, "", 1, fs);
                _exit(0);
        }
        (void) syscall(SYS_wait4, pid, NULL, 0, NULL);
        _exit(0);
}

/* A socket says of its other end who has made the pair: a process that shares our descriptors, and is no more. */
static int nobodys_pair(int pair[2]) {
        int made[2], status = -1;
        pid_t pid;

        if (pipe2(pair, O_CLOEXEC) < 0) /* two numbers */
                return -errno;
        pid = (pid_t) syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
                if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, made) < 0)
                        _exit(1);
                status = dup3(made[0], pair[0], O_CLOEXEC) < 0 || dup3(made[1], pair[1], O_CLOEXEC) < 0;
                (void) close(made[0]);
                (void) close(made[1]);
                _exit(status);
        }
        while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (status == 0)
                return 0;
        (void) close(pair[0]);
        (void) close(pair[1]);
        return -EMFILE;
}

int procfs_open_inside(int pidns) {
        int pair[2], fd = -EBADF, r = nobodys_pair(pair);
        char byte;
        ssize_t n;
        pid_t pid;

        if (r < 0)
                return r;
        pid = (pid_t) syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0)
                open_inside(pidns, pair[1]);
        (void) close(pair[1]);
        n = pid < 0 ? -errno : receive_fd(pair[0], &byte, sizeof(byte), &fd);
        (void) close(pair[0]);
        while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        if (n <= 0 || fd < 0)
                return n < 0 ? (int) n : -EPERM;
        return fd;
}
