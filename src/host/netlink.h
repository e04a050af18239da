/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <linux/rtnetlink.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "basic/error.h"

/* rtnetlink(7), as far as moving network interfaces goes. A socket belongs to the network namespace that it was opened
 * in, whoever has it. */

typedef struct NetlinkMessage {
        _Alignas(8) uint8_t bytes[1024];
} NetlinkMessage;

/* A request of this RTM_* type, whose fixed part is body. */
void netlink_begin(NetlinkMessage *m, uint16_t type, const void *body, size_t size);
/* One more attribute; there is room for what fits an interface or an address. */
void netlink_add(NetlinkMessage *m, uint16_t type, const void *data, size_t size);

/* Makes the kernel refuse what others would send to it. Whoever has CAP_NET_ADMIN over the namespace may send to any
 * port, and so may be the first to answer. */
int netlink_connect(int socket);

/* -errno; with a sentence that ends in the kernel's own words, if it has any: "what: words". */
int netlink_ask(int socket, NetlinkMessage *m, Error *reterr, const char *fmt, ...) _printf_(4, 5);

/* Calls back for each message of the answer: type, the fixed part and what is behind it. flags: NLM_F_DUMP or 0. */
typedef void (*NetlinkAnswer)(uint16_t type, const void *body, size_t size, void *userdata);
int netlink_get(int socket, NetlinkMessage *m, uint16_t flags, NetlinkAnswer answer, void *userdata);

/* As RTA_NEXT() of rtnetlink(3), in which compilers miss the alignment. */
static inline const struct rtattr *netlink_next(const struct rtattr *a, int *left) {
        *left -= (int) RTA_ALIGN(a->rta_len);
        return (const void *) ((const uint8_t *) a + RTA_ALIGN(a->rta_len));
}
/* The first attribute of that type; NULL when there is none. */
const void *netlink_find(const void *attributes, size_t size, uint16_t type, size_t *ret_size);
