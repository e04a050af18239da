/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "basic/fd.h"
#include "basic/file.h"
#include "plan/init/build.h"
#include "plan/launch/plan.h"
#include "plan/rdt-plan.h"
#include "plan/unit/plan.h"

/*
 * golden [--update] DIRECTORY [CASE...]: a case is a directory with a config.json and, if it takes more than
 * the defaults, a file `request` (lines KEY=VALUE). What is planned for it is held against unit.expected, init.expected,
 * launch.expected, exec.expected, remove.expected, with linux.resources update.expected and with linux.intelRdt rdt.expected, or,
 * when it is refused, against error.expected; --update writes these instead. Prints TAP.
 */

#define FILE_MAX (4U * 1024 * 1024)

typedef enum Part {
        PART_UNIT, PART_INIT, PART_RDT, PART_LAUNCH, PART_EXEC, PART_UPDATE, PART_REMOVE, PART_ERROR, _PARTS
} Part;

static const char *const part_files[_PARTS] = { "unit.expected", "init.expected", "rdt.expected", "launch.expected",
                                                "exec.expected", "update.expected", "remove.expected", "error.expected" };

typedef struct Case {
        const char *name;
        int dir;
        Request request;
        HostFacts facts;
        bool own_cgroup;             /* linux.cgroupsPath is a cgroup in the caller's unit */
        bool no_new_keyring;
        const char *unit_environment[2]; /* request points to these */
        Credential credential;
        char *keyring;               /* request points to it */
        const char *properties[16];  /* request points to it */
        size_t n_properties;
        char *request_text;          /* request points into it */
        Text planned[_PARTS];        /* s is NULL: there must be no such file */
        Text problems;
} Case;

static void case_done(Case *c) {
        for (size_t i = 0; i < _PARTS; i++)
                text_done(&c->planned[i]);
        text_done(&c->problems);
        free(c->request_text);
        free(c->keyring);
        closep(&c->dir);
}

static int parse_bool(const char *value, bool *ret) {
        *ret = streq(value, "yes");
        return *ret || streq(value, "no") ? 0 : -EINVAL;
}

static int set_request(Case *c, const char *key, const char *value) {
        const struct {
                const char *key;
                bool *to;
        } flags[] = {
                { "rootless", &c->facts.rootless },
                { "privileged", &c->facts.privileged },
                { "own-userns", &c->facts.own_userns },
                { "setgroups-denied", &c->facts.setgroups_denied },
                { "apparmor", &c->facts.apparmor },
                { "selinux", &c->facts.selinux },
                { "cgroup-disabled", &c->facts.cgroup_disabled },
                { "own-cgroup", &c->own_cgroup },
                { "start-now", &c->request.start_now },
                { "no-pivot", &c->request.no_pivot },
                { "no-new-keyring", &c->no_new_keyring },
                { "notifies", &c->request.notifies },
        };

        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (streq(flags[i].key, key))
                        return parse_bool(value, flags[i].to);
        if (streq(key, "supervise")) /* the value is when it is started again */
                c->request.supervision = (Supervision){ .program = "/usr/bin/ocirt-sd", .root = "/run/ocirt-sd",
                                                        .restart = value, .stop_timeout = 10000000 };
        else if (streq(key, "property") && c->n_properties < ELEMENTSOF(c->properties) - 1) {
                c->properties[c->n_properties++] = value;
                c->request.supervision.properties = c->properties;
        } else if (streq(key, "service")) /* the one that calls */
                c->request.supervision = (Supervision){
                        .program = "/usr/bin/ocirt-sd", .root = "/run/ocirt-sd", .unit = value, .cgroup = "/CALLER"
                };
        else if (streq(key, "ends-with"))
                c->request.ends_with = value;
        else if (streq(key, "unit-environment")) {
                c->unit_environment[0] = value;
                c->request.gift.environment = c->unit_environment;
        } else if (streq(key, "credential")) {
                c->credential = (Credential){ value, "secret", strlen("secret") };
                c->request.gift.credentials = &c->credential;
                c->request.gift.n_credentials = 1;
        } else if (streq(key, "lacked-capabilities"))
                return parse_u64(value, &c->facts.lacked_capabilities);
        else if (streq(key, "id"))
                c->request.id = value;
        else if (streq(key, "bundle"))
                c->request.bundle = value;
        else if (streq(key, "preserve-fds"))
                return parse_u32(value, &c->request.preserve_fds);
        else if (streq(key, "listen-fds"))
                return parse_u32(value, &c->request.listen_fds);
        else if (streq(key, "uid"))
                return parse_u32(value, &c->facts.uid);
        else if (streq(key, "gid"))
                return parse_u32(value, &c->facts.gid);
        else if (streq(key, "listen-fd-names"))
                c->request.listen_fd_names = value;
        else
                return -EINVAL;
        return 0;
}

static void read_request(Case *c) {
        char *save = NULL;

        c->request = (Request){ .id = "c1", .bundle = "/bundle" };
        c->facts = (HostFacts){ .privileged = true, .cgroup_mount = "/sys/fs/cgroup" };
        if (read_file_at(c->dir, "request", FILE_MAX, &c->request_text, NULL) < 0)
                return;
        for (char *line = strtok_r(c->request_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
                char *value = strchr(line, '=');

                if (value)
                        *value++ = '\0';
                if (!value || set_request(c, line, value) < 0)
                        text_addf(&c->problems, "# request: \"%s\" is not understood\n", line);
        }
}

/* What create makes random. */
static void name_keyring(Case *c) {
        c->keyring = xasprintf("_ses.%s", c->request.id);
        c->request.keyring = c->no_new_keyring ? NULL : c->keyring;
}

static bool may_make_cgroup(const char *path) {
        return true;
}

static int plan_unit(Case *c, Spec *spec, Error *reterr) {
        UnitPlan plan = {};
        int r;

        c->facts.queries.may_make_cgroup = c->own_cgroup ? may_make_cgroup : NULL;
        r = unit_plan_build(spec, &c->request, &c->facts, &plan, reterr);
        if (r < 0)
                return r;
        unit_plan_print(&plan, &c->planned[PART_UNIT]);
        unit_plan_done(&plan);
        return 0;
}

static int plan_init(Case *c, Spec *spec, Error *reterr) {
        InitPlan plan = {};
        int r;

        r = init_plan_build(spec, &c->request, &c->facts, &plan, reterr);
        if (r >= 0)
                init_plan_print(&plan, &c->planned[PART_INIT]);
        init_plan_done(&plan);
        return r;
}

static int plan_rdt(Case *c, Spec *spec, Error *reterr) {
        RdtPlan plan;

        rdt_plan_build(spec, c->request.id, &plan);
        rdt_plan_print(&plan, &c->planned[PART_RDT]);
        return 0;
}

static void print_launch(const LaunchCreation *what, Text *text) {
        _cleanup_launch_plan_ LaunchPlan before = {}, plan = {};

        if (what->unit->home == HOME_SERVICE) {
                launch_plan_supervise(what, &before);
                launch_plan_print(&before, text);
                text_add(text, "\n# called by systemd:\n");
        }
        launch_plan_create(what, &plan);
        launch_plan_print(&plan, text);
}

static int plan_launch(Case *c, Spec *spec, Error *reterr) {
        UnitPlan unit = {};
        InitPlan init = {};
        RdtPlan rdt;
        int r;

        rdt_plan_build(spec, c->request.id, &rdt);
        r = c->facts.cgroup_disabled ? 0 : unit_plan_build(spec, &c->request, &c->facts, &unit, reterr);
        if (r >= 0)
                r = init_plan_build(spec, &c->request, &c->facts, &init, reterr);
        if (r >= 0)
                print_launch(&(LaunchCreation){ .spec = spec, .id = c->request.id, .unit = &unit, .init = &init, .rdt = &rdt,
                                                .start_now = c->request.start_now }, &c->planned[PART_LAUNCH]);
        init_plan_done(&init);
        unit_plan_done(&unit);
        return r;
}

/* Of one more process like its first. */
static int plan_exec(Case *c, Spec *spec, Error *reterr) {
        ExecRequest request = { .process = spec->process, .keyring = c->request.keyring, .seccomp = c->request.seccomp,
                                .seccomp_size = c->request.seccomp_size };
        _cleanup_launch_plan_ LaunchPlan plan = {};
        InitPlan init = {};
        RdtPlan rdt;
        int r;

        if (!spec->process || !spec->process->args)
                return 0;
        for (size_t i = 0; i < spec->linux_.n_namespaces; i++)
                request.namespaces |= spec->linux_.namespaces[i].type;
        rdt_plan_build(spec, c->request.id, &rdt);
        request.waits = rdt.group;
        r = init_plan_build_exec(spec, &request, &c->facts, &init, reterr);
        if (r >= 0) {
                launch_plan_exec(&(LaunchExec){ .init = &init, .rdt_group = rdt.group, .rdt_monitor = rdt.monitor,
                                                .sends_terminal = spec->process->terminal }, &plan);
                launch_plan_print(&plan, &c->planned[PART_EXEC]);
        }
        init_plan_done(&init);
        return r;
}

/* To these resources, from almost nothing. */
static int plan_update(Case *c, Spec *spec, Error *reterr) {
        const LimitsNow now = {
                .memory_max = { true, UINT64_MAX }, .swap_max = { true, UINT64_MAX }, .memory_current = { true, 1000000 },
                .swap_current = { true, 0 }, .cpu_quota = { true, 10000 }, .cpu_period = { true, 100000 },
                .cpu_burst = { true, 0 }, .oom_group = { true, true }, .cgroup = c->own_cgroup ? "/CGROUP" : NULL,
        };
        Text *text = &c->planned[PART_UPDATE];
        _cleanup_launch_plan_ LaunchPlan plan = {};
        _cleanup_error_ Error error = {};
        UnitPlan unit = {};
        int r;

        if (!spec->linux_.resources)
                return 0;
        r = unit_plan_build_update(spec->linux_.resources, &c->facts, &now, &unit, &error);
        if (r < 0) {
                text_addf(text, "# %s: %s\n", strerrorname_np(-r), error.message);
                return 0;
        }
        launch_plan_update(&unit, &now, &plan);
        unit_plan_print(&unit, text);
        text_add(text, "\n# steps:\n");
        launch_plan_print(&plan, text);
        unit_plan_done(&unit);
        return 0;
}

/* Of one that runs; and of what a create has left that was killed before its process was in the scope. */
static int plan_remove(Case *c, Spec *spec, Error *reterr) {
        Record record = { .pid = 4711, .start_time = 1, .mount_id = c->facts.privileged ? 7 : 0 };
        _cleanup_launch_plan_ LaunchPlan begun = {}, plan = {};
        UnitPlan unit = {};
        RdtPlan rdt;
        int r;

        r = unit_plan_build(spec, &c->request, &c->facts, &unit, reterr);
        if (r < 0)
                return r;
        rdt_plan_build(spec, c->request.id, &rdt);
        record_plan(&record, c->request.id, c->request.bundle, spec, &unit, &rdt);
        if (record.n_namespace_paths == 0)
                record.mount_id = 0;
        record.stop_timeout = c->request.supervision.stop_timeout;
        launch_plan_remove(&record, true, &begun);
        record.committed = true;
        record.invocation_id = unit.name ? "INVOCATION" : NULL;
        record.cgroup = record.cgroup ?: "/CGROUP";
        record.cgroup_id = 1;
        launch_plan_remove(&record, true, &plan);
        launch_plan_print(&plan, &c->planned[PART_REMOVE]);
        text_add(&c->planned[PART_REMOVE], "\n# half made:\n");
        launch_plan_print(&begun, &c->planned[PART_REMOVE]);
        record_done(&record);
        unit_plan_done(&unit);
        return 0;
}

/* In the order in which `create` makes them. */
static int (*const planners[])(Case *c, Spec *spec, Error *reterr) = { plan_unit, plan_init, plan_rdt, plan_launch,
                                                                       plan_exec, plan_update, plan_remove };

static void plan(Case *c) {
        /* What libseccomp makes of a profile depends on its version: it is enough here that there is one. */
        static const struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_free_ char *json = NULL;
        _cleanup_error_ Error e = {};
        size_t size;
        int r;

        r = read_file_at(c->dir, "config.json", FILE_MAX, &json, &size);
        if (r < 0) {
                text_addf(&c->problems, "# config.json: %s\n", errno_text(r));
                return;
        }
        r = spec_parse(json, size, &spec, &e);
        if (r >= 0 && spec->linux_.seccomp) {
                c->request.seccomp = &filter;
                c->request.seccomp_size = sizeof(filter);
        }
        for (size_t i = 0; i < ELEMENTSOF(planners) && r >= 0; i++)
                r = planners[i](c, spec, &e);
        if (r >= 0)
                return;
        for (size_t i = 0; i < PART_ERROR; i++)
                text_done(&c->planned[i]);
        text_addf(&c->planned[PART_ERROR], "%s: %s\n", strerrorname_np(-r), e.message);
}

/* The first line that differs. */
static void report(Case *c, const char *file, const char *expected, const char *planned) {
        size_t line = 1, n = 0;

        while (*expected && *expected == *planned) {
                n++;
                if (*expected == '\n') {
                        line++;
                        n = 0;
                }
                expected++;
                planned++;
        }
        expected -= n;
        planned -= n;
        text_addf(&c->problems, "# %s, line %zu\n#   expected: %.*s\n#   planned:  %.*s\n", file, line,
                  (int) strcspn(expected, "\n"), expected, (int) strcspn(planned, "\n"), planned);
}

static void compare(Case *c, Part part) {
        _cleanup_free_ char *expected = NULL;
        const char *file = part_files[part], *planned = c->planned[part].s;

        if (read_file_at(c->dir, file, FILE_MAX, &expected, NULL) < 0) {
                if (planned)
                        text_addf(&c->problems, "# %s is missing; planned: %.*s\n", file,
                                  (int) strcspn(planned, "\n"), planned);
        } else if (!planned)
                text_addf(&c->problems, "# %s is there, but there is nothing for it; %s", file,
                          c->planned[PART_ERROR].s ?: "\n");
        else if (!streq(expected, planned))
                report(c, file, expected, planned);
}

static void update(Case *c, Part part) {
        const char *file = part_files[part];
        _cleanup_free_ char *old = NULL;

        if (!c->planned[part].s) {
                (void) unlinkat(c->dir, file, 0);
                return;
        }
        if (read_file_at(c->dir, file, FILE_MAX, &old, NULL) >= 0 && streq(old, c->planned[part].s))
                return;
        if (write_file_atomic_at(c->dir, file, c->planned[part].s, c->planned[part].n, 0644) < 0)
                text_addf(&c->problems, "# %s cannot be written\n", file);
}

static bool run_case(int root, const char *name, bool updating) {
        _cleanup_(case_done) Case c = { .name = name };

        c.dir = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (c.dir < 0)
                text_addf(&c.problems, "# no such case\n");
        else {
                read_request(&c);
                name_keyring(&c);
                plan(&c);
                for (Part part = 0; part < _PARTS; part++)
                        if (updating)
                                update(&c, part);
                        else
                                compare(&c, part);
        }
        fputs(c.problems.s ?: "", stdout);
        return !c.problems.s;
}

static int is_case(const struct dirent *entry) {
        return entry->d_name[0] != '.' && entry->d_type == DT_DIR;
}

int main(int argc, char **argv) {
        struct dirent **entries = NULL;
        bool updating = argc > 1 && streq(argv[1], "--update"), failed = false;
        int root, n, named;

        argv += updating ? 2 : 1;
        argc -= updating ? 2 : 1;
        if (argc < 1) {
                fprintf(stderr, "usage: golden [--update] DIRECTORY [CASE...]\n");
                return 2;
        }
        root = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        named = argc - 1;
        n = named > 0 ? named : scandir(argv[0], &entries, is_case, alphasort);
        if (root < 0 || n <= 0) {
                printf("Bail out! no cases in %s\n", argv[0]);
                return 1;
        }
        printf("1..%d\n", n);
        for (int i = 0; i < n; i++) {
                const char *name = named > 0 ? argv[i + 1] : entries[i]->d_name;
                bool good = run_case(root, name, updating);

                printf("%sok %d - %s\n", good ? "" : "not ", i + 1, name);
                failed = failed || !good;
                if (named == 0)
                        free(entries[i]);
        }
        free(entries);
        (void) close(root);
        return failed ? 1 : 0;
}
