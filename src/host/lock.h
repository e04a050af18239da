/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The lock of a container: flock() on its directory. Who has it changes the container. */
typedef enum LockMode {
        LOCK_NONE,
        LOCK_WAIT,  /* with patience, -ETIMEDOUT then */
        LOCK_BREAK, /* with less of it: who has the lock then is killed, so that a stuck verb cannot keep it */
} LockMode;

/* -ENOENT: the directory was removed while we waited. */
int lock_directory(int dir, LockMode mode);
