/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>

/* Where a container lives: whose limits hold for it, what freezes it and is removed with it. */
typedef enum Home {
        HOME_NONE,       /* in the caller's cgroup, without limits of its own (--cgroup-manager=disabled) */
        HOME_SCOPE,      /* a unit of systemd's */
        HOME_SERVICE,    /* another, whose main process is the container's, and which systemd watches over */
        HOME_CGROUP,     /* a cgroup of ours in the caller's unit, which is delegated */
        HOME_IN_SERVICE, /* the same in a service that calls us for that, and whose main process the container's is */
} Home;

/* Is it a unit of its own, whose properties are its limits? */
static inline bool home_is_unit(Home home) {
        return home == HOME_SCOPE || home == HOME_SERVICE;
}

/* Or a cgroup of ours, with files that are its limits? */
static inline bool home_is_cgroup(Home home) {
        return home == HOME_CGROUP || home == HOME_IN_SERVICE;
}

/* Is it the container that the unit of its record is about, and nothing else? */
static inline bool home_has_unit(Home home) {
        return home_is_unit(home) || home == HOME_IN_SERVICE;
}

/* Is systemd the parent of its process, and tells us of its end? */
static inline bool home_is_supervised(Home home) {
        return home == HOME_SERVICE || home == HOME_IN_SERVICE;
}
