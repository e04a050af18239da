/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host/launch-finish.h"

#include <unistd.h>

#include "basic/fd.h"
#include "basic/schedule.h"
#include "host/userns.h"

static int schedule(const Launch *l, const SpecProcess *process, Error *reterr) {
        int r = process->scheduler ? schedule_set(l->pid, process->scheduler) : 0;

        if (r < 0)
                return error_errnof(reterr, r, "process.scheduler: cannot be set");
        r = process->io_priority.set ? schedule_set_io(l->pid, process->io_priority.v) : 0;
        return r < 0 ? error_errnof(reterr, r, "process.ioPriority: cannot be set") : 0;
}

/* As INIT_STDIO_OWNER, but that the group is the process's too: without one that the user namespace knows, root there could
 * not hand the pipes on to others. */
static void give_pipes(const Launch *l, const SpecProcess *process) {
        uint32_t uid, gid;

        if (!userns_outer_ids(l->pid, process->uid, process->gid, &uid, &gid))
                return;
        for (int i = 0; i <= 2; i++)
                if (fd_is_pipe(l->stdio[i]))
                        (void) !fchown(l->stdio[i], uid, gid);
}

int launch_finish(const Launch *l, const InitPlan *plan, const SpecProcess *process, Error *reterr) {
        if (plan->launcher_gives_stdio)
                give_pipes(l, process);
        return plan->launcher_schedules ? schedule(l, process, reterr) : 0;
}
