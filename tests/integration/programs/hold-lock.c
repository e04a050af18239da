/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Keeps a lock of the kernel for as long as it lives: by a system call that has taken it and then waits for memory that never
 * comes (userfaultfd(2)). Who else wants the lock waits in a way that no signal ends. Prints "held" when it is so.
 *
 * hold-lock directory PATH: that of a directory. Who looks up a name there that the kernel does not know yet waits, also where
 * it is read-only.
 * hold-lock write FD: that of a pipe, in which there is something to be read. A child keeps it; this one ends.
 */
#include <dirent.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

static const char *directory;
static int pipe_end;

static int check(int r, const char *what) {
        if (r < 0) {
                perror(what);
                exit(1);
        }
        return r;
}

/* One page that is there, and one that never comes. *ret: a descriptor that can be read when somebody waits for it. */
static char *make_memory(int *ret) {
        struct uffdio_api api = { .api = UFFD_API };
        char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        struct uffdio_register missing = { .range = { (unsigned long) memory + PAGE, PAGE },
                                           .mode = UFFDIO_REGISTER_MODE_MISSING };

        memset(memory, '\n', PAGE);
        *ret = check((int) syscall(SYS_userfaultfd, O_CLOEXEC), "userfaultfd");
        check(ioctl(*ret, UFFDIO_API, &api), "UFFDIO_API");
        check(ioctl(*ret, UFFDIO_REGISTER, &missing), "UFFDIO_REGISTER");
        return memory;
}

static void *list(void *memory) {
        syscall(SYS_getdents64, check(open(directory, O_RDONLY | O_DIRECTORY), directory), (char *) memory + PAGE, PAGE);
        return NULL;
}

/* Waits for the lock that list() has, and others wait behind it. */
static void *change(void *thread) {
        char path[256];

        *(pid_t *) thread = (pid_t) syscall(SYS_gettid);
        snprintf(path, sizeof(path), "%s/new", directory);
        mkdir(path, 0755);
        return NULL;
}

static void *write_all(void *memory) {
        (void) !write(pipe_end, memory, 2 * PAGE);
        return NULL;
}

static void begin(void *(*function)(void *), void *argument) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, function, argument) != 0)
                exit(1);
}

static void wait_until_it_waits(volatile pid_t *thread) {
        char state = ' ', path[64];

        while (state != 'D') {
                FILE *file;

                snprintf(path, sizeof(path), "/proc/self/task/%d/stat", *thread);
                file = fopen(path, "re");
                if (file && fscanf(file, "%*d (hold-lock) %c", &state) != 1)
                        exit(1);
                if (file)
                        fclose(file);
        }
}

static void keep(void *(*function)(void *)) {
        struct uffd_msg fault;
        int faults;

        begin(function, make_memory(&faults));
        check((int) read(faults, &fault, sizeof(fault)), "read");
}

static void keep_directory(const char *path) {
        static volatile pid_t thread;

        directory = path;
        keep(list);
        begin(change, (void *) &thread);
        wait_until_it_waits(&thread);
}

/* With nothing else of what this one has open. */
static int keep_pipe(int fd) {
        int ends[2];
        char byte;

        check(pipe(ends), "pipe");
        if (check(fork(), "fork") > 0) {
                close(ends[1]);
                return read(ends[0], &byte, 1) == 1 ? 7 : 1;
        }
        pipe_end = check(fcntl(fd, F_DUPFD, 3), "F_DUPFD");
        for (int i = 0; i < 3; i++)
                close(i);
        keep(write_all);
        (void) !write(ends[1], "", 1);
        for (;;)
                pause();
}

int main(int argc, char **argv) {
        if (argc == 3 && strcmp(argv[1], "write") == 0)
                return keep_pipe(atoi(argv[2]));
        if (argc != 3 || strcmp(argv[1], "directory") != 0)
                return 2;
        keep_directory(argv[2]);
        puts("held");
        fflush(stdout);
        for (;;)
                pause();
}
