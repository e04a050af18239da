/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/names.h"

#include <sched.h>
#include <sys/resource.h>

#include "basic/str.h"

const Name namespace_names[] = {
        { "cgroup", CLONE_NEWCGROUP },
        { "ipc", CLONE_NEWIPC },
        { "mount", CLONE_NEWNS },
        { "network", CLONE_NEWNET },
        { "pid", CLONE_NEWPID },
        { "time", CLONE_NEWTIME },
        { "user", CLONE_NEWUSER },
        { "uts", CLONE_NEWUTS },
        {}
};

const Name rlimit_names[] = {
        { "RLIMIT_AS", RLIMIT_AS },
        { "RLIMIT_CORE", RLIMIT_CORE },
        { "RLIMIT_CPU", RLIMIT_CPU },
        { "RLIMIT_DATA", RLIMIT_DATA },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE },
        { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
        { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "RLIMIT_NICE", RLIMIT_NICE },
        { "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "RLIMIT_NPROC", RLIMIT_NPROC },
        { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
        { "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "RLIMIT_STACK", RLIMIT_STACK },
        {}
};

const Name *name_find(const Name *names, const char *name) {
        for (; names->name; names++)
                if (streq(names->name, name))
                        return names;
        return NULL;
}

const char *name_of(const Name *names, int value) {
        for (; names->name; names++)
                if (names->value == value)
                        return names->name;
        return NULL;
}
