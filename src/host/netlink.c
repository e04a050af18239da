/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/netlink.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "basic/alloc.h"

/* Of one answer of the kernel: a page, or what a dump fills at once. */
#define ANSWER_MAX 32768U

static struct nlmsghdr *header(NetlinkMessage *m) {
        return (struct nlmsghdr *) (void *) m->bytes;
}

void netlink_begin(NetlinkMessage *m, uint16_t type, const void *body, size_t size) {
        struct nlmsghdr *h = header(m);

        *m = (NetlinkMessage){};
        assert(NLMSG_SPACE(size) <= sizeof(m->bytes));
        h->nlmsg_type = type;
        h->nlmsg_len = (uint32_t) NLMSG_LENGTH(size);
        memcpy(NLMSG_DATA(h), body, size);
}

void netlink_add(NetlinkMessage *m, uint16_t type, const void *data, size_t size) {
        struct nlmsghdr *h = header(m);
        size_t at = NLMSG_ALIGN(h->nlmsg_len);
        struct rtattr *a = (struct rtattr *) (void *) (m->bytes + at);

        assert(at + RTA_SPACE(size) <= sizeof(m->bytes));
        a->rta_type = type;
        a->rta_len = (unsigned short) RTA_LENGTH(size);
        if (size > 0)
                memcpy(RTA_DATA(a), data, size);
        h->nlmsg_len = (uint32_t) (at + a->rta_len);
}

const void *netlink_find(const void *attributes, size_t size, uint16_t type, size_t *ret_size) {
        const struct rtattr *a = attributes;

        for (int left = (int) size; RTA_OK(a, left); a = netlink_next(a, &left))
                if ((a->rta_type & NLA_TYPE_MASK) == type) {
                        *ret_size = RTA_PAYLOAD(a);
                        return RTA_DATA(a);
                }
        return NULL;
}

/* What the kernel says besides the errno, with NETLINK_EXT_ACK: attributes behind the header of the request, or behind
 * all of it. */
static const char *words(const struct nlmsghdr *h) {
        const struct nlmsgerr *e = NLMSG_DATA(h);
        size_t skip = sizeof(*e), size;
        const char *s;

        if (!(h->nlmsg_flags & NLM_F_ACK_TLVS))
                return NULL;
        if (!(h->nlmsg_flags & NLM_F_CAPPED))
                skip += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
        if (skip >= NLMSG_PAYLOAD(h, 0))
                return NULL;
        s = netlink_find((const char *) e + skip, NLMSG_PAYLOAD(h, 0) - skip, NLMSGERR_ATTR_MSG, &size);
        return s && size > 1 && s[size - 1] == '\0' ? s : NULL;
}

static const struct nlmsghdr *next_message(const struct nlmsghdr *h, size_t *left) {
        const size_t size = MIN(NLMSG_ALIGN(h->nlmsg_len), *left);

        *left -= size;
        return (const void *) ((const uint8_t *) h + size);
}

/* One datagram; 1 when it was the last. Only what answers this request counts. */
static int read_answers(const uint8_t *bytes, size_t size, uint32_t number, NetlinkAnswer answer, void *userdata,
                        char **ret_words) {
        const struct nlmsghdr *h = (const struct nlmsghdr *) (const void *) bytes;

        for (; NLMSG_OK(h, size); h = next_message(h, &size)) {
                if (h->nlmsg_seq != number)
                        continue;
                if (h->nlmsg_type == NLMSG_DONE)
                        return 1;
                if (h->nlmsg_type == NLMSG_ERROR) {
                        const struct nlmsgerr *e = NLMSG_DATA(h);

                        if (NLMSG_PAYLOAD(h, 0) < sizeof(*e))
                                return -EBADMSG;
                        if (e->error != 0 && ret_words && words(h))
                                *ret_words = xstrdup(words(h));
                        return e->error < 0 ? e->error : 1;
                }
                if (answer)
                        answer(h->nlmsg_type, NLMSG_DATA(h), NLMSG_PAYLOAD(h, 0), userdata);
        }
        return 0;
}

int netlink_connect(int socket) {
        const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

        return connect(socket, (const struct sockaddr *) &kernel, sizeof(kernel)) < 0 ? -errno : 0;
}

/* A datagram of the kernel; 0 for one of anybody else, which may have been there before netlink_connect(). */
static ssize_t receive(int fd, uint8_t *bytes) {
        struct sockaddr_nl sender = {};
        socklen_t size = sizeof(sender);
        ssize_t n = recvfrom(fd, bytes, ANSWER_MAX, MSG_TRUNC, (struct sockaddr *) &sender, &size);

        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (size != sizeof(sender) || sender.nl_family != AF_NETLINK || sender.nl_pid != 0)
                return 0;
        return n == 0 || (size_t) n > ANSWER_MAX ? -EBADMSG : n;
}

/* Every request asks for an acknowledgement, or for a dump, which has an end of its own. */
static int talk(int fd, NetlinkMessage *m, uint16_t flags, NetlinkAnswer answer, void *userdata, char **ret_words) {
        _cleanup_free_ uint8_t *bytes = xmalloc0(ANSWER_MAX);
        struct nlmsghdr *h = header(m);
        int on = 1, r = 0;

        (void) !getrandom(&h->nlmsg_seq, sizeof(h->nlmsg_seq), 0);
        (void) setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
        h->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | (flags ?: NLM_F_ACK));
        if (send(fd, m->bytes, h->nlmsg_len, 0) < 0)
                return -errno;
        while (r == 0) {
                ssize_t n = receive(fd, bytes);

                if (n < 0)
                        return (int) n;
                r = n > 0 ? read_answers(bytes, (size_t) n, h->nlmsg_seq, answer, userdata, ret_words) : 0;
        }
        return r < 0 ? r : 0;
}

int netlink_ask(int socket, NetlinkMessage *m, Error *reterr, const char *fmt, ...) {
        _cleanup_free_ char *said = NULL, *what = NULL;
        va_list ap;
        int r;

        r = talk(socket, m, 0, NULL, NULL, &said);
        if (r >= 0)
                return 0;
        va_start(ap, fmt);
        what = xvasprintf(fmt, ap);
        va_end(ap);
        return said ? error_passf(reterr, r, "%s: %s", what, said) : error_errnof(reterr, r, "%s", what);
}

int netlink_get(int socket, NetlinkMessage *m, uint16_t flags, NetlinkAnswer answer, void *userdata) {
        return talk(socket, m, flags, answer, userdata, NULL);
}
