/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steps.h"

/* What the steps of mounts and of the root do, seen from inside a container. */

static void test_mounts(void) {
        static const char *size[] = { "size=1m", "mode=750", NULL }, *bad[] = { "size=many", NULL };
        InitPlan p = {};

        TEST("tmpfs with options, binds of directories and files, attributes, slots");
        shell("mkdir -p %s/sub && echo hello > %s/file && mkdir -p %s/src && mount -t tmpfs t %s/sub && touch %s/sub/in",
              sandbox_path("src"), sandbox_path("src"), rootfs, sandbox_path("src"), sandbox_path("src"));
        begin(&p);
        plan_mount(&p, "tmpfs", "/made/for/it", ATTRS | MOUNT_ATTR_NOATIME, 0, size);
        plan_bind(&p, sandbox_path("src"), "/bound", MOUNT_ATTR_RDONLY, INIT_RECURSIVE);
        plan_bind(&p, sandbox_path("src"), "/flat", 0, 0);
        plan_bind(&p, sandbox_path("src/file"), "/etc/new/file", 0, 0);
        run(&p,
            "stat -c %a /made/for/it; grep /made /proc/mounts; touch /bound/x; touch /bound/sub/x && echo rw; ls /flat/sub;"
            "cat /etc/new/file");
        EXPECT("750\ntmpfs /made/for/it tmpfs rw,nosuid,nodev,noexec,noatime,size=1024k,mode=750 0 0\n"
               "touch: /bound/x: Read-only file system\nrw\nhello\n");

        begin(&p);
        plan_mount(&p, "tmpfs", "/x", 0, 0, bad);
        run(&p, "true");
        ASSERT_STR(
                l.error,
                "mount tmpfs to rootfs at /x: option \"size=many\": tmpfs: Bad value for 'size': invalid argument");
        begin(&p);
        plan_mount(&p, "nonesuchfs", "/x", 0, 0, NULL);
        run(&p, "true");
        ASSERT_STR(l.error, "mount nonesuchfs to rootfs at /x: unknown filesystem type");
        begin(&p);
        plan_bind(&p, "/nonesuch", "/x", 0, 0);
        run(&p, "true");
        ASSERT_STR(l.error, "open mount source /nonesuch: no such file or directory");
}

static void test_slots(void) {
        InitPlan p = {};

        TEST("a source opened before the mount namespace; recursive attributes; propagation");
        reset();
        *init_add_open_tree(&p, NULL) = (InitOpenTree){
                .path = sandbox_path("src"),
                .slot = 7,
                .extra = INIT_RECURSIVE,
        };
        plan_begin(&p, rootfs, NAMESPACES);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        *init_add_bind(&p, NULL) = (InitBind){
                .target = "/bound",
                .slot = 7,
                .recursive_attrs = MOUNT_ATTR_RDONLY,
                .propagation = MS_SHARED,
        };
        run(&p, "touch /bound/x; touch /bound/sub/x; grep ' /bound ' /proc/self/mountinfo | grep -c shared:;"
                "grep ' /bound/sub ' /proc/self/mountinfo | grep -c shared:");
        ASSERT_STR(
                l.output,
                "touch: /bound/x: Read-only file system\ntouch: /bound/sub/x: Read-only file system\n1\n0\n");

        TEST("locked sources: attributes and what is mounted in them stay, whoever may unmount");
        reset();
        for (unsigned i = 0; i < 2; i++)
                *init_add_open_tree(&p, NULL) = (InitOpenTree){
                        .path = sandbox_path(i == 0 ? "src" : "src/file"),
                        .slot = 7 + i,
                        .extra = INIT_RECURSIVE | INIT_LOCKED,
                        .attrs = MOUNT_ATTR_RDONLY,
                };
        init_add_lock_sources(&p, NULL);
        plan_begin(&p, rootfs, NAMESPACES);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        *init_add_bind(&p, NULL) = (InitBind){ .target = "/bound", .slot = 7 };
        *init_add_bind(&p, NULL) = (InitBind){ .target = "/bound-file", .slot = 8 };
        run(&p, "exec 2>/dev/null; cat /bound-file; mount -o remount,bind,rw x /bound && echo bare; "
                "mount -o remount,bind,rw x /bound-file && echo bare; umount /bound/sub || ls /bound/sub");
        EXPECT("hello\nin\nx\n");
        shell("umount %s", sandbox_path("src/sub"));
}

static void test_idmap(void) {
        static const char *uids[] = { "0:5000:1", "3:7:2", NULL }, *gids[] = { "0:6000:10", NULL };
        InitPlan p = {};

        TEST("mapped mounts: of a tree and of a new file system");
        shell("mkdir -p %s/sub && mount -t tmpfs x %s/sub && touch %s/root %s/three %s/sub/root && chown 3:3 %s/three",
              sandbox_path("map"), sandbox_path("map"), sandbox_path("map"), sandbox_path("map"), sandbox_path("map"),
              sandbox_path("map"));
        for (unsigned recursive = 0; recursive < 2; recursive++) {
                *init_add_idmap(&p, NULL) = (InitIdmap){ .slot = 3, .uids = uids, .gids = gids };
                *init_add_open_tree(&p, NULL) = (InitOpenTree){
                        .path = sandbox_path("map"),
                        .slot = 7,
                        .extra = INIT_RECURSIVE,
                        .idmap = 3,
                        .idmap_recursive = recursive,
                };
                *init_add_open_fs(&p, NULL) = (InitOpenFs){
                        .type = "tmpfs",
                        .source = "new",
                        .slot = 8,
                        .idmap = 3,
                };
                reset();
                plan_begin(&p, rootfs, NAMESPACES);
                plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
                *init_add_bind(&p, NULL) = (InitBind){ .target = "/mapped", .slot = 7 };
                *init_add_bind(&p, NULL) = (InitBind){ .target = "/new", .slot = 8 };
                run(&p, "stat -c %u:%g /mapped/root /mapped/three /mapped/sub/root /new; ls /proc");
                if (!startswith(l.output, recursive ? "5000:6000\n7:6003\n5000:6000\n5000:6000\n1\n"
                                                    : "5000:6000\n7:6003\n0:0\n5000:6000\n1\n"))
                        FAIL_AT("%s%s", l.error, l.output);
        }
        shell("umount %s/sub", sandbox_path("map"));

        TEST("maps that cannot be, and file systems that have no owners to map");
        for (unsigned i = 0; i < 2; i++) {
                static const char *overlapping[] = { "0:5000:2", "1:7:1", NULL };

                *init_add_idmap(&p, "mounts[4]") = (InitIdmap){
                        .slot = 3,
                        .uids = i == 0 ? overlapping : uids,
                        .gids = gids,
                };
                *init_add_open_tree(&p, "mounts[4].options[1]") = (InitOpenTree){
                        .path = "/proc",
                        .slot = 7,
                        .idmap = 3,
                };
                reset();
                plan_begin(&p, rootfs, NAMESPACES);
                run(&p, "true");
                ASSERT_STR(l.error, i == 0 ? "mounts[4]: map owners: write uid_map: invalid argument"
                                           : "mounts[4].options[1]: map owners: not with this file system and this kernel");
        }
}

static void test_symlinks(void) {
        InitPlan p = {};

        TEST("symlinks as sources and as targets");
        shell("cd %s && ln -s /etc/passwd link && cd %s && ln -s nowhere dangling && ln -s /etc/passwd same && "
              "ln -s ../etc/passwd other && mkdir -p dir && ln -s /dir todir", sandbox_path("src"), rootfs);
        begin(&p);
        plan_bind(&p, sandbox_path("src/link"), "/linked", 0, INIT_NO_SOURCE_FOLLOW);
        plan_bind(&p, sandbox_path("src/file"), "/dangling", 0, INIT_NO_TARGET_FOLLOW);
        plan_bind(&p, sandbox_path("src/link"), "/same", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        plan_bind(&p, sandbox_path("src/link"), "/todir/new/link", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        run(&p, "head -c 5 /linked; cat /dangling; readlink /same; readlink /dir/new/link");
        EXPECT("root:hello\n/etc/passwd\n/etc/passwd\n");
        begin(&p);
        plan_bind(&p, sandbox_path("src/link"), "/other", 0, INIT_NO_SOURCE_FOLLOW | INIT_COPY_SYMLINK);
        run(&p, "true");
        ASSERT_STR(l.error, "create symlink /other: something else is there already");
        begin(&p);
        plan_bind(&p, sandbox_path("src"), "/todir", 0, INIT_NO_TARGET_FOLLOW);
        run(&p, "true");
        ASSERT_STR(l.error, "open /todir in the rootfs: not a directory");
}

static void test_targets_that_cannot_be_made(void) {
        InitPlan p = {};

        TEST("what is missing and cannot be made is told of as such");
        shell("mkdir -p %s/ro && mount -t tmpfs -o ro none %s/ro", rootfs, rootfs);
        begin(&p);
        plan_bind(&p, sandbox_path("src"), "/ro/new/dir", 0, 0);
        run(&p, "true");
        ASSERT_STR(l.error, "make /ro/new in the rootfs: read-only file system");
        shell("umount %s/ro && rmdir %s/ro", rootfs, rootfs);
}

static const char *mount_namespace;

static void join_mounts(InitPlan *p) {
        *init_add_open_ns(p, NULL) = (InitOpenNs){ .path = mount_namespace, .slot = 1, .type = CLONE_NEWNS };
        *init_add_join(p, NULL) = (InitJoin){ .slot = 1, .type = CLONE_NEWNS };
}

static void attach_plan(InitPlan *p, const char *place) {
        join_mounts(p);
        init_add_attach(p, "root.path")->path = place;
        init_add_ready(p, NULL);
}

/* A rootfs with a procfs and a mask, in the namespace at last. */
static void joined_plan(InitPlan *p, const char *place, bool locked) {
        join_mounts(p);
        init_add_unshare(p, NULL)->flags = CLONE_NEWNS;
        *init_add_rootfs(p, NULL) = (InitRootfs){ .path = place, .propagation = MS_SLAVE | MS_REC };
        plan_mount(p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        init_add_host_null(p, NULL)->slot = PLAN_NULL_SLOT;
        init_add_chroot(p, NULL);
        plan_mask(p, "/proc/version", NULL);
        init_add_detach(p, NULL)->locked = locked;
        *init_add_join(p, NULL) = (InitJoin){ .slot = 1, .type = CLONE_NEWNS };
        init_add_chroot(p, NULL);
        plan_shell(p, "pwd; ls -d /etc/passwd; cd ..; pwd; cat /proc/version; grep -c ' /proc' /proc/self/mountinfo; "
                      "readlink /proc/self/ns/mnt; umount /proc/version 2>/dev/null && echo unlocked");
}

static void test_joined_mounts(void) {
        _cleanup_close_ int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        const char *place = sandbox_path("foreign");
        char *before, *expected = xasprintf("/\n/etc/passwd\n/\n2\n%s", shell_output("readlink /proc/self/ns/mnt"));
        InitPlan p = {}, attach = {};

        TEST("in a mount namespace of others: a copy of the rootfs there when it is complete, and taken away again");
        mount_namespace = xasprintf("/proc/%d/fd/%d", getpid(), ns);
        shell("mkdir -p %s && mount --bind %s %s && mount --make-private %s", place, rootfs, place, place);
        before = shell_output("cat /proc/self/mountinfo");
        for (unsigned locked = 0; locked < 2; locked++) {
                reset();
                joined_plan(&p, place, locked);
                attach_plan(&attach, place);
                l.attach = &attach;
                launch(&p, &l);
                ASSERT_STR(l.error, "");
                ASSERT(startswith(l.output, expected));
                ASSERT_STR(startswith(l.output, expected), locked ? "" : "unlocked\n");
                ASSERT_STR(l.table, before);
                ASSERT_STR(shell_output("grep -c ' %s/proc' /proc/self/mountinfo", place), locked ? "2\n" : "1\n");
                join_mounts(&p);
                *init_add_unmount(&p, NULL) = (InitUnmount){ .path = place, .id = l.mount_id };
                reset();
                launch(&p, &l);
                ASSERT_STR(l.error, "");
                ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        }
        TEST("not where it would show elsewhere; and nothing stays that was not attached");
        shell("mount --make-shared %s", place);
        reset();
        joined_plan(&p, place, false);
        attach_plan(&attach, place);
        l.attach = &attach;
        launch(&p, &l);
        ASSERT(startswith(l.error, "root.path: in the mount namespace that is joined it is on a shared"));
        shell("mount --make-private %s", place);
        ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        TEST("in place, nothing is mounted");
        reset();
        join_mounts(&p);
        *init_add_rootfs(&p, NULL) = (InitRootfs){ .path = place, .in_place = true };
        init_add_chroot(&p, NULL);
        plan_shell(&p, "pwd; ls -d /etc/passwd; cd ..; pwd");
        launch(&p, &l);
        EXPECT("/\n/etc/passwd\n/\n");
        ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        TEST("in our own: where that shares, too, but what is mounted in the copy is not");
        shell("mount --make-shared %s", place);
        before = shell_output("cat /proc/self/mountinfo");
        reset();
        *init_add_rootfs(&p, NULL) = (InitRootfs){
                .path = place,
                .propagation = MS_SLAVE | MS_REC,
                .lasting = true,
        };
        plan_mount(&p, "proc", "/proc", ATTRS, INIT_NO_TARGET_SYMLINK, NULL);
        init_add_chroot(&p, NULL);
        plan_shell(&p, "pwd; grep -c ' /proc .* - proc' /proc/self/mountinfo");
        launch(&p, &l);
        EXPECT("/\n1\n");
        ASSERT_STR(shell_output("grep foreign /proc/self/mountinfo | grep -c shared:"), "1\n");
        *init_add_unmount(&p, NULL) = (InitUnmount){ .path = place, .id = l.mount_id };
        reset();
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        ASSERT_STR(shell_output("cat /proc/self/mountinfo"), before);
        shell("umount %s", place);
}

static void test_copy_up(void) {
        InitPlan p = {};

        TEST("tmpcopyup keeps modes, owners, symlinks, times and the like; a tmpfs takes the mode of what it covers");
        shell("mkdir -p %s/data/deep/er && cd %s/data && chmod 1700 . && echo a > deep/er/a && chmod 4750 deep/er/a && "
              "chown -R 12:34 deep && chmod 4750 deep/er/a && ln -s /etc/passwd link && mkfifo pipe && "
              "touch -d '2001-02-03 04:05:06 UTC' deep/er/a",
              rootfs, rootfs);
        begin(&p);
        plan_mount(&p, "tmpfs", "/data", 0, INIT_COPY_UP | INIT_TARGET_MODE, NULL);
        run(&p,
            "cd /data; stat -c '%n %a %u:%g %Y' deep/er/a; readlink link; stat -c %F pipe; cat deep/er/a; stat -c %a /data");
        EXPECT("deep/er/a 4750 12:34 981173106\n/etc/passwd\nfifo\na\n1700\n");
}

static void test_overlay(void) {
        InitPlan p = {};
        static const char *options[4];
        _cleanup_text_ Text lower = {};

        TEST("an overlay whose list of layers is longer than fsconfig takes");
        shell("mkdir -p %s/up %s/work", sandbox_path("ovl"), sandbox_path("ovl"));
        text_add(&lower, "lowerdir=");
        for (unsigned i = 0; i < 12; i++) {
                shell("mkdir -p %s/layer-with-a-long-name-%u && echo %u > %s/layer-with-a-long-name-%u/f%u",
                      sandbox_path("ovl"), i, i, sandbox_path("ovl"), i, i);
                text_addf(&lower, "%s%s/layer-with-a-long-name-%u", i > 0 ? ":" : "", sandbox_path("ovl"),
                          i);
        }
        options[0] = lower.s;
        options[1] = xasprintf("upperdir=%s/up", sandbox_path("ovl"));
        options[2] = xasprintf("workdir=%s/work", sandbox_path("ovl"));
        begin(&p);
        plan_mount(&p, "overlay", "/ovl", MOUNT_ATTR_NODEV, 0, options);
        run(&p, "cat /ovl/f0 /ovl/f11; echo new > /ovl/f3; grep -c ' /ovl overlay rw,nodev' /proc/mounts");
        EXPECT("0\n11\n1\n");
        ASSERT_STR(shell_output("cat %s/up/f3", sandbox_path("ovl")), "new\n");
}

static void test_overlay_comma(void) {
        const char *options[] = { xasprintf("lowerdir=%s/a,b:%s/c", sandbox_path("ovl"), sandbox_path("ovl")), NULL };
        InitPlan p = {};

        TEST("an overlay with a comma in a layer's path");
        shell("cd %s && mkdir a,b c && echo ab > a,b/f", sandbox_path("ovl"));
        begin(&p);
        plan_mount(&p, "overlay", "/ovl", MOUNT_ATTR_RDONLY, 0, options);
        run(&p, "cat /ovl/f");
        EXPECT("ab\n");
}

static void test_masks(void) {
        InitPlan p = {};

        TEST("masked and read-only paths");
        shell("mkdir -p %s/secret %s/ro/in && echo s > %s/secret/f && echo s > %s/file1 && echo s > %s/file2",
              rootfs, rootfs, rootfs, rootfs, rootfs);
        begin(&p);
        plan_mask(&p, "/secret", NULL);
        plan_mask(&p, "/file1", NULL);
        plan_mask(&p, "/file2", NULL);
        plan_mask(&p, "/proc/acpi-not-there", NULL);
        plan_mask(&p, "/file1/below", NULL);
        plan_mask(&p, "/proc/scsi", NULL);
        plan_mask(&p, "/proc/keys", NULL);
        init_add_readonly(&p, NULL)->path = "/ro";
        init_add_readonly(&p, NULL)->path = "/proc/sys";
        init_add_readonly(&p, NULL)->path = "/nonesuch";
        run(&p,
            "ls /secret; touch /secret/x; cat /file1 /file2; stat -c '%F %t:%T' /file1 /file2 /proc/keys; touch /ro/in/x;"
            "echo 1 > /proc/sys/kernel/ns_last_pid");
        ASSERT_STR(l.error, "");
        ASSERT_STR(l.output,
                   "touch: /secret/x: Read-only file system\n"
                   "character special file 1:3\ncharacter special file 1:3\ncharacter special file 1:3\n"
                   "touch: /ro/in/x: Read-only file system\n"
                   "sh: can't create /proc/sys/kernel/ns_last_pid: Read-only file system\n");
}

static void test_lookups(void) {
        const char *source = sandbox_path("kept");
        InitPlan p = {};

        TEST("paths that are looked up from the mount that they lie on, whatever is at their names");
        shell("mkdir -p %s/a %s/b %s/kept %s/out && touch %s/a/f %s/b/f %s/b/g %s/out/f && ln -s /out/f %s/out", source, source,
              rootfs, rootfs, source, source, source, rootfs, source);
        begin(&p);
        plan_bind(&p, source, "/kept", 0, 0)->keep = 3;
        plan_mount(&p, "tmpfs", "/kept", 0, 0, NULL);
        init_add_mkdir(&p, NULL)->path = "/kept/a/f";
        init_add_pivot(&p, NULL);
        *init_add_readonly(&p, NULL) = (InitReadonly){ .path = "/kept/b", .rest = "b", .mount = 3 };
        plan_mask(&p, "/kept/a", "a")->mount = 3;
        plan_mask(&p, "/kept/b/f", "b/f")->mount = 3;
        plan_mask(&p, "/kept/none", "none")->mount = 3;
        plan_mask(&p, "/kept/out", "out")->mount = 3; /* leads out of the mount, so by its name: not there */
        plan_shell(&p, "ls /kept/a; /bin/busybox umount /kept; ls /kept/a; stat -c %t:%T /kept/b/f /out/f; touch /kept/b/g");
        launch(&p, &l);
        ASSERT_STR(l.error, "");
        ASSERT_STR(l.output, "f\n1:3\n0:0\ntouch: /kept/b/g: Read-only file system\n");

        TEST("a symlink that leads out of the mount is followed as the container follows it");
        begin(&p);
        plan_bind(&p, source, "/kept", 0, 0)->keep = 3;
        plan_mask(&p, "/kept/out", "out")->mount = 3;
        plan_mask(&p, "/kept", NULL)->mount = 3;
        run(&p, "stat -c %t:%T /out/f; ls /kept");
        EXPECT("1:3\n");

        TEST("or there is no such mount");
        begin(&p);
        plan_mask(&p, "/kept/a", "a")->mount = 3;
        run(&p, "true");
        ASSERT_STR(l.error, "mask /kept/a: bad message");
}

static void test_locked(void) {
        const char *source = sandbox_path("locked");
        InitPlan p = {};

        TEST("what a mount has when a user namespace is made stays, whatever is to be taken off, and the rest is done");
        shell("chmod 755 %s && mkdir -p %s && mount -t tmpfs -o mode=755 x %s && mount -o remount,bind,ro,nosuid %s && "
              "chown -R 100000:100000 %s", sandbox_path("."), source, source, source, rootfs);
        reset();
        l.map = true;
        plan_begin(&p, rootfs, NAMESPACES | CLONE_NEWUSER);
        plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
        *init_add_bind(&p, NULL) = (InitBind){
                .source = source,
                .target = "/mnt",
                .attrs = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOATIME,
                .clear = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC | MOUNT_ATTR__ATIME,
                .recursive_clear = MOUNT_ATTR_NOSUID,
        };
        run(&p, "grep -o ' /mnt ro,nosuid,nodev,relatime ' /proc/self/mountinfo");
        EXPECT(" /mnt ro,nosuid,nodev,relatime \n");
        shell("umount %s && chown -R 0:0 %s", source, rootfs);
}

static void test_root(void) {
        static const InitOp ways[] = { INIT_PIVOT, INIT_MOVE_ROOT };

        TEST("a read-only root, by pivot_root and by moving");
        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                const char *args[] = { "sh", "-c",
                                       "touch /x; ls /; grep -c ' / / ' /proc/self/mountinfo; cd ..; pwd",
                                       NULL };
                const char *env[] = { "PATH=/bin", NULL };
                InitPlan p = {};

                reset();
                plan_begin(&p, sandbox_rootfs("empty"), NAMESPACES);
                plan_mount(&p, "proc", "/proc", ATTRS, 0, NULL);
                init_plan_add(&p, ways[i], NULL);
                init_add_remount_root(&p, NULL)->attrs = MOUNT_ATTR_RDONLY;
                init_add_share_root(&p, NULL)->flags = MS_SHARED;
                plan_exec(&p, args, env);
                launch(&p, &l);
                EXPECT("touch: /x: Read-only file system\nbin\ndev\netc\nproc\nsys\ntmp\n0\n/\n");
        }
}

int main(void) {
        sandbox_enter();
        rootfs = sandbox_rootfs("rootfs");
        test_mounts();
        test_slots();
        test_idmap();
        test_symlinks();
        test_targets_that_cannot_be_made();
        test_joined_mounts();
        test_copy_up();
        test_overlay();
        test_overlay_comma();
        test_masks();
        test_lookups();
        test_locked();
        test_root();
        return 0;
}
