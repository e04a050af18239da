/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "helper/helper.h"

/* The steps, by the file that has them. Their operands: plan/init/plan.h. */
#define STEP(name) int name(Helper *h, const InitStep *s, Error *e)

/* namespaces.c */
STEP(step_open_ns);
STEP(step_enter);
STEP(step_join);
STEP(step_userns);
STEP(step_become_root);
STEP(step_unshare);
STEP(step_time_offsets);
STEP(step_fork);
STEP(step_fork_inside);

/* session.c */
STEP(step_setsid);
STEP(step_keyring);
STEP(step_loopback);
STEP(step_net_devices);
STEP(step_hostname);
STEP(step_domainname);

/* rootfs.c */
STEP(step_root_propagation);
STEP(step_enter_rootfs);
STEP(step_rootfs);
STEP(step_pivot);
STEP(step_move_root);
STEP(step_chroot);
STEP(step_remount_root);
STEP(step_share_root);
STEP(step_detach);
STEP(step_lock_mounts);
STEP(step_attach);
STEP(step_unmount);

/* idmap.c, sources.c, mounts.c, newfs.c, cgroup.c */
STEP(step_idmap);
STEP(step_opener);
STEP(step_open_tree);
STEP(step_lock_sources);
STEP(step_open_fs);
STEP(step_bind);
STEP(step_mount);
STEP(step_remount);
STEP(step_cgroup);

/* devices.c, console.c, masks.c */
STEP(step_device);
STEP(step_open_node);
STEP(step_clone_nodes);
STEP(step_host_null);
STEP(step_device_bind);
STEP(step_symlink);
STEP(step_mkdir);
STEP(step_console);
STEP(step_control_terminal);
/* After INIT_DETACH: the terminal is that of the container's devpts, and not of a mount that is gone. */
void console_reopen(Helper *h);
STEP(step_mask);
STEP(step_readonly);

/* procfs.c */
STEP(step_oom_score_adj);
STEP(step_sysctl);
STEP(step_apparmor);
STEP(step_selinux);

/* limits.c */
STEP(step_raise_rlimit);
STEP(step_rlimit);
STEP(step_scheduler);
STEP(step_io_priority);
STEP(step_affinity);
STEP(step_personality);
STEP(step_memory_policy);
STEP(step_umask);

/* user.c */
STEP(step_stdio_owner);
STEP(step_bounding);
STEP(step_user);
STEP(step_capabilities);
STEP(step_no_new_privs);

/* process.c, seccomp.c, hooks.c */
STEP(step_cwd);
STEP(step_find);
STEP(step_exec);
STEP(step_seccomp);
STEP(step_open_log);
STEP(step_hook);

/* talk.c, gate.c, notify.c */
STEP(step_wait_cgroup);
STEP(step_runtime_hooks);
STEP(step_ready);
STEP(step_make_gate);
STEP(step_gate);
STEP(step_notify);
