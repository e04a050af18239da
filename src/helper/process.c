/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/credentials.h"
#include "helper/interpreter.h"
#include "helper/steps.h"

#define PASSWD_MAX (1U << 20)

/* The kernel's own answer: libc's getcwd() would look for a path where there is none. */
static int check_cwd(void) {
        char path[PATH_MAX];
        long n = syscall(SYS_getcwd, path, sizeof(path));

        if (n < 0)
                return -errno;
        return path[0] == '/' ? 0 : -ENOENT; /* "(unreachable)/…": outside of our root */
}

/* No magic links: "/proc/self/fd/7" could be a directory of the host. */
int step_cwd(Helper *h, const InitCwd *s, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        int r = helper_root(h);

        if (r >= 0)
                fd = r = open_in_root(r, s->path, O_PATH | O_DIRECTORY, 0);
        if (r >= 0)
                r = fchdir(fd) < 0 ? -errno : 0;
        if (r >= 0)
                r = check_cwd();
        if (r < 0)
                return error_errnof(e, r, "chdir to \"%s\"", s->path);
        return 0;
}

static const char *environment(const char **env, const char *name) {
        size_t n = strlen(name);

        for (; env && *env; env++)
                if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
                        return *env + n + 1;
        return NULL;
}

/* Could we execute this, with what we have become? */
static int check_executable(const char *path) {
        struct stat st;

        if (stat(path, &st) < 0) /* own */
                return -errno;
        if (S_ISDIR(st.st_mode))
                return -EISDIR;
        if (!S_ISREG(st.st_mode))
                return -EACCES;
        return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0 ? -errno : 0; /* own */
}

/* Relative entries of PATH are no place to look for a program. */
static char *search_path(const char *path, const char *name) {
        for (const char *p = path; *p;) {
                size_t n = strcspn(p, ":");

                if (p[0] == '/') {
                        _cleanup_free_ char *full = xasprintf("%.*s/%s", (int) n, p, name);

                        if (check_executable(full) == 0)
                                return TAKE_PTR(full);
                }
                p += n + (p[n] == ':');
        }
        return NULL;
}

/* Of the process that will be, which may be in another pid namespace than we are now. */
static bool is_of_itself(const char *path) {
        static const char *const places[] = { "/proc/self/", "/proc/thread-self/", "/dev/fd/", "/dev/std" };

        for (size_t i = 0; i < ELEMENTSOF(places); i++)
                if (startswith(path, places[i]))
                        return true;
        return false;
}

static int find_executable(const char *name, const char **env, char **ret, Error *e) {
        int r;

        if (!strchr(name, '/')) {
                *ret = isempty(name) ? NULL : search_path(environment(env, "PATH") ?: DEFAULT_PATH, name);
                if (!*ret)
                        return error_setf(e, ENOENT, "exec: \"%s\": executable file not found in $PATH",
                                          name);
                return 0;
        }
        r = check_executable(name);
        if (r == -ENOENT && is_of_itself(name))
                r = 0;
        if (r == -ENOENT || r == -ENOTDIR)
                return error_errnof(e, r, "exec: \"%s\": stat %s", name, name);
        if (r < 0)
                return error_errnof(e, r, "exec: \"%s\"", name);
        *ret = xstrdup(name);
        return 0;
}

/* The sixth field of the line of passwd(5) "name:password:uid:gid:gecos:home:shell" whose third is uid. A
 * line that is not quite so is none. */
static char *home_in_line(char *line, uid_t uid) {
        char *fields[7], *rest = line;
        uint32_t id;

        for (size_t i = 0; i < ELEMENTSOF(fields); i++) {
                fields[i] = strsep(&rest, ":");
                if (!fields[i])
                        return NULL;
        }
        if (rest || parse_u32(fields[2], &id) < 0 || id != uid || fields[5][0] != '/')
                return NULL;
        return fields[5];
}

static char *find_home(int root, uid_t uid) {
        _cleanup_close_ int fd = open_in_root(root, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        _cleanup_free_ char *text = NULL;
        struct stat st;
        char *save = NULL;

        if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
            read_file_fd(fd, PASSWD_MAX, &text, NULL) < 0)
                return xstrdup("HOME=/");
        for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                const char *home = home_in_line(line, uid);

                if (home)
                        return xasprintf("HOME=%s", home);
        }
        return xstrdup("HOME=/");
}

int step_find(Helper *h, const InitFind *s, Error *e) {
        CapabilitySets sets, less;
        int r = capabilities_get(&sets);

        if (r >= 0) {
                less = sets;
                less.effective &= s->effective;
                r = capabilities_set(&less);
        }
        if (r < 0)
                return error_errnof(e, r, "look for the program without capabilities");
        if (isempty(environment(s->env, "HOME")))
                h->home = find_home(helper_root(h), geteuid());
        r = find_executable(s->args[0], s->env, &h->executable, e);
        if (r >= 0 && capabilities_set(&sets) < 0)
                return error_errnof(e, errno, "take capabilities back");
        return r;
}

/* The reader of LISTEN_PID compares it with its own pid (sd_listen_fds(3)), which depends on the pid namespace. */
char **helper_environment(const Helper *h, const char **env, bool listen) {
        size_t n = 0, m = 0;
        char **all;

        while (env && env[n])
                n++;
        all = xmalloc0((n + 3) * sizeof(*all));
        for (size_t i = 0; i < n; i++)
                if (!(h->home && startswith(env[i], "HOME=")) && !(listen && startswith(env[i], "LISTEN_PID=")))
                        all[m++] = (char *) env[i];
        if (h->home)
                all[m++] = h->home;
        if (listen)
                all[m++] = xasprintf("LISTEN_PID=%d", getpid());
        return all;
}

/* The kernel's ENOENT is also about what the file needs, where a person sees a file that is there. */
static int explain_exec(const char *path, int error, Error *e) {
        _cleanup_free_ char *interpreter = error == ENOENT ? missing_interpreter(path) : NULL;

        if (error == ENOEXEC)
                return error_errnof(e, error, "exec: \"%s\": neither a program for this machine nor a script that begins "
                                    "with #!", path);
        return interpreter ? error_errnof(e, error, "exec: \"%s\": its interpreter %s is missing in the container", path,
                                          interpreter)
                           : error_errnof(e, error, "exec: \"%s\"", path);
}

int step_exec(Helper *h, const InitExec *s, Error *e) {
        _cleanup_free_ char **env = helper_environment(h, s->env, s->listen);
        const char *path = h->executable ?: s->args[0];

        (void) execve(path, (char **) s->args, env);
        return explain_exec(path, errno, e);
}
