/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/loop.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <ucontext.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/fd.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define LEAVE(fake, bottom, size) __sanitizer_start_switch_fiber(fake, bottom, size)
#define ARRIVE(fake, bottom, size) __sanitizer_finish_switch_fiber(fake, bottom, size)
#else
#define LEAVE(fake, bottom, size) ((void) (fake), (void) (bottom), (void) (size))
#define ARRIVE(fake, bottom, size) ((void) (fake), (void) (bottom), (void) (size))
#endif

#define STACK_BYTES ((size_t) 256 * 1024)
#define AT_ONCE 16
#define SECOND UINT64_C(1000000)

typedef struct Task {
        Loop *loop;
        struct Task *next;
        ucontext_t context;
        void (*function)(void *data);
        void *data;
        void *stack;             /* with a page below it that nobody may touch */
        size_t mapped;
        int wake;                /* an epoll of what it waits for, in that of the loop */
        int timer;               /* in wake */
        Local local;
        bool ended;
} Task;

struct Loop {
        int epoll;
        ucontext_t context;      /* of loop_dispatch(), while a task runs */
        const void *bottom;      /* and its stack, for the sanitizer */
        size_t size;
        Task *tasks;
};

/* Who runs on this thread, and what is of who is no task. */
static _Thread_local Task *running;
static _Thread_local Local own = { .interrupt = -EBADF };

Local *loop_local(void) {
        return running ? &running->local : &own;
}

/* --- waiting ------------------------------------------------------------------------------------------------------------ */

/* Ready are they, or the interrupt behind them. */
static int look(struct pollfd *fds, size_t n, int timeout) {
        int r = poll(fds, n + 1, timeout), found = 0;

        if (r < 0)
                return errno == EINTR ? -EAGAIN : -errno;
        for (size_t i = 0; i < n; i++)
                found += fds[i].revents != 0;
        return found == 0 && r > 0 ? -EINTR : found;
}

static int wait_here(struct pollfd *fds, size_t n, uint64_t deadline) {
        int r;

        do
                r = look(fds, n, poll_timeout(deadline));
        while (r == -EAGAIN || (r == 0 && now_usec() < deadline));
        return r;
}

static void arm(const Task *t, uint64_t deadline) {
        const struct itimerspec when = { .it_value = { .tv_sec = (time_t) (deadline / SECOND),
                                                       .tv_nsec = (long) (deadline % SECOND * 1000) } };
        const struct itimerspec never = {};

        (void) timerfd_settime(t->timer, TFD_TIMER_ABSTIME, deadline == UINT64_MAX ? &never : &when, NULL);
}

/* A descriptor may be there twice. One that cannot be waited for, as a file, is always ready. */
static int add(const Task *t, const struct pollfd *fds, size_t n) {
        for (size_t i = 0; i < n; i++) {
                struct epoll_event event = {};

                if (fds[i].fd < 0)
                        continue;
                for (size_t j = 0; j < n; j++)
                        if (fds[j].fd == fds[i].fd)
                                event.events |= (uint32_t) fds[j].events;
                if (epoll_ctl(t->wake, EPOLL_CTL_ADD, fds[i].fd, &event) < 0 && errno != EEXIST) {
                        if (errno != EPERM)
                                return -errno;
                        arm(t, 1);
                }
        }
        return 0;
}

static void switch_to_loop(Task *t) {
        void *fake = NULL;

        LEAVE(t->ended ? NULL : &fake, t->loop->bottom, t->loop->size);
        (void) swapcontext(&t->context, &t->loop->context);
        ARRIVE(fake, &t->loop->bottom, &t->loop->size);
}

/* The epoll wakes us, and poll(2) says for what. */
static int wait_in_loop(Task *t, struct pollfd *fds, size_t n, uint64_t deadline) {
        int r;

        arm(t, MAX(deadline, UINT64_C(1)));
        r = add(t, fds, n + 1);
        while (r == 0) {
                switch_to_loop(t);
                r = look(fds, n, 0);
                if (r == 0 && now_usec() >= deadline)
                        break;
                r = r == -EAGAIN ? 0 : r;
        }
        for (size_t i = 0; i <= n; i++)
                (void) epoll_ctl(t->wake, EPOLL_CTL_DEL, fds[i].fd, NULL);
        arm(t, UINT64_MAX);
        return r;
}

int loop_wait(struct pollfd *fds, size_t n, uint64_t deadline) {
        struct pollfd all[LOOP_WAIT_MAX + 1];
        int r;

        assert(n <= LOOP_WAIT_MAX);
        if (n > 0)
                memcpy(all, fds, n * sizeof(*fds));
        all[n] = (struct pollfd){ .fd = loop_local()->interrupt, .events = POLLIN };
        r = running ? wait_in_loop(running, all, n, deadline) : wait_here(all, n, deadline);
        if (n > 0)
                memcpy(fds, all, n * sizeof(*fds));
        return r;
}

int loop_wait_fd(int fd, short events, uint64_t deadline) {
        struct pollfd p = { .fd = fd, .events = events };

        return loop_wait(&p, 1, deadline);
}

int loop_sleep(uint64_t usec) {
        return loop_wait(NULL, 0, now_usec() + usec);
}

int pidfd_wait(int pidfd, uint64_t deadline) {
        int r = loop_wait_fd(pidfd, POLLIN, deadline);

        return r < 0 ? r : r > 0 ? 0 : -ETIMEDOUT;
}

int loop_interrupt(int fd) {
        int before = loop_local()->interrupt;

        loop_local()->interrupt = fd;
        return before;
}

bool loop_is_interrupted(void) {
        return loop_local()->interrupt >= 0 && fd_is_ready(loop_local()->interrupt, POLLIN);
}

/* --- tasks -------------------------------------------------------------------------------------------------------------- */

int loop_new(Loop **ret) {
        Loop *l = xmalloc0(sizeof(*l));

        l->epoll = epoll_create1(EPOLL_CLOEXEC);
        if (l->epoll < 0) {
                int r = -errno;

                free(l);
                return r;
        }
        *ret = l;
        return 0;
}

static Task *task_free(Task *t) {
        close_fd(t->timer);
        close_fd(t->wake);
        if (t->stack)
                (void) munmap(t->stack, t->mapped);
        free(t);
        return NULL;
}

Loop *loop_free(Loop *l) {
        while (l && l->tasks) {
                Task *next = l->tasks->next;

                (void) task_free(l->tasks);
                l->tasks = next;
        }
        if (l)
                close_fd(l->epoll);
        free(l);
        return NULL;
}

int loop_fd(const Loop *l) {
        return l->epoll;
}

size_t loop_tasks(const Loop *l) {
        size_t n = 0;

        for (const Task *t = l->tasks; t; t = t->next)
                n++;
        return n;
}

static void main_of_task(void) {
        Task *t = running;

        ARRIVE(NULL, &t->loop->bottom, &t->loop->size);
        t->function(t->data);
        t->ended = true;
        switch_to_loop(t); /* for good */
}

static int prepare(Task *t) {
        size_t page = (size_t) sysconf(_SC_PAGESIZE);
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = t };
        struct epoll_event of_timer = { .events = EPOLLIN };

        t->mapped = STACK_BYTES + page;
        t->stack = mmap(NULL, t->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (t->stack == MAP_FAILED) {
                t->stack = NULL;
                return -ENOMEM;
        }
        t->wake = epoll_create1(EPOLL_CLOEXEC);
        t->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (mprotect(t->stack, page, PROT_NONE) < 0 || t->wake < 0 || t->timer < 0 ||
            epoll_ctl(t->wake, EPOLL_CTL_ADD, t->timer, &of_timer) < 0 ||
            epoll_ctl(t->loop->epoll, EPOLL_CTL_ADD, t->wake, &event) < 0 || getcontext(&t->context) < 0)
                return -errno;
        t->context.uc_stack = (stack_t){ .ss_sp = (char *) t->stack + page, .ss_size = STACK_BYTES };
        makecontext(&t->context, main_of_task, 0);
        arm(t, 1); /* it begins at once */
        return 0;
}

int loop_spawn(Loop *l, void (*function)(void *data), void *data) {
        Task *t = xmalloc0(sizeof(*t));
        int r;

        *t = (Task){ .loop = l, .function = function, .data = data, .wake = -EBADF, .timer = -EBADF,
                    .local = { .interrupt = -EBADF, .log = loop_local()->log } };
        r = prepare(t);
        if (r < 0) {
                (void) task_free(t);
                return r;
        }
        t->next = l->tasks;
        l->tasks = t;
        return 0;
}

static void resume(Loop *l, Task *t) {
        Task *before = running;
        void *fake = NULL;

        running = t;
        LEAVE(&fake, t->context.uc_stack.ss_sp, t->context.uc_stack.ss_size);
        (void) swapcontext(&l->context, &t->context);
        ARRIVE(fake, NULL, NULL);
        running = before;
}

static void forget(Loop *l, Task *t) {
        Task **at = &l->tasks;

        while (*at != t)
                at = &(*at)->next;
        *at = t->next;
        (void) task_free(t);
}

int loop_dispatch(Loop *l) {
        struct epoll_event events[AT_ONCE];
        int n = epoll_wait(l->epoll, events, AT_ONCE, 0);

        for (int i = 0; i < n; i++) {
                Task *t = events[i].data.ptr;

                resume(l, t);
                if (t->ended)
                        forget(l, t);
        }
        return n < 0 && errno != EINTR ? -errno : 0;
}
