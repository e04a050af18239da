/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unanswered: says STATUS=before to NOTIFY_SOCKET, and sends with STATUS=with the last descriptor of a file of FUSE, of which a
 * page is to be written yet. It answers no write, for which waits who closes the descriptor. Makes /sent, and stays. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "say.h"

static void write_file(const char *path, const char *text) {
        int fd = check(open(path, O_WRONLY), path);

        check((int) write(fd, text, strlen(text)), path);
        close(fd);
}

/* --- the file system: one file of a page ------------------------------------------------------------------------ */

static bool flushes = true, reads = true;

static void answer(int fuse, uint64_t unique, int error, const void *body, size_t size) {
        struct fuse_out_header head = { .len = (uint32_t) (sizeof(head) + size), .error = -error, .unique = unique };
        struct iovec parts[] = { { &head, sizeof(head) }, { (void *) body, size } };

        (void) !writev(fuse, parts, 2);
}

static struct fuse_attr attributes(uint64_t node) {
        return (struct fuse_attr){ .ino = node, .size = 4096, .blocks = 8, .nlink = 1, .blksize = 4096,
                                   .mode = node == FUSE_ROOT_ID ? 040755 : 0100666 };
}

static void serve_one(int fuse, const struct fuse_in_header *in) {
        static const char page[4096];
        struct fuse_init_out init = { .major = 7, .minor = 31, .flags = FUSE_WRITEBACK_CACHE, .max_readahead = 4096,
                                      .max_background = 12, .congestion_threshold = 9, .max_write = 4096, .time_gran = 1 };
        struct fuse_entry_out entry = { .nodeid = 2, .entry_valid = 1000, .attr_valid = 1000, .attr = attributes(2) };
        struct fuse_attr_out attr = { .attr_valid = 1000, .attr = attributes(in->nodeid) };
        struct fuse_open_out opened = { .fh = 1 };

        switch (in->opcode) {
        case FUSE_INIT:
                answer(fuse, in->unique, 0, &init, sizeof(init));
                break;
        case FUSE_LOOKUP:
                answer(fuse, in->unique, 0, &entry, sizeof(entry));
                break;
        case FUSE_GETATTR:
                answer(fuse, in->unique, 0, &attr, sizeof(attr));
                break;
        case FUSE_OPEN:
                answer(fuse, in->unique, 0, &opened, sizeof(opened));
                break;
        case FUSE_READ:
                if (reads)
                        answer(fuse, in->unique, 0, page, sizeof(page));
                else
                        (void) !write(1, "unread\n", 7);
                break;
        case FUSE_FLUSH:
                if (flushes)
                        answer(fuse, in->unique, ENOSYS, NULL, 0);
                break;
        case FUSE_WRITE:
        case FUSE_SETATTR:
        case FUSE_FORGET:
        case FUSE_BATCH_FORGET:
                break;
        default:
                answer(fuse, in->unique, ENOSYS, NULL, 0);
        }
}

static void serve(int fuse) {
        static char request[1 << 20];

        for (;;)
                if (read(fuse, request, sizeof(request)) > 0)
                        serve_one(fuse, (struct fuse_in_header *) request);
}

static void mount_it(void) {
        char options[100];
        int fuse;

        check(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare");
        write_file("/proc/self/uid_map", "0 0 1");
        write_file("/proc/self/setgroups", "deny");
        write_file("/proc/self/gid_map", "0 0 1");
        fuse = check(open("/dev/fuse", O_RDWR), "/dev/fuse");
        (void) snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fuse);
        check(mount("fuse", "/mnt", "fuse", MS_NOSUID | MS_NODEV, options), "mount");
        if (check(fork(), "fork") == 0)
                serve(fuse);
        close(fuse);
}

/* --- the descriptor --------------------------------------------------------------------------------------------- */

/* In the queue of a socket it is closed with that, and nobody flushes it before. What is to be written is of another one. */
static int socket_with_file(void) {
        int ends[2], file = check(open("/mnt/file", O_RDWR), "/mnt/file"), other = check(open("/mnt/file", O_RDWR), "/mnt/file");
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);

        check(page == MAP_FAILED ? -1 : 0, "mmap");
        check(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), "socketpair");
        say(ends[0], "file", file);
        close(ends[0]);
        close(file);
        *page = 'x';
        return ends[1];
}

int main(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int notify = check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket"), queue;

        strncpy(address.sun_path, getenv("NOTIFY_SOCKET"), sizeof(address.sun_path) - 1);
        check(connect(notify, (struct sockaddr *) &address, sizeof(address)), "connect");
        mount_it();
        queue = socket_with_file();
        say(notify, "STATUS=before", -1);
        say(notify, "STATUS=with", queue);
        close(queue);
        close(check(open("/sent", O_WRONLY | O_CREAT, 0600), "/sent"));
        for (;;)
                pause();
}
