/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/init-ops.h"

#define UID_GID { "uid", NUM_SIGNED }, { "gid", NUM_SIGNED }
#define ROOT_UID_GID { "uid", NUM_NOT_ZERO }, { "gid", NUM_NOT_ZERO }

/* The order inside a row is the order of InitStep's arrays, which init-plan.h gives. */
static const InitOpRow rows[_INIT_OP_MAX] = {
        /* host */
        [INIT_OPEN_NS] = { "open-ns", .num = { { "slot", NUM_SLOT }, { "type", NUM_NAMESPACES } },
                           .str = { { "path" } } },
        [INIT_IDMAP] = { "idmap", .num = { { "slot", NUM_SLOT } },
                         .list = { { "uids", LIST_NOT_EMPTY }, { "gids", LIST_NOT_EMPTY } } },
        [INIT_OPEN_TREE] = { "open-tree", .num = { { "slot", NUM_SLOT }, { "recursive", NUM_BOOL },
                             { "idmap", NUM_SLOT_OR_NONE }, { "idmap-recursive", NUM_BOOL },
                             { "no-follow", NUM_BOOL } }, .str = { { "path" } } },
        [INIT_OPEN_FS] = { "open-fs", .num = { { "slot", NUM_SLOT }, { "super", NUM_SUPER },
                           { "idmap", NUM_SLOT_OR_NONE }, { "pid-namespace", NUM_SLOT_OR_NONE } },
                           .str = { { "type" }, { "source" } },
                           .list = { { "options", LIST_ANY } } },
        [INIT_OPENER] = { "opener" },
        [INIT_OPEN_NODE] = { "open-node", .num = { { "slot", NUM_SLOT }, { "type", NUM_CHAR }, { "major", NUM_UNSIGNED },
                             { "minor", NUM_UNSIGNED }, { "mode", NUM_OCTAL }, UID_GID },
                             .list = { { "options", LIST_ANY } } },
        [INIT_OPEN_LOG] = { "open-log", .num = { { "slot", NUM_SLOT } }, .str = { { "path" } } },
        [INIT_OOM_SCORE_ADJ] = { "oom-score-adj", .num = { { "value", NUM_SIGNED } } },
        [INIT_RAISE_RLIMIT] = { "raise-rlimit", .num = { { "resource", NUM_RESOURCE }, { "hard", NUM_SIZE } } },

        /* namespaces */
        [INIT_ENTER] = { "enter", .num = { { "flags", NUM_NAMESPACES } } },
        [INIT_JOIN] = { "join", .num = { { "slot", NUM_SLOT }, { "type", NUM_NAMESPACES } },
                        .str = { { "settings", .optional = true } } },
        [INIT_USERNS] = { "userns", .num = { ROOT_UID_GID, { "keep-groups", NUM_BOOL } } },
        [INIT_BECOME_ROOT] = { "become-root", .num = { ROOT_UID_GID, { "keep-groups", NUM_BOOL } } },
        [INIT_UNSHARE] = { "unshare", .num = { { "flags", NUM_NAMESPACES } } },
        [INIT_TIME_OFFSETS] = { "time-offsets", .num = { { "boottime", NUM_SIGNED }, { "boottime-ns", NUM_UNSIGNED },
                                { "monotonic", NUM_SIGNED }, { "monotonic-ns", NUM_UNSIGNED } } },
        [INIT_FORK] = { "fork" },
        [INIT_FORK_INSIDE] = { "fork-inside" },
        [INIT_SETSID] = { "setsid" },
        [INIT_KEYRING] = { "keyring", .num = { { "shared", NUM_BOOL }, { "in-userns", NUM_BOOL } },
                           .str = { { "name", .optional = true } } },
        [INIT_LOOPBACK] = { "loopback" },
        [INIT_MAKE_GATE] = { "make-gate" },
        [INIT_NET_DEVICES] = { "net-devices" },
        [INIT_HOSTNAME] = { "hostname", .str = { { "name" } } },
        [INIT_DOMAINNAME] = { "domainname", .str = { { "name" } } },

        /* mounts */
        [INIT_ROOT_PROPAGATION] = { "root-propagation", .num = { { "flags", NUM_PROPAGATION } } },
        [INIT_ROOTFS] = { "rootfs", .num = { { "propagation", NUM_PROPAGATION }, { "lasting", NUM_BOOL },
                          { "in-place", NUM_BOOL } }, .str = { { "path" } } },
        [INIT_MOUNT] = { "mount", .num = { { "attrs", NUM_ATTRS }, { "super", NUM_SUPER },
                         { "propagation", NUM_PROPAGATION }, { "extra", NUM_EXTRA },
                         { "pid-namespace", NUM_SLOT_OR_NONE }, { "keep", NUM_SLOT_OR_NONE } },
                         .str = { { "type" }, { "source" }, { "target" } }, .list = { { "options", LIST_ANY } } },
        [INIT_BIND] = { "bind", .num = { { "slot", NUM_SLOT_OR_NONE }, { "attrs", NUM_ATTRS },
                        { "clear", NUM_ATTRS }, { "recursive-attrs", NUM_ATTRS },
                        { "recursive-clear", NUM_ATTRS }, { "propagation", NUM_PROPAGATION },
                        { "extra", NUM_EXTRA }, { "top-propagation", NUM_PROPAGATION },
                        { "keep", NUM_SLOT_OR_NONE } },
                        .str = { { "source", .optional = true }, { "target" } } },
        [INIT_CGROUP] = { "cgroup", .num = { { "attrs", NUM_ATTRS }, { "own-namespace", NUM_BOOL },
                          { "propagation", NUM_PROPAGATION }, { "own-directory", NUM_BOOL },
                          { "keep", NUM_SLOT_OR_NONE } },
                          .str = { { "target" }, { "host" } } },
        [INIT_REMOUNT] = { "remount", .num = { { "attrs", NUM_ATTRS }, { "clear", NUM_ATTRS },
                           { "recursive-attrs", NUM_ATTRS }, { "recursive-clear", NUM_ATTRS },
                           { "propagation", NUM_PROPAGATION }, { "top-propagation", NUM_PROPAGATION },
                           { "mount", NUM_SLOT_OR_NONE } }, .str = { { "path" }, { "rest", .optional = true } } },
        [INIT_DEVICE] = { "device", .num = { { "type", NUM_CHAR }, { "major", NUM_UNSIGNED },
                          { "minor", NUM_UNSIGNED }, { "mode", NUM_OCTAL }, UID_GID, { "set", NUM_SET } },
                          .str = { { "path" } } },
        [INIT_CLONE_NODES] = { "clone-nodes", .num = { { "first", NUM_SLOT }, { "number", NUM_UNSIGNED } } },
        [INIT_DEVICE_BIND] = { "device-bind", .num = { { "slot", NUM_SLOT_OR_NONE }, { "type", NUM_CHAR },
                               { "major", NUM_UNSIGNED }, { "minor", NUM_UNSIGNED } }, .str = { { "path" } } },
        [INIT_SYMLINK] = { "symlink", .str = { { "target" }, { "path" } } },
        [INIT_CONSOLE] = { "console", .num = { { "height", NUM_UNSIGNED }, { "width", NUM_UNSIGNED }, UID_GID,
                           { "bind", NUM_BOOL } } },
        [INIT_CONTROL_TERMINAL] = { "control-terminal" },
        [INIT_WAIT_CGROUP] = { "wait-cgroup" },
        [INIT_RUNTIME_HOOKS] = { "runtime-hooks" },
        [INIT_HOOK] = { "hook", .num = { { "timeout", NUM_NOT_ZERO }, { "stdout", NUM_SLOT_OR_NONE },
                        { "stderr", NUM_SLOT_OR_NONE }, { "home", NUM_BOOL } },
                        .str = { { "path" }, { "state-head" }, { "state-tail" } },
                        .list = { { "args", LIST_ANY }, { "env", LIST_ANY } } },
        [INIT_SYSCTL] = { "sysctl", .str = { { "path" }, { "value" } } },
        [INIT_MASK] = { "mask", .num = { { "mount", NUM_SLOT_OR_NONE } },
                        .str = { { "path" }, { "rest", .optional = true } } },
        [INIT_READONLY] = { "readonly", .num = { { "mount", NUM_SLOT_OR_NONE }, { "keep", NUM_SLOT_OR_NONE } },
                            .str = { { "path" }, { "rest", .optional = true } } },
        [INIT_PIVOT] = { "pivot" },
        [INIT_MOVE_ROOT] = { "move-root" },
        [INIT_CHROOT] = { "chroot", .num = { { "handed-over", NUM_BOOL } } },
        [INIT_REMOUNT_ROOT] = { "remount-root", .num = { { "attrs", NUM_ATTRS } } },
        [INIT_SHARE_ROOT] = { "share-root", .num = { { "flags", NUM_PROPAGATION } } },
        [INIT_MKDIR] = { "mkdir", .str = { { "path" } } },
        [INIT_UNMOUNT] = { "unmount", .num = { { "id", NUM_UNSIGNED } }, .str = { { "path" } } },

        /* process */
        [INIT_STDIO_OWNER] = { "stdio-owner", .num = { UID_GID } },
        [INIT_RLIMIT] = { "rlimit", .num = { { "resource", NUM_RESOURCE }, { "soft", NUM_SIZE },
                          { "hard", NUM_SIZE } } },
        [INIT_SCHEDULER] = { "scheduler", .num = { { "policy", NUM_UNSIGNED }, { "nice", NUM_SIGNED },
                             { "priority", NUM_SIGNED }, { "flags", NUM_HEX }, { "runtime", NUM_UNSIGNED },
                             { "deadline", NUM_UNSIGNED }, { "period", NUM_UNSIGNED } } },
        [INIT_IO_PRIORITY] = { "io-priority", .num = { { "value", NUM_UNSIGNED } } },
        [INIT_AFFINITY] = { "affinity", .str = { { "cpus" } } },
        [INIT_PERSONALITY] = { "personality", .num = { { "persona", NUM_HEX } } },
        [INIT_MEMORY_POLICY] = { "memory-policy", .num = { { "mode", NUM_HEX } },
                                 .str = { { "nodes", .optional = true } } },
        [INIT_APPARMOR] = { "apparmor", .str = { { "profile" } } },
        [INIT_SELINUX] = { "selinux", .str = { { "label" } } },
        [INIT_UMASK] = { "umask", .num = { { "mask", NUM_OCTAL } } },
        [INIT_BOUNDING] = { "bounding", .num = { { "caps", NUM_CAPS } } },
        [INIT_USER] = { "user", .num = { UID_GID, { "keep-groups", NUM_BOOL }, { "lenient-groups", NUM_BOOL } },
                        .list = { { "groups", LIST_ANY } } },
        [INIT_CAPABILITIES] = { "capabilities", .num = { { "effective", NUM_CAPS }, { "permitted", NUM_CAPS },
                                { "inheritable", NUM_CAPS }, { "ambient", NUM_CAPS } } },
        [INIT_CWD] = { "cwd", .str = { { "path" } } },
        [INIT_NO_NEW_PRIVS] = { "no-new-privs" },
        [INIT_SECCOMP] = { "seccomp", .num = { { "flags", NUM_SECCOMP }, { "listener", NUM_BOOL }, { "of-hooks", NUM_BOOL } },
                           .str = { { "listener-path", .optional = true }, { "metadata", .optional = true } },
                           .blob = true },
        [INIT_FIND] = { "find", .num = { { "effective", NUM_CAPS } },
                        .list = { { "args", LIST_NOT_EMPTY }, { "env", LIST_ANY } } },

        /* gates */
        [INIT_READY] = { "ready" },
        [INIT_GATE] = { "gate" },
        [INIT_EXEC] = { "exec", .num = { { "listen", NUM_BOOL } },
                        .list = { { "args", LIST_NOT_EMPTY }, { "env", LIST_ANY } } },
};

const InitOpRow *init_op_row(uint64_t op) {
        return op < _INIT_OP_MAX && rows[op].name ? &rows[op] : NULL;
}

const char *init_op_name(InitOp op) {
        const InitOpRow *row = init_op_row(op);

        return row ? row->name : "?";
}
