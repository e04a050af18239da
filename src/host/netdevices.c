/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/netdevices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
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

/* Numbers of interfaces that are tried where that of the device is taken. */
#define INDEX_MAX 65535U
#define MOVE_TRIES 16U

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
        for (size_t i = 0; i < d->n; i++)
                close_fd(d->list[i].identity);
        arena_done(&d->arena);
        *d = NETDEVICES_NONE;
}

/* The namespace is that of the socket: no path leads astray. */
static int side_open(NetSide *s, int socket, const char *whose, Error *reterr) {
        s->socket = socket;
        if (socket >= 0 && netlink_connect(socket) == 0 && (s->namespace = ioctl(socket, SIOCGSKNS)) >= 0)
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

/* Its directory in sysfs, which stays the same wherever it is moved and whatever it is called; -EBADF where sysfs is not
 * that of our network namespace. */
static int open_identity(const char *name) {
        _cleanup_free_ char *path = xasprintf("/sys/class/net/%s", name);

        return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static bool is_same(int identity, const char *name) {
        _cleanup_close_ int now = open_identity(name);
        struct stat a, b;

        return identity >= 0 && now >= 0 && fstat(identity, &a) == 0 && fstat(now, &b) == 0 && a.st_dev == b.st_dev &&
               a.st_ino == b.st_ino;
}

/* --- what is changed -------------------------------------------------------------------------------------------- */

static void begin_link(NetlinkMessage *m, int index, bool up) {
        const struct ifinfomsg head = { .ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = up ? IFF_UP : 0 };

        netlink_begin(m, RTM_NEWLINK, &head, sizeof(head));
}

/* Of its new namespace nothing but the number is believed, which the kernel gives it and nobody can change: who has
 * privileges there may have renamed the device, and something else to what it was called, before we look. */
static int move_to(const NetSide *from, const NetSide *to, NetDevice *device, const char *name, int index, Error *reterr) {
        NetlinkMessage m;
        int r;

        begin_link(&m, device->index, false);
        netlink_add(&m, IFLA_NET_NS_FD, &to->namespace, sizeof(to->namespace));
        netlink_add(&m, IFLA_NEW_IFINDEX, &index, sizeof(index));
        netlink_add(&m, IFLA_IFNAME, name, strlen(name) + 1);
        r = netlink_ask(from->socket, &m, reterr, PATH ".%s: cannot be moved", device->host_name);
        if (r == 0)
                device->index = index;
        return r;
}

/* Under a name that nobody has: either its old or its new one may be taken there, and a new one with a "%d" says not
 * what it will be. With the number that it had, if that is free. The kernel takes the device down on the way. */
static int hand_over(const NetSide *from, const NetSide *to, NetDevice *device, int index, char name[IF_NAMESIZE],
                     Error *reterr) {
        uint32_t random[2] = {};
        int r;

        for (unsigned tries = 0;; tries++) {
                _cleanup_error_ Error error = {};

                (void) !getrandom(random, sizeof(random), 0);
                snprintf(name, IF_NAMESIZE, "ocirt%08x", random[0]);
                r = move_to(from, to, device, name, tries == 0 ? index : (int) (random[1] % INDEX_MAX) + 1, &error);
                if (r != -EBUSY || tries == MOVE_TRIES)
                        return r == 0 ? 0 : error_move(reterr, &error);
        }
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
        char passing[IF_NAMESIZE];
        struct ifinfomsg link, other;
        int r;

        r = find_link(&d->host, device->host_name, &link);
        if (r < 0)
                return error_errnof(reterr, r, PATH ".%s: no such network interface", device->host_name);
        device->index = device->host_index = link.ifi_index;
        device->identity = open_identity(device->host_name);
        device->was_up = link.ifi_flags & IFF_UP;
        if (!strchr(name, '%') && find_link(&d->inside, name, &other) == 0)
                return error_setf(reterr, EEXIST, PATH ".%s: the container has a network interface %s already",
                                  device->host_name, name);
        r = find_addresses(d, device);
        if (r < 0)
                return error_errnof(reterr, r, PATH ".%s: cannot list its addresses", device->host_name);
        r = hand_over(&d->host, &d->inside, device, device->index, passing, reterr);
        if (r < 0)
                return r;
        device->moved = true;
        r = rename_to(&d->inside, device, name, reterr);
        for (NetAddress *a = device->addresses; a && r >= 0; a = a->next)
                if (a->head.ifa_scope == RT_SCOPE_UNIVERSE)
                        r = add_address(&d->inside, device, a, !streq(name, device->host_name), reterr);
        return r < 0 ? r : bring_up(&d->inside, device, reterr);
}

static bool namespace_is_joined(const SpecLinux *spec) {
        for (size_t i = 0; i < spec->n_namespaces; i++)
                if (spec->namespaces[i].type == CLONE_NEWNET)
                        return spec->namespaces[i].path;
        return true;
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
        d->shared = namespace_is_joined(spec);
        d->n = spec->n_net_devices;
        d->list = arena_calloc(&d->arena, d->n, sizeof(*d->list));
        for (size_t i = 0; i < d->n; i++)
                d->list[i] = (NetDevice){ .host_name = spec->net_devices[i].host_name, .identity = -EBADF };
        for (size_t i = 0; i < d->n && r >= 0; i++)
                r = move_one(d, &d->list[i], spec->net_devices[i].name ?: d->list[i].host_name, reterr);
        return r;
}

/* In a namespace that others are in, what has the number of the device may be another one by now. It is looked at here,
 * where they have no power, before it becomes anything: down, and with a name that says nothing. */
static bool take_back(NetDevices *d, NetDevice *device) {
        char name[IF_NAMESIZE];

        if (hand_over(&d->inside, &d->host, device, device->host_index, name, NULL) < 0)
                return false;
        if (!d->shared || is_same(device->identity, name))
                return true;
        (void) hand_over(&d->host, &d->inside, device, device->index, name, NULL);
        return false;
}

void netdevices_return(NetDevices *d) {
        for (size_t i = 0; i < d->n; i++) {
                NetDevice *device = &d->list[i];

                if (!device->moved)
                        continue;
                device->moved = false;
                if (!take_back(d, device))
                        continue;
                (void) rename_to(&d->host, device, device->host_name, NULL);
                for (NetAddress *a = device->addresses; a; a = a->next)
                        (void) add_address(&d->host, device, a, false, NULL);
                if (device->was_up)
                        (void) bring_up(&d->host, device, NULL);
        }
}
