/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <unistd.h>

#include "basic/str.h"
#include "cli/caller.h"

#define LISTEN_FDS_MAX 1024

/* An empty variable is as good as none. */
static const char *variable(const char *name) {
        const char *value = getenv(name);

        return isempty(value) ? NULL : value;
}

static bool is_our_pid(const char *name) {
        const char *pid = getenv(name);
        uint32_t value;

        return pid && parse_u32(pid, &value) == 0 && value == (uint32_t) getpid();
}

/* Those that were passed to this very process. */
static uint32_t activation(void) {
        const char *n = getenv("LISTEN_FDS");
        uint32_t value;

        if (!is_our_pid("LISTEN_PID") || !n || parse_u32(n, &value) < 0 || value > LISTEN_FDS_MAX)
                return 0;
        return value;
}

const char *caller_program(void) {
        static char path[4096];
        ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

        path[MAX(n, (ssize_t) 0)] = '\0';
        return access(path, X_OK) == 0 ? path : NULL;
}

Caller caller_find(void) {
        uint32_t listen_fds = activation();

        return (Caller){
                .uid = geteuid(),
                .stdio = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO },
                .environment = (const char *const *) environ,
                .runtime_directory = variable("XDG_RUNTIME_DIR"),
                .bus_address = variable("DBUS_SESSION_BUS_ADDRESS"),
                .is_service = is_our_pid("SYSTEMD_EXEC_PID"),
                .notify_socket = variable("NOTIFY_SOCKET"),
                .credentials = variable("CREDENTIALS_DIRECTORY"),
                .listen_fds = listen_fds,
                .listen_fd_names = listen_fds > 0 ? getenv("LISTEN_FDNAMES") : NULL,
        };
}
