/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hold-thread threads: a process called "held", which has a second thread.
 * hold-thread hold: an attacker who traces the second thread of such a process, and never collects it: its process cannot be
 * collected by anybody then.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

static void *stay(void *unused) {
        for (;;)
                pause();
        return unused;
}

static int have_threads(void) {
        pthread_t second;

        if (prctl(PR_SET_NAME, "held") < 0 || pthread_create(&second, NULL, stay, NULL) != 0)
                return 1;
        puts("there");
        stay(NULL);
        return 0;
}

static int is_held(const char *pid) {
        char path[300], name[64] = "";
        FILE *f;

        snprintf(path, sizeof(path), "/proc/%s/comm", pid);
        f = fopen(path, "r");
        if (f && !fgets(name, sizeof(name), f))
                name[0] = '\0';
        if (f)
                fclose(f);
        return strcmp(name, "held\n") == 0;
}

static int seize_second(const char *pid) {
        struct dirent *entry;
        char path[300];
        int done = 0;
        DIR *dir;

        snprintf(path, sizeof(path), "/proc/%s/task", pid);
        dir = opendir(path);
        while (dir && !done && (entry = readdir(dir)))
                done = atoi(entry->d_name) > 0 && strcmp(entry->d_name, pid) != 0 &&
                       ptrace(PTRACE_SEIZE, atoi(entry->d_name), NULL, NULL) == 0;
        if (dir)
                closedir(dir);
        return done;
}

static int look(void) {
        DIR *dir = opendir("/proc");
        struct dirent *entry;
        int done = 0;

        while (dir && !done && (entry = readdir(dir)))
                done = atoi(entry->d_name) > 0 && is_held(entry->d_name) && seize_second(entry->d_name);
        if (dir)
                closedir(dir);
        return done;
}

int main(int argc, char **argv) {
        setvbuf(stdout, NULL, _IONBF, 0);
        if (argc == 2 && strcmp(argv[1], "threads") == 0)
                return have_threads();
        while (!look())
                usleep(1000);
        puts("holds");
        stay(NULL);
        return 0;
}
