/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "steps/listener.h"

#include <errno.h>

#include "basic/fd.h"
#include "oci/state-json.h"
#include "steps/peer.h"

static void add_process_state(const Spec *spec, const ListenerState *s, Text *t) {
        _cleanup_text_ Text tail = {};

        text_add(t, "{\"ociVersion\":");
        text_add_json_string(t, spec->oci_version);
        text_addf(t, ",\"fds\":[\"seccompFd\"],\"pid\":%d,", s->pid);
        if (spec->linux_.seccomp->listener_metadata) {
                text_add(t, "\"metadata\":");
                text_add_json_string(t, spec->linux_.seccomp->listener_metadata);
                text_add(t, ",");
        }
        text_add(t, "\"state\":");
        state_json_hook(spec, s->id, s->status, s->bundle, t, &tail);
        text_addf(t, "%d%s}", s->init, tail.s);
}

int listener_send(const Spec *spec, const ListenerState *state, int listener, Error *reterr) {
        const char *path = spec->linux_.seccomp ? spec->linux_.seccomp->listener_path : NULL;
        _cleanup_close_ int socket = -EBADF;
        _cleanup_text_ Text text = {};
        int r;

        if (!path || listener < 0)
                return error_setf(reterr, EBADMSG, "the helper sent a seccomp listener that nobody asked for");
        socket = peer_connect(path, reterr);
        if (socket < 0)
                return error_prefixf(reterr, "linux.seccomp.listenerPath");
        add_process_state(spec, state, &text);
        r = send_fd(socket, text.s, text.n, listener);
        return r < 0 ? error_errnof(reterr, r, "linux.seccomp.listenerPath: cannot send to %s", path) : 0;
}
