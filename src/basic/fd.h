/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <sys/types.h>

#include "basic/macro.h"

/* File descriptors: closed is -EBADF, every new one is CLOEXEC. All functions return -errno. */

#define _cleanup_close_ _cleanup_(closep)
void closep(const int *fd);

/* close() that keeps errno and returns -EBADF, for fd = close_fd(fd). */
int close_fd(int fd);

/* Up to size bytes, whole unless the end comes first; returns the number read. */
ssize_t read_full(int fd, void *buffer, size_t size);
int write_full(int fd, const void *buffer, size_t size);
/* One write of the other side's, of a pipe that was made with O_DIRECT; 0 at the end. */
ssize_t read_packet(int pipe, void *buffer, size_t size);

/* One message over a unix socket with at most one descriptor (fd or ret_fd may be absent: -EBADF, NULL).
 * receive_fd() returns the number of bytes, 0 at the end of the stream. A descriptor that nobody asked for
 * is closed. */
int send_fd(int socket, const void *bytes, size_t size, int fd);
ssize_t receive_fd(int socket, void *bytes, size_t size, int *ret_fd);
/* A message with whatever descriptors it has: they stay open, as the lowest numbers that are free. */
ssize_t receive_with_fds(int socket, void *bytes, size_t size, int flags);

/* One of pipe(2), not a FIFO that has a name. */
bool fd_is_pipe(int fd);
/* The null device, wherever its node is. */
bool fd_is_null(int fd);

/* The number of the mount that fd is on: one of its own, or before Linux 6.8 one that may be used again. */
int mount_id(int fd, uint64_t *ret);

/* Is there now what poll(2) waits for? */
bool fd_is_ready(int fd, short events);
/* A pidfd: has the process ended? */
bool pidfd_has_exited(int pidfd);

/* CLOCK_MONOTONIC in µs. */
uint64_t now_usec(void);
/* In so many µs from now; UINT64_MAX, never, for what never comes. */
uint64_t deadline_in(uint64_t usec);
/* What poll() takes to wake at the deadline: ms, rounded up, -1 for UINT64_MAX. */
int poll_timeout(uint64_t deadline);
