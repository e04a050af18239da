/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../unit/test.h"
#include "basic/file.h"
#include "plan/init/protocol.h"

#define BASE 3

static char sandbox[] = "/tmp/ocirt-sd-helper-XXXXXX";

static void skip(const char *why) {
        fprintf(stderr, "SKIP: %s\n", why);
        exit(77);
}

static void leave(void) {
        (void) umount2(sandbox, MNT_DETACH);
        (void) rmdir(sandbox);
}

/* Opened early: it may lie where only root may look. */
static int helper_fd = -EBADF;

void sandbox_enter(void) {
        int fd;

        if (geteuid() != 0)
                skip("needs root");
        if (access("/bin/busybox", X_OK) < 0)
                skip("needs busybox-static");
        if (unshare(CLONE_NEWNS) < 0)
                skip("needs CAP_SYS_ADMIN");
        ASSERT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        ASSERT(mkdtemp(sandbox));
        ASSERT(mount("tmpfs", sandbox, "tmpfs", 0, "mode=755") == 0);
        fd = open(getenv("OCIRT_SD_INIT"), O_PATH | O_CLOEXEC);
        helper_fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
        (void) close(fd);
        ASSERT(helper_fd >= 0);
        atexit(leave);
}

const char *sandbox_path(const char *name) {
        return xasprintf("%s/%s", sandbox, name);
}

void shell(const char *fmt, ...) {
        _cleanup_free_ char *command = NULL;
        va_list ap;

        va_start(ap, fmt);
        ASSERT(vasprintf(&command, fmt, ap) >= 0);
        va_end(ap);
        if (system(command) != 0)
                FAIL_AT("failed: %s", command);
}

char *shell_output(const char *fmt, ...) {
        _cleanup_free_ char *command = NULL;
        char *text = xmalloc0(65536);
        va_list ap;
        FILE *f;

        va_start(ap, fmt);
        ASSERT(vasprintf(&command, fmt, ap) >= 0);
        va_end(ap);
        f = popen(command, "re");
        ASSERT(f);
        (void) !fread(text, 1, 65535, f);
        (void) pclose(f);
        return text;
}

const char *sandbox_rootfs(const char *name) {
        const char *path = sandbox_path(name);

        shell("mkdir -p %s/bin %s/proc %s/sys %s/dev %s/tmp %s/etc && cp /bin/busybox %s/bin/ && "
              "for i in sh ls cat id stat mkdir touch readlink hostname echo true sleep mount umount test ip pwd grep tr; do "
              "ln -sf busybox %s/bin/$i; done && "
              "printf 'root:x:0:0::/root:/bin/sh\\nuser:x:1000:1000::/home/user:/bin/sh\\n' > %s/etc/passwd",
              path, path, path, path, path, path, path, path, path);
        return path;
}

static void write_map(pid_t pid, const char *file, const char *value) {
        _cleanup_free_ char *path = xasprintf("/proc/%d/%s", pid, file);

        ASSERT_EQ(write_kernel_file(AT_FDCWD, path, value), 0);
}

/* The socket, and the pipes that take its place: we read the first and write to the second. */
typedef struct Channel { int control, in, out; } Channel;

static void say(const Channel *c, InitMessageType type) {
        InitMessage m = { .type = type };
        size_t size = offsetof(InitMessage, text) + 1;

        if (c->control >= 0)
                (void) send_fd(c->control, &m, size, -EBADF);
        else
                ASSERT_EQ(write_full(c->out, &m, size), 0);
}

static void bind_gate(Launch *l, int fd) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };

        snprintf(l->gate_path, sizeof(l->gate_path), "%s/gate-%d", sandbox, rand());
        snprintf(a.sun_path, sizeof(a.sun_path), "%s", l->gate_path);
        ASSERT_EQ(bind(fd, (struct sockaddr *) &a, sizeof(a)), 0);
        (void) close(fd);
}

static bool attach(Launch *l) {
        Launch other = { .hang_up = true, .root = l->detached };

        if (!l->attach)
                return true;
        launch(l->attach, &other);
        close_fd(l->detached);
        snprintf(l->error, sizeof(l->error), "%s", other.error);
        return !l->error[0];
}

/* One message; false at the end. */
static bool answer(Launch *l, Channel *c) {
        InitMessage m;
        int fd = -EBADF;
        ssize_t n = c->control >= 0 ? receive_fd(c->control, &m, sizeof(m), &fd) : read_packet(c->in, &m, sizeof(m));

        if (n == -ECONNRESET) /* it ended with our message unread; what it said before is still there */
                n = receive_fd(c->control, &m, sizeof(m), &fd);
        if (n <= 0)
                return false;
        switch (m.type) {
        case INIT_MSG_PID:
                ASSERT_EQ(waitpid(l->pid, NULL, 0), l->pid);
                l->pid = m.value;
                break;
        case INIT_MSG_INSIDE:
                ASSERT_EQ(waitpid(l->pid, NULL, 0), l->pid);
                l->pid = m.value;
                l->ready = true;
                say(c, INIT_MSG_GO);
                break;
        case INIT_MSG_MAP_ME:
                ASSERT(l->map);
                if (l->rootless)
                        write_map(l->pid, "setgroups", "deny");
                write_map(l->pid, "uid_map", l->rootless ? "0 1000 1" : "0 100000 65536");
                write_map(l->pid, "gid_map", l->rootless ? "0 1000 1" : "0 100000 65536");
                say(c, INIT_MSG_MAPPED);
                break;
        case INIT_MSG_MOUNT:
                ASSERT_EQ(mount_id(fd, &l->mount_id), 0);
                (void) close(fd);
                say(c, INIT_MSG_NOTED);
                break;
        case INIT_MSG_DETACHED:
                ASSERT_EQ(mount_id(fd, &l->mount_id), 0);
                l->detached = fd;
                l->table = shell_output("cat /proc/self/mountinfo");
                say(c, INIT_MSG_NOTED);
                break;
        case INIT_MSG_HOOKS:
                say(c, INIT_MSG_HOOKS_DONE);
                break;
        case INIT_MSG_GATE:
                bind_gate(l, fd);
                say(c, INIT_MSG_BOUND);
                break;
        case INIT_MSG_CONSOLE:
                l->console = fd;
                break;
        case INIT_MSG_LISTENER:
                l->listened = fcntl(fd, F_GETFD) >= 0;
                (void) close(fd);
                break;
        case INIT_MSG_PIPES:
                c->control = close_fd(c->control);
                break;
        case INIT_MSG_READY:
                l->ready = true;
                if (l->hang_up || !attach(l))
                        return false;
                say(c, INIT_MSG_GO);
                break;
        case INIT_MSG_ERROR:
                snprintf(l->error, sizeof(l->error), "%s", m.text);
                c->out = close_fd(c->out); /* it waits for that */
                break;
        default:
                FAIL_AT("unexpected message %u", m.type);
        }
        return true;
}

/* fsconfig(…, FSCONFIG_SET_FD, …) fails with EINVAL. */
static void refuse_descriptors_for_file_systems(void) {
        static const struct sock_filter code[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsconfig, 0, 3),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FSCONFIG_SET_FD, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        const struct sock_fprog program = { .len = ELEMENTSOF(code), .filter = (struct sock_filter *) code };

        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
                _exit(97);
}

static void child(Launch *l, const Channel *theirs, int plan, int output) {
        char *argv[] = { (char *) "ocirt-sd-init", (char *) "test", (char *) "0", (char *) "3", NULL };
        int fds[_INIT_FDS] = { theirs->control, plan, l->target > 0 ? l->target : -1, l->root > 0 ? l->root : -1, -1,
                               theirs->out, theirs->in };

        for (size_t i = 0; i < ELEMENTSOF(fds); i++) /* out of the way first */
                fds[i] = fds[i] >= 0 ? fcntl(fds[i], F_DUPFD, 100) : -1;
        if (!l->no_stdio_pipe && (dup2(output, 1) < 0 || dup2(output, 2) < 0))
                _exit(99);
        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                if (fds[i] >= 0 && (dup2(fds[i], BASE + (int) i) < 0))
                        _exit(99);
        for (unsigned i = 0; i < l->extra_fds; i++)
                (void) !dup2(open("/", O_RDONLY | O_DIRECTORY), BASE + _INIT_FDS + (int) i);
        if (l->older_kernel)
                refuse_descriptors_for_file_systems();
        (void) syscall(SYS_execveat, helper_fd, "", argv, environ, AT_EMPTY_PATH);
        _exit(98);
}

static void read_output(Launch *l) {
        size_t n = strlen(l->output);
        struct pollfd p = { .fd = l->output_fd, .events = POLLIN };

        while (n < sizeof(l->output) - 1 && poll(&p, 1, -1) > 0) {
                ssize_t r = read(l->output_fd, l->output + n, sizeof(l->output) - 1 - n);

                if (r <= 0)
                        break;
                n += (size_t) r;
                l->output[n] = '\0';
        }
}

void launch_finish(Launch *l) {
        if (!l->no_stdio_pipe)
                read_output(l);
        l->output_fd = close_fd(l->output_fd);
        ASSERT_EQ(waitpid(l->pid, &l->status, 0), l->pid);
}

void launch(InitPlan *plan, Launch *l) {
        int pair[2], pipes[2][2], output[2], memfd;
        Channel ours, theirs;
        Text bytes = {};

        l->console = -EBADF;
        init_plan_encode(plan, &bytes);
        memfd = memfd_sealed("plan", bytes.s, bytes.n);
        ASSERT(memfd >= 0);
        ASSERT(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
        ASSERT(pipe2(pipes[0], O_CLOEXEC | O_DIRECT) == 0 && pipe2(pipes[1], O_CLOEXEC | O_DIRECT) == 0);
        ours = (Channel){ pair[0], pipes[0][0], pipes[1][1] };
        theirs = (Channel){ pair[1], pipes[1][0], pipes[0][1] };
        ASSERT(pipe2(output, O_CLOEXEC) == 0);
        l->pid = (pid_t) syscall(SYS_clone, l->clone_flags | SIGCHLD, NULL, NULL, NULL, NULL);
        if (l->pid == 0)
                child(l, &theirs, memfd, output[1]);
        ASSERT(l->pid > 0);
        close_fd(theirs.control);
        close_fd(theirs.out);
        close_fd(output[1]);
        close_fd(memfd);
        l->output_fd = output[0];
        say(&ours, INIT_MSG_CGROUP);
        while (answer(l, &ours))
                ;
        close_fd(ours.control);
        close_fd(ours.in);
        close_fd(ours.out);
        close_fd(theirs.in);
        text_done(&bytes);
        init_plan_done(plan);
        if (!(l->gate && l->ready && !l->error[0]) && l->console < 0)
                launch_finish(l);
}

void launch_start(Launch *l) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        InitMessage m;

        snprintf(a.sun_path, sizeof(a.sun_path), "%s", l->gate_path);
        ASSERT(connect(fd, (struct sockaddr *) &a, sizeof(a)) == 0);
        say(&(Channel){ .control = fd }, INIT_MSG_START);
        if (receive_fd(fd, &m, sizeof(m), NULL) > 0) {
                ASSERT_EQ(m.type, INIT_MSG_ERROR);
                snprintf(l->error, sizeof(l->error), "%s", m.text);
        }
        launch_finish(l);
}

void plan_begin(InitPlan *p, const char *rootfs, int namespaces) {
        if (namespaces & CLONE_NEWUSER)
                init_add_userns(p, NULL);
        init_add_unshare(p, NULL)->flags = namespaces & ~CLONE_NEWUSER;
        if (namespaces & CLONE_NEWPID)
                init_add_fork(p, NULL);
        init_add_setsid(p, NULL);
        init_add_root_propagation(p, NULL)->flags = MS_SLAVE | MS_REC;
        *init_add_rootfs(p, NULL) = (InitRootfs){ .path = rootfs, .propagation = MS_SLAVE | MS_REC };
        init_add_host_null(p, NULL)->slot = PLAN_NULL_SLOT;
}

InitMask *plan_mask(InitPlan *p, const char *path, const char *rest) {
        InitMask *s = init_add_mask(p, NULL);

        *s = (InitMask){ .path = path, .rest = rest, .null = PLAN_NULL_SLOT };
        return s;
}

InitMount *plan_mount(InitPlan *p, const char *type, const char *target, uint64_t attrs, uint32_t extra,
                      const char **options) {
        InitMount *s = init_add_mount(p, NULL);

        *s = (InitMount){
                .type = type,
                .source = type,
                .target = target,
                .attrs = attrs,
                .extra = extra,
                .options = options,
        };
        return s;
}

InitBind *plan_bind(InitPlan *p, const char *source, const char *target, uint64_t attrs, uint32_t extra) {
        InitBind *s = init_add_bind(p, NULL);

        *s = (InitBind){
                .source = source,
                .target = target,
                .attrs = attrs,
                .extra = extra,
        };
        return s;
}

static void plan_device(InitPlan *p, const char *path, unsigned major_number, unsigned minor_number) {
        *init_add_device(p, NULL) = (InitDevice){
                .path = path,
                .type = 'c',
                .major = major_number,
                .minor = minor_number,
                .mode = 0666,
        };
}

void plan_nodes(InitPlan *p) {
        plan_device(p, "/dev/null", 1, 3);
        plan_device(p, "/dev/zero", 1, 5);
        plan_device(p, "/dev/full", 1, 7);
        plan_device(p, "/dev/random", 1, 8);
        plan_device(p, "/dev/urandom", 1, 9);
        plan_device(p, "/dev/tty", 5, 0);
        *init_add_symlink(p, NULL) = (InitSymlink){ .target = "/proc/self/fd", .path = "/dev/fd" };
        *init_add_symlink(p, NULL) = (InitSymlink){ .target = "/proc/self/fd/0", .path = "/dev/stdin" };
        *init_add_symlink(p, NULL) = (InitSymlink){ .target = "/proc/self/fd/1", .path = "/dev/stdout" };
        *init_add_symlink(p, NULL) = (InitSymlink){ .target = "pts/ptmx", .path = "/dev/ptmx" };
}

void plan_dev(InitPlan *p) {
        static const char *tmpfs[] = { "mode=755", "size=65536k", NULL };
        static const char *devpts[] = { "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", NULL };

        plan_mount(p, "tmpfs", "/dev", MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME, 0, tmpfs);
        plan_mount(p, "devpts", "/dev/pts", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, devpts);
        plan_nodes(p);
}

void plan_exec(InitPlan *p, const char **args, const char **env) {
        *init_add_find(p, NULL) = (InitFind){ .args = args, .env = env };
        init_add_ready(p, NULL);
        *init_add_exec(p, NULL) = (InitExec){ .args = args, .env = env };
}

void plan_shell(InitPlan *p, const char *script) {
        static const char *env[] = { "PATH=/bin", NULL };
        const char **args = arena_calloc(&p->arena, 4, sizeof(*args));

        args[0] = "sh";
        args[1] = "-c";
        args[2] = script;
        plan_exec(p, args, env);
}

void plan_end(InitPlan *p, const char *script) {
        init_add_pivot(p, NULL);
        init_add_umask(p, NULL)->mask = 022;
        init_add_cwd(p, NULL)->path = "/";
        plan_shell(p, script);
}

void plan_plain(InitPlan *p, const char *rootfs, const char *script) {
        plan_begin(p, rootfs, CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET);
        plan_mount(p, "proc", "/proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                   INIT_NO_TARGET_SYMLINK, NULL);
        plan_dev(p);
        plan_end(p, script);
}
