/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/signals.h"
#include "helper/credentials.h"
#include "helper/procfs.h"
#include "helper/steps.h"
#include "helper/talk.h"
#include "plan/init/protocol.h"

/*
 * ocirt-sd-init: executes an init plan and becomes the container's process. It is a program of its own so
 * that little memory waits for `start`, and so that nothing of the runtime is mapped or open in a process
 * that the container may come to see.
 */

/* Nobody in the container may look at this process or trace it, and no descriptor gets through the exec. */
static int harden(int base, Error *e) {
        int r = credentials_hide(e);

        if (r < 0)
                return r;
        if (close_range((unsigned) (base + _INIT_FDS), ~0U, 0) < 0 ||
            close_range((unsigned) base, (unsigned) (base + _INIT_FDS - 1), CLOSE_RANGE_CLOEXEC) < 0)
                return error_errnof(e, errno, "close inherited descriptors");
        (void) prctl(PR_SET_NAME, "ocirt-sd-init");
        /* Memory that is freed is overwritten: the host's table of mounts, for one, is not for who may read ours later. */
        (void) mallopt(M_PERTURB, 1);
        return 0;
}

/* Modes of files we make are the plan's alone. */
static void reset_process(void) {
        signals_reset();
        (void) umask(0);
}

/* A descriptor below 3 that we open ourselves would become the container's stdio. */
static int fill_stdio(Error *e) {
        for (int fd = 0; fd <= 2; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0) /* host */
                        return error_errnof(e, errno, "open /dev/null");
        return 0;
}

/* The plan as it was given. */
static void *given_bytes;
static size_t given_size;

static int read_plan(int fd, InitPlan *ret, Error *e) {
        int seals = fcntl(fd, F_GET_SEALS), needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW, r;
        struct stat st;
        void *bytes;

        if (seals < 0 || (seals & needed) != needed)
                return error_setf(e, EBADMSG, "the init plan is not sealed");
        if (fstat(fd, &st) < 0)
                return error_errnof(e, errno, "stat init plan");
        bytes = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
                return error_errnof(e, errno, "map init plan");
        r = init_plan_decode(bytes, (size_t) st.st_size, ret);
        if (r < 0)
                return error_errnof(e, r, "decode init plan");
        given_bytes = bytes;
        given_size = (size_t) st.st_size;
        (void) close(fd);
        return 0;
}

/* From here on the container may read our memory. What is done, with the environment of hooks of the host, is not for it. */
static bool others_may_read(InitOp op) {
        return op == INIT_FORK_INSIDE || op == INIT_READY;
}

/* What is still to do, alone. */
static int forget_done(Helper *h, Error *e) {
        const InitPlan rest = { .steps = h->plan->steps + h->next, .n_steps = h->plan->n_steps - h->next };
        Text bytes = {}; /* stays */
        static InitPlan plan;
        int r;

        init_plan_encode(&rest, &bytes);
        r = init_plan_decode(bytes.s, bytes.n, &plan);
        if (r < 0 || munmap(given_bytes, given_size) < 0)
                return error_errnof(e, r < 0 ? r : errno, "forget the init plan");
        given_bytes = NULL;
        h->plan = &plan;
        h->next = 0;
        return 0;
}

/* What we were not given is a number that something else will get. */
static int given(uint32_t base, int which) {
        int fd = (int) base + which;

        return fcntl(fd, F_GETFD) < 0 ? -EBADF : fd;
}

static int run(Helper *h, Error *e) {
        while (h->next < h->plan->n_steps) {
                int r = given_bytes && others_may_read(h->plan->steps[h->next].op) ? forget_done(h, e) : 0;
                const InitStep *s = &h->plan->steps[h->next++];

                if (r < 0)
                        return r;
                r = step_run(h, s, e);
                if (r < 0)
                        return s->origin ? error_prefixf(e, "%s", s->origin) : r;
        }
        return error_setf(e, EINVAL, "there is nothing to start: config.json has no process.args");
}

int main(int argc, char **argv) {
        static Helper h;
        _cleanup_error_ Error e = {};
        InitPlan plan = {};
        uint32_t base;
        int r;

        if (argc != 4 || parse_u32(argv[3], &base) < 0 || base < 3 || base > INT_MAX - _INIT_FDS) {
                static const char text[] = "ocirt-sd-init: started by ocirt-sd only\n";

                (void) !write(STDERR_FILENO, text, sizeof(text) - 1);
                return 1;
        }
        h = (Helper){ .plan = &plan,
                      .base = (int) base,
                      .control = (int) base + INIT_FD_CONTROL,
                      .say = given(base, INIT_FD_SAY),
                      .hear = given(base, INIT_FD_HEAR),
                      .target = given(base, INIT_FD_TARGET),
                      .given_root = given(base, INIT_FD_ROOT),
                      .cgroup = given(base, INIT_FD_CGROUP),
                      .cgroup_namespace = -EBADF,
                      .gate = -EBADF,
                      .notify = -EBADF,
                      .proc = -EBADF,
                      .time_offsets = -EBADF,
                      .root = -EBADF,
                      .mask_file = -EBADF,
                      .mask_dir = -EBADF,
                      .opener = -EBADF,
                      .nodes = -EBADF,
                      .devpts = -EBADF };
        for (size_t i = 0; i < ELEMENTSOF(h.slots); i++)
                h.slots[i] = -EBADF;

        r = harden((int) base, &e);
        if (r >= 0) {
                reset_process();
                r = fill_stdio(&e);
        }
        if (r >= 0)
                r = read_plan((int) base + INIT_FD_PLAN, &plan, &e);
        if (r >= 0)
                r = procfs_prepare(&h, &e);
        if (r >= 0)
                (void) run(&h, &e);
        talk_error(&h, &e);
        return 1;
}
