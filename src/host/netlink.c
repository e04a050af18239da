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

        for (int left = (int) size; RTA_OK(a, left); a = RTA_NEXT(a, left))
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

/* One datagram; 1 when it was the last. */
static int read_answers(const uint8_t *bytes, size_t size, NetlinkAnswer answer, void *userdata, char **ret_words) {
        const struct nlmsghdr *h = (const struct nlmsghdr *) (const void *) bytes;

        for (; NLMSG_OK(h, size); h = NLMSG_NEXT(h, size)) {
                if (h->nlmsg_type == NLMSG_DONE)
                        return 1;
                if (h->nlmsg_type == NLMSG_ERROR) {
                        const struct nlmsgerr *e = NLMSG_DATA(h);

                        if (e->error != 0 && ret_words && words(h))
                                *ret_words = xstrdup(words(h));
                        return e->error < 0 ? e->error : 1;
                }
                if (answer)
                        answer(h->nlmsg_type, NLMSG_DATA(h), NLMSG_PAYLOAD(h, 0), userdata);
        }
        return 0;
}

/* Every request asks for an acknowledgement, or for a dump, which has an end of its own. */
static int talk(int fd, NetlinkMessage *m, uint16_t flags, NetlinkAnswer answer, void *userdata, char **ret_words) {
        _cleanup_free_ uint8_t *bytes = xmalloc0(ANSWER_MAX);
        struct nlmsghdr *h = header(m);
        int on = 1, r = 0;

        (void) setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
        h->nlmsg_flags = (uint16_t) (NLM_F_REQUEST | (flags ?: NLM_F_ACK));
        if (send(fd, m->bytes, h->nlmsg_len, 0) < 0)
                return -errno;
        while (r == 0) {
                ssize_t n = recv(fd, bytes, ANSWER_MAX, 0);

                if (n <= 0 && !(n < 0 && errno == EINTR))
                        return n < 0 ? -errno : -EIO;
                r = n > 0 ? read_answers(bytes, (size_t) n, answer, userdata, ret_words) : 0;
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
        if (vasprintf(&what, fmt, ap) < 0)
                oom();
        va_end(ap);
        return said ? error_setf(reterr, -r, "%s: %s", what, said) : error_errnof(reterr, r, "%s", what);
}

int netlink_get(int socket, NetlinkMessage *m, uint16_t flags, NetlinkAnswer answer, void *userdata) {
        return talk(socket, m, flags, answer, userdata, NULL);
}
