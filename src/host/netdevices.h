/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "basic/alloc.h"
#include "basic/error.h"
#include "oci/spec.h"

/*
 * linux.netDevices: network interfaces go from our network namespace to the container's, with the addresses that are
 * permanent and global, under the new name, and come up there. What is a network interface's alone (its hardware
 * address, its MTU) the kernel takes along.
 *
 * Going back is for the kernel in the end: with the namespace it destroys virtual devices, and physical ones return to
 * the initial namespace. But as long as create may fail, netdevices_return() can undo it. The socket keeps the
 * namespace alive until then, even without a process in it.
 */
typedef struct NetSide {
        int socket;             /* NETLINK_ROUTE, opened in that network namespace */
        int namespace;
} NetSide;

typedef struct NetDevice {
        const char *host_name;
        int index, host_index;  /* where it is now, and where it was */
        int identity;           /* by which the host knows it again */
        bool was_up, moved;
        struct NetAddress *addresses; /* all that are permanent */
} NetDevice;

typedef struct NetDevices {
        NetSide host, inside;
        NetDevice *list;
        size_t n;
        bool shared;            /* inside there may be others */
        Arena arena;
} NetDevices;

#define NETDEVICES_NONE \
        ((NetDevices){ .host = { -EBADF, -EBADF }, .inside = { -EBADF, -EBADF } })
void netdevices_done(NetDevices *d);

/* Takes the socket, which is of the container's network namespace. On failure some may have been moved. */
int netdevices_move(NetDevices *d, const SpecLinux *spec, int inside, Error *reterr);

/* Those that were moved come back as they were, but for routes. What cannot be is left to the kernel, and so is, where
 * others are in the namespace, what is not the very device that was moved. */
void netdevices_return(NetDevices *d);
