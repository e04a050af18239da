/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host/caller.h"
#include "host/container.h"
#include "host/journal-reader.h"
#include "host/manager.h"
#include "host/stats.h"
#include "plan/facts.h"
#include "plan/launch/exit.h"
#include "plan/status.h"

/*
 * The verbs. One function a verb, one file a verb; the command line calls them, and a service can.
 * All return 0 or -errno with a sentence in reterr:
 *   -EINVAL bad configuration or argument; -EOPNOTSUPP valid, but not to be had; -ENOENT no such container;
 *   -EEXIST the id is taken; -EBUSY it is in the wrong state; -ETIMEDOUT a deadline passed; -EREMOTEIO systemd refused
 */

/* The default root directory for these facts; from a. An ordinary user may have none. */
int runtime_default_root(const Caller *caller, const HostFacts *facts, Arena *a, const char **ret, Error *reterr);
/* What the pure layer must know about this host and about us. */
void runtime_probe(HostFacts *ret);
/* Does the kernel know SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19)? */
bool runtime_seccomp_waits_killable(void);

typedef struct CreateOptions {
        const char *id;
        const char *bundle;          /* NULL: the working directory */
        const char *config;          /* another config.json, or NULL */
        const char *pid_file, *console_socket, *pidfd_socket;
        uint32_t preserve_fds;       /* --preserve-fds */
        bool no_pivot, no_new_keyring;
        bool detach, keep;           /* run only */
        bool supervise;              /* systemd is its parent, as a service */
        const char *program;         /* for systemd to call; NULL: there is none */
        const char *service; /* then: the cgroup of the service that has called us to make it in there; or NULL */
        const char *restart;         /* Restart= of that; or NULL */
        uint64_t stop_timeout;       /* µs; 0: it is not said */
        const char *const *properties; /* of that: "NAME=VALUE" as in a unit file, and NULL; or NULL */
        bool ignored;                /* what is accepted without effect */
} CreateOptions;

/* What is wrong with a bundle, or with this host for it, in sentences. */
typedef struct Findings {
        Strings errors, warnings;
        Arena arena;
} Findings;
void findings_done(Findings *f);

/* As if for create, with nothing made. id NULL: the name of the bundle's directory. An error: there was nothing to look
 * at; what is found is in *ret, which begins zeroed. */
int runtime_check(const Runtime *rt, const CreateOptions *options, Findings *ret, Error *reterr);
/* The plans that create would make, printed. */
int runtime_plan(const Runtime *rt, const CreateOptions *options, Text *ret, Error *reterr);

int runtime_create(const Runtime *rt, const CreateOptions *options, Error *reterr);
/* *ret_status: what the process ended with, as a shell would report it; 0 when detached. */
int runtime_run(const Runtime *rt, const CreateOptions *options, int *ret_status, Error *reterr);
typedef enum WaitCondition { WAIT_CREATED, WAIT_RUNNING, WAIT_STOPPED, WAIT_REMOVED } WaitCondition;
/* Until it is so, of a container, or of a session of it (or NULL); timeout in µs, UINT64_MAX: for ever. *ret_status, of a
 * stopped one: what its process ended with, as a shell would report it; -EOPNOTSUPP if nobody knows. */
int runtime_wait(const Runtime *rt, const char *id, const char *session, WaitCondition condition, uint64_t timeout,
                 int *ret_status, Error *reterr);

/* For systemd, of a service that it starts: the container's process, which becomes its main one. bundle: of a container that
 * is made for that, in the service that calls us; NULL: of one that is there, and has this service. */
int runtime_service_start(const Runtime *rt, const char *id, const char *bundle, const char *program, Error *reterr);
/* The same for a session. */
int runtime_session_start(const Runtime *rt, const char *id, const char *name, Error *reterr);
int runtime_session_ended(const Runtime *rt, const char *id, const char *name, Error *reterr);
/* Why that could not be was said: who is called for the end need not. */
void runtime_service_said(const Runtime *rt, const char *id);
/* For systemd, of one that it is about to stop: sends another signal than SIGTERM, if it is to have that, and waits for its
 * end. No error if there is no such container of that service, as with the next. */
int runtime_service_stop(const Runtime *rt, const char *id, Error *reterr);
/* And in the unit that follows its end: notes how that was, and runs the poststop hooks. Once an end. */
int runtime_service_ended(const Runtime *rt, const char *id, Error *reterr);

/* 0 and a sentence in reterr: config.json has no process, so that the container has ended. A supervised one that has
 * stopped is started once more, and program is for systemd to call then, or NULL. */
int runtime_start(const Runtime *rt, const char *id, const char *program, Error *reterr);
/* A supervised one, in whatever state; grace as for runtime_stop(). */
int runtime_restart(const Runtime *rt, const char *id, const char *program, uint64_t grace, Error *reterr);

/* all: every process in the container's cgroup, and no error when there is none. */
int runtime_kill(const Runtime *rt, const char *id, int signal, bool all, Error *reterr);
/* Stop signal, grace (µs; UINT64_MAX: for ever), SIGKILL; the container is kept. No error when it is stopped. */
#define STOP_GRACE_OWN (UINT64_MAX - 1) /* the container's own, or 10 s */
int runtime_stop(const Runtime *rt, const char *id, int signal, uint64_t grace, Error *reterr);
/* force: whatever its state, and no error when there is none. */
int runtime_delete(const Runtime *rt, const char *id, bool force, Error *reterr);
/* For people: with force it is stopped first, as by runtime_stop(), and it is no error when there is none. */
int runtime_remove(const Runtime *rt, const char *id, bool force, uint64_t grace, Error *reterr);
int runtime_pause(const Runtime *rt, const char *id, Error *reterr);
int runtime_resume(const Runtime *rt, const char *id, Error *reterr);
/* Changes what resources says and nothing else. Whoever has read it says what is passed over. */
int runtime_update(const Runtime *rt, const char *id, const SpecResources *resources, Error *reterr);

/* Who wants to know; an error ends it. */
typedef struct EventSink {
        int (*stats)(const char *id, const Stats *stats, Error *reterr);
        int (*oom)(const char *id, Error *reterr);
} EventSink;
/* Statistics each interval (µs), or once if it is 0, and OOM kills, until no process of the container is left. */
int runtime_events(const Runtime *rt, const char *id, uint64_t interval, const EventSink *sink, Error *reterr);

typedef struct LogsOptions {
        bool follow;                 /* until the container has ended and all is read */
        uint64_t since, until;       /* µs since 1970; 0, UINT64_MAX: all */
        uint64_t lines;              /* the last of them; UINT64_MAX: all */
        int priority;                /* of the stream; -1: both */
} LogsOptions;

/* Who wants what a container has written; an error ends it. */
typedef struct LogSink {
        int (*entry)(void *data, const JournalEntry *entry, Error *reterr);
        int (*pause)(void *data, Error *reterr); /* there is no more for now */
        void *data;
} LogSink;
/* What a supervised container has written since it was created, each time that it was started. */
int runtime_logs(const Runtime *rt, const char *id, const LogsOptions *options, const LogSink *sink, Error *reterr);

/* Changes the schemata of its group of resctrl, and with it the share of all that are in there. */
int runtime_update_rdt(const Runtime *rt, const char *id, const SpecIntelRdt *rdt, Error *reterr);

typedef struct ExecOptions {
        const char *id;
        const char *process_file;    /* process.json, or NULL: the container's own process with what follows */
        char *const *args;           /* NULL-terminated; with no process_file. The rest changes either process */
        const char *cwd, *user, *process_label, *apparmor;
        const char **env, **caps, **additional_gids; /* NULL-terminated or NULL */
        bool tty, detach, no_new_privs, no_new_privs_set, ignore_paused;
        const char *console_socket, *pid_file, *pidfd_socket, *cgroup;
        uint32_t preserve_fds;
        const char *name;    /* of the session that it is to be; or NULL */
        const char *program; /* for systemd to call (CreateOptions) */
} ExecOptions;
/* *ret_session: what it is known by, for free(); NULL: systemd does not collect it. */
int runtime_exec(const Runtime *rt, const ExecOptions *options, int *ret_status, char **ret_session, Error *reterr);

/* A process that exec has started in a supervised container, and that systemd collects, or has collected. */
typedef struct SessionRow {
        const char *name, *created, *command;
        pid_t pid; /* that it has or had; 0: none yet */
        Status status;
        int exit_status; /* as a shell would report it; negative: not known */
} SessionRow;
/* In the order in which they were begun; in a. */
int runtime_sessions(const Runtime *rt, const char *id, Arena *a, SessionRow **ret, size_t *ret_n, Error *reterr);
/* word: its name or its pid. */
int runtime_kill_session(const Runtime *rt, const char *id, const char *word, int signal, Error *reterr);
/* Forgets it; force: ends it first. */
int runtime_delete_session(const Runtime *rt, const char *id, const char *word, bool force, Error *reterr);

/* Pids of the container's processes as we see them, sorted; the caller frees *ret. */
int runtime_processes(const Runtime *rt, const char *id, pid_t **ret, size_t *ret_n, Error *reterr);
