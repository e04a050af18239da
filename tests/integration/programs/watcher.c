/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * watcher SECRET CAPABILITIES NAMESPACES [filtered|first|fill|rootfs]: an attacker in a container who has every capability.
 * It waits for processes that appear in its pid namespace, looks at them and traces them as fast as it can, and says at
 * SIGTERM what it has got:
 *
 *   seen N      processes that were looked at
 *   helper N    of them those that were still the runtime's
 *   traced N    of them those that could be seized
 *   first WHAT  when WHAT, helper or traced, is no longer 0
 *   got WHAT    once for each kind of thing that it must not have; nothing else begins so
 *
 * SECRET is the path of a file of the host; CAPABILITIES is a mask of what processes may have; NAMESPACES are the inodes of
 * the host's namespaces that the container is not in, each between commas; filtered: processes must have a seccomp filter;
 * first: looks at the first process alone, and at once; fill: stops each that appears, and fills the pipes that it reads;
 * rootfs: looks at /other instead, where the rootfs of a container appears that joins our mount namespace. Its procfs has
 * a mask on keys, its sys is read-only.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/sockios.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define AHEAD 8
#define FILES_MAX 16
#define KINDS_MAX 64
#define IDLE 20000
#define DESCRIPTORS 24
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
/* PIDFD_GET_CGROUP_NAMESPACE and its like, of Linux 6.11. */
#define GET_NAMESPACE(n) _IO(0xFF, n)
#define NAMESPACES_MAX 10

static const char *secret, *namespaces;
static unsigned long long allowed;
static bool filtered;
static volatile sig_atomic_t done;
static unsigned long seen, helpers, traced;
static char *got[KINDS_MAX];
static struct { dev_t device; ino_t inode; int fd; } executables[FILES_MAX];

static void on_term(int number) {
        done = number;
}

static void count(unsigned long *counter, const char *name) {
        if ((*counter)++ > 0)
                return;
        printf("first %s\n", name);
        fflush(stdout);
}

static void gets(const char *what, const char *more) {
        char text[512];

        snprintf(text, sizeof(text), "%s %s", what, more);
        for (int i = 0; i < KINDS_MAX; i++) {
                if (!got[i]) {
                        got[i] = strdup(text);
                        return;
                }
                if (strcmp(got[i], text) == 0)
                        return;
        }
}

/* Does the directory lead to the host's files? ".." ends at our own root, but not from outside of it. */
static bool leads_out(int directory) {
        char path[4096] = "";
        int fd;

        for (int i = 0; i < 24; i++)
                strcat(path, "../");
        strcat(path, secret + 1);
        fd = openat(directory, secret + 1, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                close(fd);
        return fd >= 0;
}

static void look_at_directory(int process, const char *name) {
        int fd = openat(process, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return;
        if (leads_out(fd))
                gets("a way to the host's files by", name);
        close(fd);
}

/* A pidfd, of one that is not in our pid namespace, where it would have a number. */
static bool is_outside(int process, const char *fd_name) {
        char path[64], text[1024];
        const char *line;
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "fdinfo/%s", fd_name);
        fd = openat(process, path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        text[n < 0 ? 0 : n] = '\0';
        if (fd >= 0)
                close(fd);
        line = strstr(text, "Pid:");
        return line && atoi(line + strlen("Pid:")) == 0;
}

static bool is_ours_outside(int pidfd) {
        int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
        char name[16];
        bool outside;

        snprintf(name, sizeof(name), "%d", pidfd);
        outside = is_outside(self, name);
        close(self);
        return outside;
}

static void look_at_descriptors(int process) {
        int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        struct dirent *entry;
        char link[256];

        while (d && (entry = readdir(d))) {
                ssize_t n = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);
                struct stat st;

                if (n < 0)
                        continue;
                link[n] = '\0';
                if (strstr(link, "pidfd") && is_outside(process, entry->d_name))
                        gets("a descriptor of a process:", link);
                if (fstatat(fd, entry->d_name, &st, 0) == 0 && S_ISDIR(st.st_mode))
                        gets("a descriptor of a directory:", link);
        }
        if (d)
                closedir(d);
}

/* What leads on from a process: a file, a directory, or a process. */
static bool leads_on(int fd) {
        char path[64], link[256];
        struct stat st;
        ssize_t n;

        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = readlink(path, link, sizeof(link) - 1);
        link[n < 0 ? 0 : n] = '\0';
        return strstr(link, "pidfd") || (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)));
}

static void look_at_namespace(int fd, const char *what, const char *name) {
        char inode[32], text[96];
        struct stat st;

        if (fd < 0)
                return;
        snprintf(text, sizeof(text), "%s %s", what, name);
        if (fstat(fd, &st) == 0) {
                snprintf(inode, sizeof(inode), ",%lu,", (unsigned long) st.st_ino);
                if (strstr(namespaces, inode))
                        gets("a namespace of the host's by", text);
        }
        close(fd);
}

static void look_at_namespaces(int process, const char *of_peer) {
        for (int n = 1; n <= NAMESPACES_MAX; n++)
                look_at_namespace(ioctl(process, GET_NAMESPACE(n), 0), "the peer of", of_peer);
}

/* Descriptors of a process; those of a socket's peer, if that is not in our pid namespace, must lead nowhere. */
static void take_descriptors(int process, const char *of_peer) {
        for (int fd = 0; fd < DESCRIPTORS; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), peer;
                socklen_t size = sizeof(peer);
                char name[64];

                if (taken < 0)
                        continue;
                snprintf(name, sizeof(name), "socket %d", fd);
                look_at_namespace(ioctl(taken, SIOCGSKNS), of_peer ? "a socket of the peer of" : "a", of_peer ?: name);
                if (of_peer && leads_on(taken))
                        gets("a way to the host by the peer of", of_peer);
                else if (!of_peer && getsockopt(taken, SOL_SOCKET, SO_PEERPIDFD, &peer, &size) == 0) {
                        if (is_ours_outside(peer)) {
                                look_at_namespaces(peer, name);
                                take_descriptors(peer, name);
                        }
                        close(peer);
                }
                close(taken);
        }
}

static void take_sockets(pid_t pid) {
        int process = (int) syscall(SYS_pidfd_open, pid, 0);

        if (process < 0)
                return;
        take_descriptors(process, NULL);
        close(process);
}

static bool is_in_its_root(int process, const struct stat *st) {
        char path[512] = "root";
        ssize_t n = readlinkat(process, "exe", path + 4, sizeof(path) - 5);
        struct stat there;

        if (n < 0)
                return false;
        path[4 + n] = '\0';
        return fstatat(process, path, &there, 0) == 0 && there.st_ino == st->st_ino && there.st_dev == st->st_dev;
}

/* From a file of the host's each other one of its file system is reached by open_by_handle_at(); what is in memory has a
 * file system where nobody has anything. */
static bool is_in_memory(const struct stat *st) {
        int own = memfd_create("watcher", MFD_CLOEXEC);
        struct stat memory;
        bool same = own >= 0 && fstat(own, &memory) == 0 && memory.st_dev == st->st_dev;

        if (own >= 0)
                close(own);
        return same;
}

/* Kept, and opened for writing when nobody executes it. Those of the container are its own. */
static void keep_executable(int process) {
        int fd = openat(process, "exe", O_PATH | O_CLOEXEC), i;
        struct stat st;
        char c;

        if (fd < 0)
                return;
        /* Of one that has ended meanwhile nobody knows what root it had. */
        if (fstat(fd, &st) < 0 || is_in_its_root(process, &st) || readlinkat(process, "exe", &c, 1) < 0) {
                close(fd);
                return;
        }
        if (!is_in_memory(&st))
                gets("an executable", "on a file system of the host's");
        for (i = 0; i < FILES_MAX && executables[i].inode; i++)
                if (executables[i].inode == st.st_ino && executables[i].device == st.st_dev)
                        break;
        if (i < FILES_MAX && !executables[i].inode) {
                executables[i].device = st.st_dev;
                executables[i].inode = st.st_ino;
                executables[i].fd = fd;
        } else
                close(fd);
}

static void try_executables(void) {
        for (int i = 0; i < FILES_MAX && executables[i].inode; i++) {
                char path[64], link[256];
                int fd, seals;
                ssize_t n;

                snprintf(path, sizeof(path), "/proc/self/fd/%d", executables[i].fd);
                for (unsigned tries = 0; (fd = open(path, O_WRONLY | O_CLOEXEC)) < 0 && errno == ETXTBSY && tries < 2000; tries++)
                        usleep(1000);
                seals = fd < 0 ? 0 : fcntl(fd, F_GET_SEALS);
                n = readlink(path, link, sizeof(link) - 1);
                link[n < 0 ? 0 : n] = '\0';
                if (fd >= 0 && (seals < 0 || !(seals & F_SEAL_WRITE)))
                        gets("for writing the executable", link);
        }
}

/* Capabilities that the program has not got. */
static bool may_not_have(const char *line) {
        return strtoull(strchr(line, '\t'), NULL, 16) & ~allowed;
}

/* Those of a process that is stopped, or of one that runs. */
static void look_at_status(int process, const char *name) {
        char text[4096], *line, *save;
        int fd = openat(process, "status", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

        if (fd >= 0)
                close(fd);
        if (n <= 0)
                return;
        text[n] = '\0';
        if (filtered && !strstr(text, "\nSeccomp:\t2\n"))
                gets(name, "without the filter");
        for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                if (strcmp(line, "Name:\tocirt-sd-init") == 0)
                        count(&helpers, "helper");
                if (strncmp(line, "Cap", 3) == 0 && may_not_have(line))
                        gets(name, line);
        }
}

static void look(pid_t pid, bool stopped) {
        char path[32];
        int process;

        snprintf(path, sizeof(path), "/proc/%d", pid);
        process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process < 0)
                return;
        look_at_directory(process, "root");
        look_at_directory(process, "cwd");
        keep_executable(process);
        look_at_descriptors(process);
        take_sockets(pid);
        look_at_status(process, stopped ? "a traced process with" : "a process with");
        close(process);
}

/* The one half is seized at once, and looked at while it stands still; the other is looked at as it runs. */
static void examine(pid_t pid) {
        int status;

        seen++;
        if (seen % 2 == 0 && ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
                count(&traced, "traced");
                (void) ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
                if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
                        look(pid, true);
                        (void) ptrace(PTRACE_DETACH, pid, NULL, NULL);
                }
        } else
                for (int i = 0; i < 3; i++)
                        look(pid, false);
}

/* The greatest number there is. */
static pid_t newest(void) {
        DIR *d = opendir("/proc");
        struct dirent *entry;
        pid_t max = 0;

        while (d && (entry = readdir(d)))
                if (atoi(entry->d_name) > max)
                        max = atoi(entry->d_name);
        if (d)
                closedir(d);
        return max;
}

/* Or gone. */
static bool has_stopped(pid_t pid) {
        char path[64], text[512];
        const char *state;
        ssize_t n;
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/stat", pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (fd >= 0)
                close(fd);
        if (n <= 0)
                return true;
        text[n] = '\0';
        state = strrchr(text, ')');
        return state && state[1] == ' ' && strchr("TtZX", state[2]);
}

/* Who has not stopped yet takes out one more. */
static void fill_pipes(pid_t pid) {
        char path[64], page[4096] = "";
        struct stat st;

        (void) kill(pid, SIGSTOP);
        while (!has_stopped(pid))
                ;
        for (int i = 3; i < DESCRIPTORS; i++) {
                int fd;

                snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, i);
                if (lstat(path, &st) < 0 || !(st.st_mode & S_IRUSR))
                        continue;
                fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
                if (fd < 0)
                        continue;
                while (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode) && write(fd, page, sizeof(page)) > 0)
                        ;
                close(fd);
        }
        puts("filled");
        fflush(stdout);
}

/* Of the program: nobody else hears of that, then. */
static void keep_end(pid_t pid) {
        char path[32], name[16] = "ocirt-sd-init";

        snprintf(path, sizeof(path), "/proc/%d/comm", pid);
        while (strncmp(name, "ocirt-sd-init", 13) == 0) {
                int fd = open(path, O_RDONLY | O_CLOEXEC);
                ssize_t n = fd < 0 ? 0 : read(fd, name, sizeof(name));

                if (fd >= 0)
                        close(fd);
                if (n <= 0)
                        return;
        }
        if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0)
                puts("keeps");
        fflush(stdout);
}

/* Mounts at /other and below it; -1: the kernel has not told all of them at once. */
static int mounts_of_other(void) {
        int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC), n = 0;
        static char text[65536];
        ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        char more;

        if (size >= 0 && read(fd, &more, 1) != 0)
                size = -1;
        if (fd >= 0)
                close(fd);
        if (size < 0)
                return -1;
        text[size] = '\0';
        for (const char *line = text; (line = strstr(line, " /other")); line++)
                n++;
        return n;
}

/* Each of these is one system call, so that who stops us meanwhile finds nothing half looked at. */
static void look_at_rootfs(void) {
        static int least = 1000, most;
        int process = open("/other/proc/1", O_PATH | O_DIRECTORY | O_CLOEXEC), sys, n;
        struct stat st;

        if (process >= 0) {
                look_at_status(process, "a process in its procfs with");
                close(process);
        }
        if (stat("/other/proc/keys", &st) == 0 && S_ISREG(st.st_mode))
                gets("a procfs", "without its masks");
        sys = open("/other/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
        if (sys >= 0) {
                gets("a procfs", "without its read-only paths");
                close(sys);
        }
        n = mounts_of_other();
        if (n <= 0)
                return;
        least = n < least ? n : least;
        most = n > most ? n : most;
        if (least != most)
                gets("a rootfs", "that is not complete");
        count(&seen, "rootfs");
}

static void report(void) {
        try_executables();
        printf("seen %lu\nhelper %lu\ntraced %lu\n", seen, helpers, traced);
        for (int i = 0; i < KINDS_MAX && got[i]; i++)
                printf("got %s\n", got[i]);
        puts("end");
}

int main(int argc, char **argv) {
        const struct sigaction term = { .sa_handler = on_term };
        const char *how = argc > 4 ? argv[4] : "";
        unsigned idle = 0;
        pid_t next;

        if (argc < 4)
                return 1;
        secret = argv[1];
        allowed = strtoull(argv[2], NULL, 16);
        namespaces = argv[3];
        filtered = strcmp(how, "filtered") == 0;
        if (strcmp(how, "first") == 0) {
                seen++;
                look(1, false);
                report();
                return 0;
        }
        (void) sigaction(SIGTERM, &term, NULL); /* nothing that waits goes on waiting */
        next = newest() + 1;
        puts("watching");
        fflush(stdout);
        while (!done && strcmp(how, "rootfs") == 0)
                look_at_rootfs();
        while (!done) {
                pid_t found = 0;

                /* Numbers are given out one after the other. */
                for (pid_t pid = next; pid < next + AHEAD && !found; pid++)
                        if (kill(pid, 0) == 0 || errno == EPERM)
                                found = pid;
                if (found) {
                        if (strcmp(how, "fill") == 0)
                                fill_pipes(found);
                        else if (strcmp(how, "keep") == 0)
                                keep_end(found);
                        else
                                examine(found);
                        next = found + 1;
                        idle = 0;
                } else if (++idle > IDLE) {
                        pid_t last = newest();

                        next = last >= next ? last + 1 : next;
                        idle = 0;
                }
        }
        report();
        return 0;
}
