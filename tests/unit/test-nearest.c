/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/macro.h"
#include "basic/nearest.h"
#include "test.h"

static void test_known(void) {
        static const char *const few[] = { "user", "mount", "network" };
        const char *many[20];
        const struct {
                const char *word, *wanted;
                const char *const *candidates;
                size_t n;
        } cases[] = {
                { "net", ", did you mean network?", few, 3 }, { "mnt", ", expected user, mount or network", few, 3 },
                { "x", ", expected user", few, 1 }, { "x", "", many, ELEMENTSOF(many) }, { "", ", expected user or mount", few, 2 },
        };

        TEST("what is known, in few words");
        for (size_t i = 0; i < ELEMENTSOF(many); i++)
                many[i] = "candidate";
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_text_ Text t = {};

                text_add_known(&t, cases[i].word, cases[i].candidates, cases[i].n);
                ASSERT_STR(t.s, cases[i].wanted);
        }
}

static void test_common(void) {
        static const char *const limits[] = { "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_NPROC" };

        TEST("what all begin with does not make them near");
        ASSERT_STR(nearest("RLIMIT_FOO", limits, ELEMENTSOF(limits)), NULL);
        ASSERT_STR(nearest("RLIMIT_PROC", limits, ELEMENTSOF(limits)), "RLIMIT_NPROC");
        ASSERT_STR(nearest("RLIMIT_", limits, ELEMENTSOF(limits)), "RLIMIT_CPU");
        ASSERT_STR(nearest("nproc", limits, ELEMENTSOF(limits)), "RLIMIT_NPROC");
}

int main(void) {
        static const char *const candidates[] = {
                "create", "state", "start", "network", "SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "SCMP_ARCH_X86", "SCMP_ARCH_X86_64",
                "CPUQuotaPerSecUSec", "MemoryMax", "MemorySwapMax",
        };
        static const struct {
                const char *word, *wanted;
        } cases[] = {
                { "craete", "create" }, { "stae", "state" }, { "strt", "start" }, { "net", "network" }, { "NETWORK", "network" },
                { "SCMP_ACT_ALOW", "SCMP_ACT_ALLOW" }, { "ALLOW", "SCMP_ACT_ALLOW" }, { "kill", "SCMP_ACT_KILL" },
                { "x86_64", "SCMP_ARCH_X86_64" }, { "x86", "SCMP_ARCH_X86" }, { "CPUQuota", "CPUQuotaPerSecUSec" },
                { "MemoryMx", "MemoryMax" }, { "st", NULL }, { "", NULL }, { "volume", NULL },
        };

        TEST("what was meant");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                ASSERT_STR(nearest(cases[i].word, candidates, ELEMENTSOF(candidates)), cases[i].wanted);
        test_common();
        test_known();
        return 0;
}
