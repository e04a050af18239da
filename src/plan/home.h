/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Where a container lives: whose limits hold for it, what freezes it and is removed with it. */
typedef enum Home {
        HOME_NONE,      /* in the caller's cgroup, without limits of its own (--cgroup-manager=disabled) */
        HOME_SCOPE,     /* a unit of systemd's */
        HOME_SERVICE,   /* another, whose main process is the container's, and which systemd watches over */
        HOME_CGROUP,    /* a cgroup of ours in the caller's unit, which is delegated */
} Home;

/* Is it a unit of its own? */
static inline bool home_is_unit(Home home) {
        return home == HOME_SCOPE || home == HOME_SERVICE;
}
