/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/bus.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/alloc.h"
#include "basic/str.h"
#include "host/userns.h"

#define SYSTEM_SOCKET "/run/systemd/private"
#define LINGER_DIRECTORY "/var/lib/systemd/linger"

/* is_bus: there is a bus at the other end, that greets, and not systemd itself. */
static int connect_to(const char *address, bool is_bus, sd_bus **ret) {
        sd_bus *bus;
        int r;

        assert(sd.bus_new);
        r = sd.bus_new(&bus);
        if (r < 0)
                return r;
        r = sd.bus_set_address(bus, address);
        if (r >= 0)
                r = sd.bus_set_bus_client(bus, is_bus);
        if (r >= 0)
                r = sd.bus_start(bus);
        if (r < 0) {
                (void) sd.bus_close_unref(bus);
                return r;
        }
        *ret = bus;
        return 0;
}

int bus_connect_system(sd_bus **ret, const char **ret_peer, Error *reterr) {
        int r;

        assert(sd.bus_open_system);
        *ret_peer = "the system bus";
        r = sd.bus_open_system(ret);
        if (r < 0) { /* the bus is down or not there: systemd itself still listens */
                *ret_peer = "systemd";
                r = connect_to("unix:path=" SYSTEM_SOCKET, false, ret);
        }
        return r < 0 ? error_errnof(reterr, r, "cannot connect to systemd, neither over the system bus nor at "
                                    SYSTEM_SOCKET " (is systemd PID 1 here?)") : 0;
}

/* In a user namespace that a user made the socket belongs to nobody who is known in it. */
bool bus_system_is_ours(void) {
        struct stat st;

        return stat(SYSTEM_SOCKET, &st) == 0 && st.st_uid == geteuid();
}

/* --- the user's ------------------------------------------------------------------------------------------------- */

/* What pam_systemd would set XDG_RUNTIME_DIR to. */
static char *usual_directory(void) {
        return xasprintf("/run/user/%u", userns_outer_uid());
}

static bool is_ours(const char *directory) {
        struct stat st;

        return stat(directory, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

char *user_runtime_directory(const Caller *caller) {
        char *usual;

        if (caller->runtime_directory)
                return xstrdup(caller->runtime_directory);
        usual = usual_directory();
        if (is_ours(usual))
                return usual;
        free(usual);
        return NULL;
}

static bool has_file(const char *directory, const char *name) {
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, name);

        return access(path, F_OK) == 0;
}

/* Why there is no manager, and what to do. */
static char *find_reason(const char *given) {
        uint32_t uid = userns_outer_uid();
        const struct passwd *entry = getpwuid(uid);
        _cleanup_free_ char *usual = usual_directory(), *number = xasprintf("%u", uid);
        const char *name = entry ? entry->pw_name : number;

        if (given && has_file(given, "") && !is_ours(given))
                return xasprintf("that belongs to another user");
        if (has_file(usual, "systemd/private"))
                return xasprintf("that of user %s is %s", name, usual);
        if (has_file(LINGER_DIRECTORY, name))
                return xasprintf("user %s lingers, but user@%u.service does not run", name, uid);
        if (has_file(usual, ""))
                return xasprintf("user %s has a session without systemd: user@%u.service does not run", name, uid);
        return xasprintf("user %s is not logged in and does not linger (loginctl enable-linger %s)", name, name);
}

int user_runtime_directory_error(const char *what, Error *reterr) {
        _cleanup_free_ char *reason = find_reason(NULL), *usual = usual_directory();

        return error_passf(reterr, ENOENT, "%s: XDG_RUNTIME_DIR is not set and %s is not there: %s", what, usual, reason);
}

static int missing(const Caller *caller, const char *directory, Error *reterr) {
        _cleanup_free_ char *reason = NULL;

        if (!directory)
                return user_runtime_directory_error("cannot reach the user's systemd", reterr);
        reason = find_reason(caller->runtime_directory);
        return error_passf(reterr, ENOENT, "cannot reach the user's systemd: there is neither a manager (systemd/private) nor "
                          "a user bus (bus) in XDG_RUNTIME_DIR, which is %s: %s", directory, reason);
}

/* systemd itself comes first, as with systemctl --user: a user bus is one more package and one more process, and may
 * be one that systemd is not on. */
int bus_connect_user(const Caller *caller, sd_bus **ret, const char **ret_peer, Error *reterr) {
        _cleanup_free_ char *directory = user_runtime_directory(caller);
        bool manager = directory && is_ours(directory) && has_file(directory, "systemd/private");
        bool bus = caller->bus_address || (directory && has_file(directory, "bus"));
        int r = -ENOENT;

        if (!manager && !bus)
                return missing(caller, directory, reterr);
        if (manager) {
                _cleanup_free_ char *address = xasprintf("unix:path=%s/systemd/private", directory);

                *ret_peer = "the user's systemd";
                r = connect_to(address, false, ret);
        }
        if (r < 0 && bus) {
                _cleanup_free_ char *address = xasprintf("unix:path=%s/bus", directory);

                *ret_peer = "the user bus";
                r = connect_to(caller->bus_address ?: address, true, ret);
        }
        return r < 0 ? error_errnof(reterr, r, "cannot connect to the user's systemd, by its socket or by the user bus, in %s",
                                    directory ?: caller->bus_address) : 0;
}
