/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "helper/mounts.h"
#include "helper/procfs.h"
#include "helper/targets.h"

/* What fsconfig(FSCONFIG_SET_STRING) takes, without the NUL. */
#define VALUE_MAX 255

static const struct {
        uint64_t flag;
        const char *option;
} superblock_options[] = {
        { MS_RDONLY, "ro" },     { MS_SYNCHRONOUS, "sync" },  { MS_DIRSYNC, "dirsync" },
        { MS_MANDLOCK, "mand" }, { MS_LAZYTIME, "lazytime" },
};

/* What the file system itself says about the failure ("e overlay: Missing 'lowerdir'"), and the errno. */
static int explain(int fs, int code, const char *what, Error *e) {
        char text[512];
        ssize_t n = read(fs, text, sizeof(text) - 1);

        while (n > 0 && text[n - 1] == '\n')
                n--;
        if (n <= 2)
                return error_errnof(e, code, "%s", what);
        text[n] = '\0';
        return error_errnof(e, code, "%s: %s", what, text + 2);
}

/* mount(8) quotes labels, which have commas in them; here each option comes alone. */
static char *unquote(char *value) {
        size_t n = strlen(value);

        if (n >= 2 && value[0] == '"' && value[n - 1] == '"') {
                value[n - 1] = '\0';
                return value + 1;
        }
        return value;
}

static int set_option(int fs, const char *option, Error *e) {
        _cleanup_free_ char *copy = xstrdup(option), *what = NULL;
        char *equals = strchr(copy, '=');
        int r;

        if (equals) {
                *equals = '\0';
                r = fsconfig(fs, FSCONFIG_SET_STRING, copy, unquote(equals + 1), 0);
        } else
                r = fsconfig(fs, FSCONFIG_SET_FLAG, copy, NULL, 0);
        if (r == 0)
                return 0;
        r = errno;
        what = xasprintf("option \"%s\"", option);
        return explain(fs, r, what, e);
}

static int configure(int fs, const NewFs *new, Error *e) {
        char text[24];
        int r = 0;

        if (fsconfig(fs, FSCONFIG_SET_STRING, "source", new->source, 0) < 0)
                return explain(fs, errno, "source", e);
        for (size_t i = 0; i < ELEMENTSOF(superblock_options) && r >= 0; i++)
                if (new->super & superblock_options[i].flag)
                        r = set_option(fs, superblock_options[i].option, e);
        if (new->mode != 0 && r >= 0) {
                (void) snprintf(text, sizeof(text), "mode=%o", (unsigned) new->mode);
                r = set_option(fs, text, e);
        }
        for (const char **o = new->options; r >= 0 && o && *o; o++)
                r = set_option(fs, *o, e);
        return r;
}

/* A procfs shows the pid namespace of who makes it, and from Linux 6.17 on any other. */
static bool shows_other(const NewFs *new) {
        return streq(new->type, "proc") && new->pid_namespace;
}

static int refuse_option(const char *option, Error *e) {
        return error_setf(e, EOPNOTSUPP, "option \"%s\": before Linux 6.17 the procfs of a pid namespace that is joined is the "
                          "one that is mounted in there, with its options", option);
}

/* As if it had been made: attached to nothing, and with these attributes alone, if none is locked. */
static int copy_procfs(Helper *h, const NewFs *new, int pidns, int *ret, Error *e) {
        const uint64_t all = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME |
                             MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW;
        _cleanup_close_ int fd = -EBADF;
        int r;

        if (new->options && new->options[0])
                return refuse_option(new->options[0], e);
        for (size_t i = 0; i < ELEMENTSOF(superblock_options); i++)
                if (new->super & superblock_options[i].flag)
                        return refuse_option(superblock_options[i].option, e);
        fd = procfs_copy(h, pidns, e);
        if (fd < 0)
                return fd;
        r = mount_change_attributes(fd, new->attrs, all & ~new->attrs, false);
        if (r < 0)
                return error_errnof(e, r, "set attributes");
        *ret = TAKE_FD(fd);
        return 0;
}

int newfs_create(Helper *h, const NewFs *new, int *ret, Error *e) {
        _cleanup_close_ int fs = fsopen(new->type, FSOPEN_CLOEXEC);
        int fd, r;

        if (fs < 0)
                return errno == ENODEV ? error_setf(e, ENODEV, "unknown filesystem type")
                                       : error_setf(e, errno, "%s", errno_text(errno));
        if (shows_other(new)) {
                fd = helper_slot(h, new->pid_namespace, e);
                if (fd < 0)
                        return fd;
                if (fsconfig(fs, FSCONFIG_SET_FD, "pidns", NULL, fd) < 0)
                        return errno == EINVAL ? copy_procfs(h, new, fd, ret, e)
                                               : explain(fs, errno, "show the pid namespace", e);
        }
        r = configure(fs, new, e);
        if (r < 0)
                return r;
        if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return explain(fs, errno, "create file system", e);
        fd = fsmount(fs, FSMOUNT_CLOEXEC, (unsigned) new->attrs);
        if (fd < 0)
                return explain(fs, errno, "create mount", e);
        *ret = fd;
        return 0;
}

/* Flags that fsconfig(2) has no name for; and an overlay's layer with a comma, which only mount(2) takes before Linux
 * 6.5. What mount(2) makes never shows another pid namespace than ours, and those flags mean nothing to a procfs. */
bool newfs_needs_classic(const NewFs *new) {
        bool overlay = streq(new->type, "overlay");

        if (shows_other(new))
                return false;
        if (strlen(new->source) > VALUE_MAX || (new->super & (MS_SILENT | MS_I_VERSION)))
                return true;
        for (const char **o = new->options; o && *o; o++) {
                const char *equals = strchr(*o, '=');

                if (equals && (strlen(equals + 1) > VALUE_MAX || (overlay && strchr(equals, ','))))
                        return true;
        }
        return false;
}

/* The mount that lies on place now. mount(2) gives no descriptor, so the way there is walked again; it must
 * end on the root of a mount other than place's. */
static int reopen(Helper *h, const char *path, int place) {
        _cleanup_close_ int fd = open_in_root(h->root, path, O_PATH | O_DIRECTORY, 0);
        struct statx below, above;

        if (fd < 0)
                return fd;
        if (statx(place, "", AT_EMPTY_PATH, STATX_MNT_ID, &below) < 0 ||
            statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &above) < 0)
                return -errno;
        if (below.stx_mnt_id == above.stx_mnt_id || !(above.stx_attributes & STATX_ATTR_MOUNT_ROOT))
                return -EXDEV;
        return TAKE_FD(fd);
}

/* In a list for mount(2) a comma is escaped for an overlay, and what has one is quoted for all others. */
static void add_data(Text *data, const char *option, bool overlay) {
        const char *equals = strchr(option, '=');

        text_add(data, data->n > 0 ? "," : "");
        if (equals && !overlay && strchr(equals, ','))
                text_addf(data, "%.*s=\"%s\"", (int) (equals - option), option, equals + 1);
        else if (!overlay)
                text_add(data, option);
        for (const char *p = overlay ? option : ""; *p; p++)
                text_addf(data, "%s%c", *p == ',' ? "\\" : "", *p);
}

/* The directories of an overlay in few letters: "lowerdir=/proc/self/fd/7:/proc/self/fd/8". They are the host's, and so
 * is /proc as yet. What holds them open goes to *fds. */
static int add_short_paths(Text *data, const char *option, int **fds, size_t *n_fds, Error *e) {
        _cleanup_free_ char *copy = xstrdup(option);
        char *to = strchr(copy, '=') + 1, *from = to, *path = to;

        text_addf(data, "%s%.*s", data->n > 0 ? "," : "", (int) (to - copy), copy);
        for (;; from++) {
                bool end = from[0] == '\0' || from[0] == ':';
                int fd;

                if (from[0] == '\\' && from[1] != '\0')
                        from++;
                if (!end) {
                        *to++ = *from;
                        continue;
                }
                end = from[0] == '\0';
                *to = '\0';
                if (to > path) { /* nothing between colons: what follows has data alone */
                        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); /* host */
                        if (fd < 0)
                                return error_errnof(e, errno, "open layer %s", path);
                        GREW(*fds, *n_fds);
                        (*fds)[(*n_fds)++] = fd;
                        text_addf(data, "/proc/self/fd/%d", fd);
                }
                if (end)
                        return 0;
                text_add(data, ":");
                to = path = from + 1;
        }
}

static int shorten(const NewFs *new, Text *data, int **fds, size_t *n_fds, Error *e) {
        static const char *const paths[] = { "lowerdir=", "upperdir=", "workdir=" };
        int r = 0;

        for (const char **o = new->options; o && *o && r >= 0; o++) {
                bool path = false;

                for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                        path = path || startswith(*o, paths[i]);
                if (path)
                        r = add_short_paths(data, *o, fds, n_fds, e);
                else
                        add_data(data, *o, true);
        }
        return r;
}

/* By way of the working directory, which is a descriptor as good as any: no path is involved. */
static int mount_here(const NewFs *new, int place, const char *target, const char *data, Error *e) {
        int r;

        if (strlen(data) >= (size_t) sysconf(_SC_PAGESIZE))
                return error_setf(e, E2BIG, "options are longer than a page");
        if (fchdir(place) < 0)
                return error_errnof(e, errno, "enter %s", target);
        r = mount(new->source, ".", new->type, new->super, data) < 0 ? -errno : 0;
        if (chdir("/") < 0 || r < 0)
                return error_setf(e, r < 0 ? r : errno, "%s", errno_text(r < 0 ? r : errno));
        return 0;
}

static int mount_data(const NewFs *new, int place, const char *target, Error *e) {
        bool overlay = streq(new->type, "overlay");
        _cleanup_text_ Text data = {}, shorter = {};
        size_t n_fds = 0;
        int *fds = NULL, r = 0;

        if (new->mode != 0)
                text_addf(&data, "mode=%o", (unsigned) new->mode);
        for (const char **o = new->options; o && *o; o++)
                add_data(&data, *o, overlay);
        if (data.n < (size_t) sysconf(_SC_PAGESIZE) || !overlay)
                return mount_here(new, place, target, data.s ?: "", e);
        r = shorten(new, &shorter, &fds, &n_fds, e);
        if (r >= 0)
                r = mount_here(new, place, target, shorter.s ?: "", e);
        for (size_t i = 0; i < n_fds; i++)
                close_fd(fds[i]);
        free(fds);
        return r;
}

int newfs_mount_classic(Helper *h, const NewFs *new, int place, const char *target, int *ret, Error *e) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        r = mount_data(new, place, target, e);
        if (r < 0)
                return r;
        fd = r = reopen(h, target, place);
        if (r >= 0)
                r = mount_attributes(fd, new->attrs, 0, false);
        if (r < 0)
                return error_errnof(e, r, "set attributes");
        *ret = TAKE_FD(fd);
        return 0;
}
