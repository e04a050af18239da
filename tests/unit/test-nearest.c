/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "basic/macro.h"
#include "basic/nearest.h"
#include "test.h"

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
        return 0;
}
