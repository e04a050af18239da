/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/netdevices.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "basic/fd.h"
#include "basic/str.h"
#include "host/netlink.h"

#define PATH "linux.netDevices"
#define ADDRESS_MAX 512U

/* An answer to RTM_GETADDR, as it is to be asked for again. */
typedef struct NetAddress {
        struct NetAddress *next;
        struct ifaddrmsg head;
        uint8_t attributes[ADDRESS_MAX];
        size_t size;
} NetAddress;

static void side_done(NetSide *s) {
        s->socket = close_fd(s->socket);
        s->namespace = close_fd(s->namespace);
}

void netdevices_done(NetDevices *d) {
        side_done(&d->host);
        side_done(&d->inside);
        arena_done(&d->arena);
        *d = NETDEVICES_NONE;
}

/* The namespace is that of the socket: no path leads astray. */
static int side_open(NetSide *s, int socket, const char *whose, Error *reterr) {
        s->socket = socket;
        if (socket >= 0)
                s->namespace = ioctl(socket, SIOCGSKNS);
        if (socket >= 0 && s->namespace >= 0)
                return 0;
        return error_errnof(reterr, errno, errno == EPERM ? PATH ": moving a device takes privileges over %s network namespace"
                                                          : PATH ": cannot get at %s network namespace", whose);
}

static bool same_namespace(const NetSide *a, const NetSide *b) {
        struct stat x, y;

        return fstat(a->namespace, &x) < 0 || fstat(b->namespace, &y) < 0 ||
               (x.st_dev == y.st_dev && x.st_ino == y.st_ino);
}

/* --- what there is ---------------------------------------------------------------------------------------------- */

static void take_link(uint16_t type, const void *body, size_t size, void *userdata) {
        if (type == RTM_NEWLINK && size >= sizeof(struct ifinfomsg))
                memcpy(userdata, body, sizeof(struct ifinfomsg));
}

static int find_link(const NetSide *s, const char *name, struct ifinfomsg *ret) {
        NetlinkMessage m;
        int r;

        *ret = (struct ifinfomsg){};
        netlink_begin(&m, RTM_GETLINK, ret, sizeof(*ret));
        netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
        r = netlink_get(s->socket, &m, 0, take_link, ret);
        return r < 0 ? r : ret->ifi_index > 0 ? 0 : -ENODEV;
}

typedef struct AddressQuery {
        NetDevices *devices;
        NetDevice *device;
        NetAddress **end;
} AddressQuery;

static void take_address(uint16_t type, const void *body, size_t size, void *userdata) {
        AddressQuery *q = userdata;
        const struct ifaddrmsg *head = body;
        NetAddress *a;

        if (type != RTM_NEWADDR || size < sizeof(*head) || (int) head->ifa_index != q->device->index ||
            !(head->ifa_flags & IFA_F_PERMANENT) || size - sizeof(*head) > ADDRESS_MAX)
                return;
        a = arena_alloc(&q->devices->arena, sizeof(*a));
        a->head = *head;
        a->size = size - sizeof(*head);
        memcpy(a->attributes, head + 1, a->size);
        *q->end = a;
        q->end = &a->next;
}

static int find_addresses(NetDevices *d, NetDevice *device) {
        AddressQuery q = { .devices = d, .device = device, .end = &device->addresses };
        const struct ifaddrmsg any = { .ifa_family = AF_UNSPEC };
        NetlinkMessage m;

        netlink_begin(&m, RTM_GETADDR, &any, sizeof(any));
        return netlink_get(d->host.socket, &m, NLM_F_DUMP, take_address, &q);
}

/* --- what is changed -------------------------------------------------------------------------------------------- */

static void begin_link(NetlinkMessage *m, int index, bool up) {
        const struct ifinfomsg head = { .ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = up ? IFF_UP : 0 };

        netlink_begin(m, RTM_NEWLINK, &head, sizeof(head));
}

/* Under a name that nobody has: either its old or its new one may be taken there, and a new one with a "%d" says not
 * what it will be. The kernel takes the device down on the way. */
static int hand_over(const NetSide *from, const NetSide *to, NetDevice *device, Error *reterr) {
        char name[IF_NAMESIZE];
        struct ifinfomsg link;
        NetlinkMessage m;
        uint32_t number = 0;
        int r;

        (void) !getrandom(&number, sizeof(number), 0);
        snprintf(name, sizeof(name), "ocirt%08x", number);
        begin_link(&m, device->index, false);
        netlink_add(&m, IFLA_NET_NS_FD, &to->namespace, sizeof(to->namespace));
        netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
        r = netlink_ask(from->socket, &m, reterr, PATH ".%s: cannot be moved", device->host_name);
        if (r < 0)
                return r;
        r = find_link(to, name, &link);
        if (r < 0)
                return error_errnof(reterr, r, PATH ".%s: lost on the way", device->host_name);
        device->index = link.ifi_index;
        return 0;
}

static int rename_to(const NetSide *s, const NetDevice *device, const char *name, Error *reterr) {
        NetlinkMessage m;

        begin_link(&m, device->index, false);
        netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
        return netlink_ask(s->socket, &m, reterr, PATH ".%s: cannot be named %s", device->host_name, name);
}

static int bring_up(const NetSide *s, const NetDevice *device, Error *reterr) {
        NetlinkMessage m;

        begin_link(&m, device->index, true);
        return netlink_ask(s->socket, &m, reterr, PATH ".%s: cannot be brought up", device->host_name);
}

/* All its attributes, but for a label, which has the name of the interface in it. */
static int add_address(const NetSide *s, const NetDevice *device, const NetAddress *a, bool renamed, Error *reterr) {
        const struct rtattr *attribute = (const struct rtattr *) (const void *) a->attributes;
        struct ifaddrmsg head = a->head;
        NetlinkMessage m;

        head.ifa_index = (uint32_t) device->index;
        netlink_begin(&m, RTM_NEWADDR, &head, sizeof(head));
        for (int left = (int) a->size; RTA_OK(attribute, left); attribute = netlink_next(attribute, &left))
                if (attribute->rta_type != IFA_LABEL || !renamed)
                        netlink_add(&m, attribute->rta_type, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
        return netlink_ask(s->socket, &m, reterr, PATH ".%s: cannot keep its addresses", device->host_name);
}

/* --- there and back --------------------------------------------------------------------------------------------- */

static int move_one(NetDevices *d, NetDevice *device, const char *name, Error *reterr) {
        struct ifinfomsg link, other;
        int r;

        r = find_link(&d->host, device->host_name, &link);
        if (r < 0)
                return error_errnof(reterr, r, PATH ".%s: no such network interface", device->host_name);
        device->index = link.ifi_index;
        device->was_up = link.ifi_flags & IFF_UP;
        if (!strchr(name, '%') && find_link(&d->inside, name, &other) == 0)
                return error_setf(reterr, EEXIST, PATH ".%s: the container has a network interface %s already",
                                  device->host_name, name);
        r = find_addresses(d, device);
        if (r < 0)
                return error_errnof(reterr, r, PATH ".%s: cannot list its addresses", device->host_name);
        r = hand_over(&d->host, &d->inside, device, reterr);
        if (r < 0)
                return r;
        device->moved = true;
        r = rename_to(&d->inside, device, name, reterr);
        for (NetAddress *a = device->addresses; a && r >= 0; a = a->next)
                if (a->head.ifa_scope == RT_SCOPE_UNIVERSE)
                        r = add_address(&d->inside, device, a, !streq(name, device->host_name), reterr);
        return r < 0 ? r : bring_up(&d->inside, device, reterr);
}

int netdevices_move(NetDevices *d, const SpecLinux *spec, int inside, Error *reterr) {
        int r;

        r = side_open(&d->inside, inside, "the container's", reterr);
        if (r >= 0)
                r = side_open(&d->host, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "our", reterr);
        if (r < 0)
                return r;
        if (same_namespace(&d->host, &d->inside))
                return error_setf(reterr, EINVAL, PATH ": the container's network namespace is the one they are in");
        d->n = spec->n_net_devices;
        d->list = arena_calloc(&d->arena, d->n, sizeof(*d->list));
        for (size_t i = 0; i < d->n && r >= 0; i++) {
                d->list[i].host_name = spec->net_devices[i].host_name;
                r = move_one(d, &d->list[i], spec->net_devices[i].name ?: d->list[i].host_name, reterr);
        }
        return r;
}

void netdevices_return(NetDevices *d) {
        for (size_t i = 0; i < d->n; i++) {
                NetDevice *device = &d->list[i];

                if (!device->moved || hand_over(&d->inside, &d->host, device, NULL) < 0)
                        continue;
                device->moved = false;
                (void) rename_to(&d->host, device, device->host_name, NULL);
                for (NetAddress *a = device->addresses; a; a = a->next)
                        (void) add_address(&d->host, device, a, false, NULL);
                if (device->was_up)
                        (void) bring_up(&d->host, device, NULL);
        }
}
