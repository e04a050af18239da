/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* keep-socket: receives from the datagram socket of the first process, which this has for notifications, into memory that
 * nobody serves, and so for ever. Another message is in there then. Prints "unread" when it waits. */
#define main main_of_unanswered
#include "unanswered.c"
#undef main

#include <sys/syscall.h>

#define DESCRIPTORS 64

static int take_socket(void) {
        int process = (int) syscall(SYS_pidfd_open, 1, 0);

        for (int fd = 0; process >= 0 && fd < DESCRIPTORS; fd++) {
                int taken = (int) syscall(SYS_pidfd_getfd, process, fd, 0), type = 0;
                socklen_t size = sizeof(type);

                if (getsockopt(taken, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM)
                        return taken;
        }
        return -1;
}

int main(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "/run/notify/notify.sock" };
        int taken = check(take_socket(), "socket"), notify = check(socket(AF_UNIX, SOCK_DGRAM, 0), "socket");
        char *page;

        check(connect(notify, (struct sockaddr *) &address, sizeof(address)), "connect");
        say(notify, "STATUS=first", -1);
        say(notify, "STATUS=second", -1);
        reads = false;
        mount_it();
        page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, check(open("/mnt/file", O_RDWR), "/mnt/file"), 0);
        check(page == MAP_FAILED ? -1 : 0, "mmap");
        return recv(taken, page, 4096, 0) < 0;
}
