/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * keys WORD...: does with its session keyring what each word says, and prints a line for it.
 *
 *   ring     what it is: "keyring;UID;GID;PERMISSIONS;NAME"
 *   =NAME    the same of the one of this name, which it joins, or makes, and opens to everybody
 *   +KEY     the same of a key that it adds, whose payload is its name
 *   ?KEY     the payload of this key
 *   parent   an empty line; its parent gets it in the place of its own
 *   wait     an empty line; reads one first
 *
 * What fails is "none".
 */
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALL 0x3f3f3f3fUL

static int describe(long key, char *text, size_t size) {
        return syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, size) < 0 ? -1 : 0;
}

static int join(const char *name) {
        long ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);

        if (ring >= 0)
                (void) syscall(SYS_keyctl, KEYCTL_SETPERM, ring, ALL);
        return ring < 0 ? -1 : 0;
}

static int look_up(const char *name, char *text, size_t size) {
        long key = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", name, 0);

        return key < 0 || syscall(SYS_keyctl, KEYCTL_READ, key, text, size) < 0 ? -1 : 0;
}

static int follow(const char *word, char *text, size_t size) {
        if (strcmp(word, "wait") == 0)
                return getchar() == EOF ? -1 : 0;
        if (strcmp(word, "parent") == 0)
                return syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT) < 0 ? -1 : 0;
        if (strcmp(word, "ring") == 0)
                return describe(KEY_SPEC_SESSION_KEYRING, text, size);
        if (word[0] == '=')
                return join(word + 1) ?: describe(KEY_SPEC_SESSION_KEYRING, text, size);
        if (word[0] == '+')
                return describe(syscall(SYS_add_key, "user", word + 1, word + 1, strlen(word + 1), KEY_SPEC_SESSION_KEYRING),
                                text, size);
        return look_up(word + 1, text, size);
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                char text[4096] = "";

                puts(follow(argv[i], text, sizeof(text) - 1) < 0 ? "none" : text);
                fflush(stdout);
        }
        return 0;
}
