/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * by-handle of PATH: prints the handle of a file, "TYPE:BYTES".
 * by-handle read HANDLE PLACE...: an attacker who has CAP_DAC_READ_SEARCH and has guessed the handle of a file of the host.
 * Each place may be on the file system of that: a path, or the number of a descriptor. Prints a line for each, what is in the
 * file or "none: WHY".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
        struct file_handle head;
        unsigned char bytes[MAX_HANDLE_SZ];
} handle;

static int print_handle(const char *path) {
        int mount;

        handle.head.handle_bytes = sizeof(handle.bytes);
        if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0) < 0) {
                perror(path);
                return 1;
        }
        printf("%d:", handle.head.handle_type);
        for (unsigned i = 0; i < handle.head.handle_bytes; i++)
                printf("%02x", handle.bytes[i]);
        puts("");
        return 0;
}

static void read_handle(const char *text) {
        unsigned n = 0, byte;
        char *bytes;

        handle.head.handle_type = (int) strtol(text, &bytes, 10);
        for (bytes++; n < sizeof(handle.bytes) && sscanf(bytes + 2 * n, "%2x", &byte) == 1; n++)
                handle.bytes[n] = (unsigned char) byte;
        handle.head.handle_bytes = n;
}

static void look_by(const char *place) {
        char text[1024];
        char *end;
        int mount = (int) strtol(place, &end, 10), fd;
        ssize_t n;

        if (*end)
                mount = open(place, O_RDONLY | O_CLOEXEC);
        fd = mount < 0 ? -1 : open_by_handle_at(mount, &handle.head, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n < 0) {
                printf("none: %s\n", strerror(errno));
                return;
        }
        text[n] = '\0';
        puts(text);
}

int main(int argc, char **argv) {
        if (argc == 3 && strcmp(argv[1], "of") == 0)
                return print_handle(argv[2]);
        if (argc < 4 || strcmp(argv[1], "read") != 0)
                return 2;
        read_handle(argv[2]);
        for (char **place = argv + 3; *place; place++)
                look_by(*place);
        return 0;
}
