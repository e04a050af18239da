/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _noreturn_ __attribute__((noreturn))
#define _const_ __attribute__((const))
#define _pure_ __attribute__((pure))
#define _unused_ __attribute__((unused))

/* Hands the value over and leaves NULL (or -EBADF) behind, so that the cleanup of the old owner does nothing. */
#define TAKE_PTR(p)                     \
        ({                              \
                typeof(p) _p = (p);     \
                (p) = NULL;             \
                _p;                     \
        })
#define TAKE_FD(fd)                     \
        ({                              \
                int _fd = (fd);         \
                (fd) = -EBADF;          \
                _fd;                    \
        })
