/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the helper says, and at which of its steps. */
#include "plan/launch/plan.h"

static const char *const message_names[] = {
        [INIT_MSG_PID] = "pid", [INIT_MSG_INSIDE] = "inside", [INIT_MSG_MAP_ME] = "map-me", [INIT_MSG_HOOKS] = "hooks",
        [INIT_MSG_NETWORK] = "network", [INIT_MSG_MOUNT] = "mount", [INIT_MSG_DETACHED] = "detached",
        [INIT_MSG_NOT_LOCKED] = "not-locked", [INIT_MSG_GATE] = "gate", [INIT_MSG_NOTIFY] = "notify",
        [INIT_MSG_CONSOLE] = "console", [INIT_MSG_LISTENER] = "listener", [INIT_MSG_READY] = "ready",
        [LAUNCH_HOME] = "home",
};

const char *launch_message_name(unsigned message) {
        return message < ELEMENTSOF(message_names) && message_names[message] ? message_names[message] : "?";
}

InitMessageType launch_message_of(const InitStep *s, bool inside) {
        switch (s->op) {
        case INIT_FORK:
                return INIT_MSG_PID;
        case INIT_FORK_INSIDE:
                return INIT_MSG_INSIDE;
        case INIT_USERNS:
                return INIT_MSG_MAP_ME;
        case INIT_RUNTIME_HOOKS:
                return INIT_MSG_HOOKS;
        case INIT_NET_DEVICES:
                return INIT_MSG_NETWORK;
        case INIT_ROOTFS:
                return s->rootfs.lasting ? INIT_MSG_MOUNT : 0;
        case INIT_DETACH:
                return INIT_MSG_DETACHED;
        case INIT_LOCK_MOUNTS:
                return INIT_MSG_NOT_LOCKED;
        case INIT_MAKE_GATE:
                return INIT_MSG_GATE;
        case INIT_NOTIFY:
                return s->notify.kept ? 0 : INIT_MSG_NOTIFY;
        case INIT_CONSOLE:
                return INIT_MSG_CONSOLE;
        case INIT_SECCOMP:
                return s->seccomp.listener ? INIT_MSG_LISTENER : 0;
        case INIT_READY:
                return inside ? 0 : INIT_MSG_READY;
        default:
                return 0;
        }
}
