/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Processes by more than their number. */

typedef struct ProcessStat {
        pid_t parent;
        uint64_t start_time; /* clock ticks since boot: with the pid and the boot id it names one process */
        uint64_t cpu_ticks;  /* that it has used */
        char state;          /* 'R', 'S', 'D', … (proc(5)) */
        bool dead;           /* a zombie, or on its way there */
        char name[16];       /* as it calls itself, or what it has executed last */
} ProcessStat;

/* Reads /proc/PID/stat; -ESRCH. */
int process_stat(pid_t pid, ProcessStat *ret);

/* A pidfd of the process that has this pid and this start time; -ESRCH when it is gone, dead, or another. */
int process_open(pid_t pid, uint64_t start_time);

/* The number of its namespace of that type, one of namespace_names. -errno. */
int process_namespace(pid_t pid, const char *type, uint64_t *ret);

/* Waits until nothing of it runs any more; -ETIMEDOUT. The first process of a pid namespace does not get over its end
 * before all others in it were collected, and those that exec started are collected by who called exec, perhaps never. */
int process_wait(pid_t pid, int pidfd, uint64_t deadline);

/* How it has ended, as waitpid(2) has it, of a process that is not ours; it waits until who has to has collected it, but not
 * past the deadline. -ENODATA: this kernel does not tell (PIDFD_INFO_EXIT, Linux 6.15), or it is not collected. */
int process_exit_status(int pidfd, uint64_t deadline, int *ret);

/* pidfd_send_signal(2). -ESRCH. */
int process_signal(int pidfd, int signal);

/* The kernel's id of this boot, 36 characters; the caller frees it. NULL: /proc is not there. */
char *boot_id(void);
