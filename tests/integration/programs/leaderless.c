/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* leaderless [child]: a process, or a child of it, whose first thread has ended, while another one sleeps. Prints "there" then;
 * the parent of a child stays. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void *stay(void *unused) {
        char state = ' ', path[64];

        snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
        while (state != 'Z') {
                FILE *file = fopen(path, "re");

                if (!file || fscanf(file, "%*d (leaderless) %c", &state) != 1)
                        return unused;
                fclose(file);
        }
        puts("there");
        fflush(stdout);
        for (;;)
                pause();
}

int main(int argc, char **argv) {
        pthread_t other;

        if (argc > 1 && strcmp(argv[1], "child") == 0 && fork() > 0)
                for (;;)
                        pause();
        if (pthread_create(&other, NULL, stay, NULL) != 0)
                return 1;
        syscall(SYS_exit, 0);
}
