/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/own-service.h"

#include <unistd.h>

#include "host/cgroup.h"
#include "host/credentials.h"
#include "host/service-environment.h"

int own_service_gift(Creation *c, ServiceGift *ret, Error *reterr) {
        const Caller *caller = &c->rt->caller;
        Credential *credentials = NULL;
        int r;

        if (!c->called_by)
                return 0;
        r = c->manager ? 0 : manager_open(caller, c->rt->facts.rootless, &c->manager, reterr);
        if (r >= 0)
                r = service_environment(c->manager, c->called_by, caller->environment, &c->spec->arena,
                                        &ret->environment, reterr);
        if (r >= 0 && caller->credentials)
                r = credentials_read(caller->credentials, &c->spec->arena, &credentials, &ret->n_credentials, reterr);
        ret->credentials = credentials;
        return MIN(r, 0);
}

/* The units of the users' systemds are below theirs, which is a unit of the system's. */
static bool knows_it(const Creation *c, const char *path) {
        _cleanup_free_ char *own = xasprintf("/user@%u.service/", c->rt->caller.uid);

        return c->rt->facts.rootless ? strstr(path, own) != NULL : strstr(path, "/user@") == NULL;
}

char *own_service_to_end_with(const Creation *c) {
        _cleanup_free_ char *path = NULL;

        if (!c->start_now || c->options->detach || c->options->supervise || !c->rt->caller.is_service)
                return NULL;
        if (cgroup_service_of(getpid(), &path) < 0 || !knows_it(c, path))
                return NULL;
        return xstrdup(cgroup_unit_name(path));
}
