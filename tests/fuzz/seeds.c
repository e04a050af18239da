/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "../unit/test.h"
#include "basic/file.h"
#include "oci/spec-fields.h"
#include "plan/init/build.h"
#include "plan/init/mount-options.h"

/*
 * seeds dictionary: prints the words of the specification, as the tables of the code have them, for -dict=
 * seeds init-plan DIRECTORY CONFIG...: writes the encoded init plan of each config.json
 */

#define FILE_MAX_BYTES (16UL * 1024 * 1024)

static void print_word(const char *word) {
        printf("\"\\\"%s\\\"\"\n", word);
}

static void print_words(const char *const *words) {
        for (; words && *words; words++)
                print_word(*words);
}

static void print_fields(const JsonField *fields) {
        for (const JsonField *f = fields; f && f->name; f++) {
                print_word(f->name);
                print_words(f->words);
                for (const Name *n = f->names; n && n->name; n++)
                        print_word(n->name);
                print_fields(f->fields);
        }
}

static void print_dictionary(void) {
        const char *option;

        print_fields(spec_fields);
        print_words(seccomp_operators);
        for (size_t i = 0; (option = mount_option_name(i)); i++)
                printf("\"%s\"\n", option);
}

static void write_plan(int dir, size_t index, const char *path) {
        static const struct sock_filter filter = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        const HostFacts facts = { .privileged = true, .apparmor = true, .selinux = true };
        Request request = { .id = "c1", .bundle = "/bundle" };
        _cleanup_(init_plan_done) InitPlan plan = {};
        _cleanup_free_ char *json = NULL, *name = NULL;
        _cleanup_spec_ Spec *spec = NULL;
        _cleanup_text_ Text bytes = {};
        size_t size;

        if (read_file_at(AT_FDCWD, path, FILE_MAX_BYTES, &json, &size) < 0)
                FAIL_AT("%s: cannot be read", path);
        if (spec_parse(json, size, &spec, NULL) < 0)
                return;
        if (spec->linux_.seccomp) {
                request.seccomp = &filter;
                request.seccomp_size = sizeof(filter);
        }
        if (init_plan_build(spec, &request, &facts, &plan, NULL) < 0)
                return;
        init_plan_encode(&plan, &bytes);
        name = xasprintf("%03zu", index);
        ASSERT_EQ(write_file_atomic_at(dir, name, bytes.s, bytes.n, 0644), 0);
}

int main(int argc, char **argv) {
        int dir;

        if (argc == 2 && streq(argv[1], "dictionary")) {
                print_dictionary();
                return 0;
        }
        ASSERT(argc > 2 && streq(argv[1], "init-plan"));
        dir = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ASSERT(dir >= 0);
        for (int i = 3; i < argc; i++)
                write_plan(dir, (size_t) i, argv[i]);
        return 0;
}
