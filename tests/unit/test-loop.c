/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "basic/fd.h"
#include "test.h"

#define LONG UINT64_C(60000000)

/* What the tasks do, in order. */
static char said[256];

static void say(const char *what) {
        strncat(said, what, sizeof(said) - strlen(said) - 1);
}

static void put(int fd) {
        ASSERT_EQ(write(fd, "x", 1), 1);
}

static void take(int fd) {
        char c;

        ASSERT_EQ(loop_wait_fd(fd, POLLIN, now_usec() + LONG), 1);
        ASSERT_EQ(read(fd, &c, 1), 1);
}

/* As a service does: its own loop waits for ours. */
static void spin(Loop *l) {
        _cleanup_close_ int outer = epoll_create1(EPOLL_CLOEXEC);
        struct epoll_event event = { .events = EPOLLIN };

        ASSERT_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, loop_fd(l), &event), 0);
        while (loop_tasks(l) > 0) {
                ASSERT_EQ(epoll_wait(outer, &event, 1, 60000), 1);
                ASSERT_EQ(loop_dispatch(l), 0);
        }
}

/* --- without a loop --- */

static void on_alarm(int number) {
}

static void test_here(void) {
        const struct itimerval often = { .it_value.tv_usec = 1000, .it_interval.tv_usec = 1000 }, never = {};
        struct sigaction action = { .sa_handler = on_alarm };
        _cleanup_close_ int stop = eventfd(0, EFD_CLOEXEC);
        uint64_t one = 1, begin;
        int ends[2];

        TEST("on the command line: ready, the deadline, signals, the interrupt");
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        put(ends[1]);
        take(ends[0]);
        ASSERT_EQ(loop_wait_fd(ends[0], POLLIN, 0), 0);
        ASSERT_EQ(sigaction(SIGALRM, &action, NULL), 0);
        ASSERT_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
        begin = now_usec();
        ASSERT_EQ(loop_wait_fd(ends[0], POLLIN, begin + 30000), 0);
        ASSERT(now_usec() >= begin + 30000);
        ASSERT_EQ(loop_sleep(20000), 0);
        ASSERT(now_usec() >= begin + 50000);
        ASSERT_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);

        ASSERT_EQ(loop_interrupt(stop), -EBADF);
        ASSERT_EQ(write(stop, &one, sizeof(one)), sizeof(one));
        ASSERT_EQ(loop_wait_fd(ends[0], POLLIN, UINT64_MAX), -EINTR);
        put(ends[1]); /* what has come counts */
        ASSERT_EQ(loop_wait_fd(ends[0], POLLIN, UINT64_MAX), 1);
        ASSERT_EQ(loop_interrupt(-EBADF), stop);
        take(ends[0]);
        ASSERT_EQ(loop_wait_fd(ends[0], POLLIN, 0), 0);
        close(ends[0]);
        close(ends[1]);
}

/* --- tasks --- */

typedef struct Pair { int in, out; const char *word; } Pair;

static void ping(void *data) {
        Pair *p = data;

        for (unsigned i = 0; i < 3; i++) {
                say(p->word);
                put(p->out);
                take(p->in);
        }
}

static void pong(void *data) {
        Pair *p = data;

        for (unsigned i = 0; i < 3; i++) {
                take(p->in);
                say(p->word);
                put(p->out);
        }
}

static void test_turns(void) {
        _cleanup_loop_ Loop *l = NULL;
        Pair left, right;
        int a[2], b[2];

        TEST("two tasks that wait for each other");
        ASSERT_EQ(pipe2(a, O_CLOEXEC), 0);
        ASSERT_EQ(pipe2(b, O_CLOEXEC), 0);
        ASSERT_EQ(loop_new(&l), 0);
        left = (Pair){ a[0], b[1], "-" };
        right = (Pair){ b[0], a[1], "+" };
        said[0] = '\0';
        ASSERT_EQ(loop_spawn(l, ping, &left), 0);
        ASSERT_EQ(loop_spawn(l, pong, &right), 0);
        ASSERT_STR(said, ""); /* not before the dispatch */
        spin(l);
        ASSERT_STR(said, "-+-+-+");
        for (unsigned i = 0; i < 2; i++) {
                close(a[i]);
                close(b[i]);
        }
}

static void sleep_and_say(void *data) {
        const Pair *p = data;

        ASSERT_EQ(loop_sleep((uint64_t) p->in), 0);
        say(p->word);
}

static void test_times(void) {
        _cleanup_loop_ Loop *l = NULL;
        Pair times[] = { { 60000, 0, "3" }, { 0, 0, "1" }, { 20000, 0, "2" } };

        TEST("a deadline each");
        ASSERT_EQ(loop_new(&l), 0);
        said[0] = '\0';
        for (size_t i = 0; i < ELEMENTSOF(times); i++)
                ASSERT_EQ(loop_spawn(l, sleep_and_say, &times[i]), 0);
        spin(l);
        ASSERT_STR(said, "123");
}

static void wait_for_the_same(void *data) {
        const Pair *p = data;
        struct pollfd fds[] = { { .fd = p->in, .events = POLLIN }, { .fd = -1 }, { .fd = p->in, .events = POLLPRI } };

        ASSERT_EQ(loop_wait(fds, ELEMENTSOF(fds), now_usec() + LONG), 1);
        ASSERT_EQ(fds[0].revents, POLLIN);
        ASSERT_EQ(fds[2].revents, 0);
        say(p->word);
}

static void wait_for_a_file(void *data) {
        ASSERT_EQ(loop_wait_fd(*(int *) data, POLLIN, UINT64_MAX), 1);
        say("f");
}

static void test_descriptors(void) {
        _cleanup_close_ int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        _cleanup_loop_ Loop *l = NULL;
        Pair same;
        int ends[2];

        TEST("one descriptor in two tasks, and twice in each; a file, which is always ready");
        ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
        ASSERT_EQ(loop_new(&l), 0);
        same = (Pair){ ends[0], 0, "s" };
        said[0] = '\0';
        ASSERT_EQ(loop_spawn(l, wait_for_the_same, &same), 0);
        ASSERT_EQ(loop_spawn(l, wait_for_the_same, &same), 0);
        ASSERT_EQ(loop_spawn(l, wait_for_a_file, &file), 0);
        while (loop_tasks(l) > 2)
                ASSERT_EQ(loop_dispatch(l), 0);
        ASSERT_STR(said, "f");
        put(ends[1]);
        spin(l);
        ASSERT_STR(said, "fss");
        close(ends[0]);
        close(ends[1]);
}

static void be_interrupted(void *data) {
        const Pair *p = data;
        int before;

        ASSERT_EQ(loop_interrupt(p->in), -EBADF);
        ASSERT_EQ(loop_sleep(LONG), -EINTR);
        ASSERT_EQ(loop_sleep(LONG), -EINTR); /* and so is all that it waits for later */
        before = loop_interrupt(-EBADF);
        ASSERT_EQ(loop_sleep(1000), 0); /* but not what has to come to its end */
        ASSERT_EQ(before, p->in);
        say(p->word);
}

static void test_interrupt(void) {
        _cleanup_close_ int stop = eventfd(0, EFD_CLOEXEC), other = eventfd(0, EFD_CLOEXEC);
        _cleanup_loop_ Loop *l = NULL;
        Pair first = { stop, 0, "1" }, second = { other, 0, "2" };
        uint64_t one = 1;

        TEST("an interrupt is of one task");
        ASSERT_EQ(loop_new(&l), 0);
        said[0] = '\0';
        ASSERT_EQ(loop_spawn(l, be_interrupted, &first), 0);
        ASSERT_EQ(loop_spawn(l, be_interrupted, &second), 0);
        ASSERT_EQ(loop_dispatch(l), 0);
        ASSERT_EQ(write(stop, &one, sizeof(one)), sizeof(one));
        while (loop_tasks(l) > 1)
                ASSERT_EQ(loop_dispatch(l), 0);
        ASSERT_STR(said, "1");
        ASSERT_EQ(loop_wait_fd(stop, POLLIN, 0), 1); /* we have none */
        ASSERT_EQ(write(other, &one, sizeof(one)), sizeof(one));
        spin(l);
        ASSERT_STR(said, "12");
}

static void wait_for_ever(void *data) {
        (void) loop_sleep(LONG);
        say("never");
}

static void test_many(void) {
        _cleanup_loop_ Loop *l = NULL;
        Pair brief = { 1000, 0, "" };

        TEST("hundreds, and a loop that is freed with some that wait");
        ASSERT_EQ(loop_new(&l), 0);
        said[0] = '\0';
        for (unsigned i = 0; i < 300; i++)
                ASSERT_EQ(loop_spawn(l, sleep_and_say, &brief), 0);
        spin(l);
        ASSERT_EQ(loop_spawn(l, wait_for_ever, NULL), 0);
        ASSERT_EQ(loop_dispatch(l), 0);
        ASSERT_EQ(loop_tasks(l), 1);
}

int main(void) {
        test_here();
        test_turns();
        test_times();
        test_descriptors();
        test_interrupt();
        test_many();
        return 0;
}
