/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "plan/unit/internal.h"

#define DEFAULT_WEIGHT 100

const Property unit_properties[] = {
        { "After", UNIT_STRV, .annotation = true, .check = CHECK_AFTER },
        { "AllowedCPUs", UNIT_BYTES, .file = "cpuset.cpus" },
        { "AllowedMemoryNodes", UNIT_BYTES, .file = "cpuset.mems" },
        { "Before", UNIT_STRV, .annotation = true, .check = CHECK_BEFORE },
        { "CPUQuotaPerSecUSec", UNIT_U64, .file = "cpu.max", .none = UINT64_MAX, .annotation = true },
        { "CPUQuotaPeriodUSec", UNIT_U64, .file = "cpu.max", .none = UINT64_MAX, .annotation = true },
        { "CPUWeight", UNIT_U64, .file = "cpu.weight", .none = DEFAULT_WEIGHT, .annotation = true },
        { "CollectMode", UNIT_STRING, .annotation = true, .check = CHECK_ENUM, .values = " inactive inactive-or-failed ",
          .proposal = true },
        { "DefaultDependencies", UNIT_BOOL, .annotation = true, .proposal = true },
        { "Description", UNIT_STRING, .annotation = true, .check = CHECK_TEXT, .proposal = true },
        { "Documentation", UNIT_STRV, .annotation = true, .check = CHECK_URLS },
        { "FinalKillSignal", UNIT_I32, .annotation = true, .check = CHECK_SIGNAL },
        { "IODeviceLatencyTargetUSec", UNIT_WEIGHTS, .file = "io.latency", .key = "target=" },
        { "IODeviceWeight", UNIT_WEIGHTS, .file = "io.weight", .key = "" },
        { "IOReadBandwidthMax", UNIT_WEIGHTS, .file = "io.max", .key = "rbps=" },
        { "IOReadIOPSMax", UNIT_WEIGHTS, .file = "io.max", .key = "riops=" },
        { "IOWeight", UNIT_U64, .file = "io.weight", .none = DEFAULT_WEIGHT, .annotation = true },
        { "IOWriteBandwidthMax", UNIT_WEIGHTS, .file = "io.max", .key = "wbps=" },
        { "IOWriteIOPSMax", UNIT_WEIGHTS, .file = "io.max", .key = "wiops=" },
        { "KillSignal", UNIT_I32, .annotation = true, .check = CHECK_SIGNAL, .proposal = true },
        { "ManagedOOMMemoryPressure", UNIT_STRING, .annotation = true, .check = CHECK_ENUM, .values = " auto kill " },
        { "ManagedOOMMemoryPressureDurationUSec", UNIT_U64, .annotation = true },
        { "ManagedOOMMemoryPressureLimit", UNIT_U32, .annotation = true },
        { "ManagedOOMPreference", UNIT_STRING, .annotation = true, .check = CHECK_ENUM, .values = " none avoid omit " },
        { "ManagedOOMSwap", UNIT_STRING, .annotation = true, .check = CHECK_ENUM, .values = " auto kill " },
        { "MemoryHigh", UNIT_U64, .file = "memory.high", .none = UINT64_MAX, .least = 1, .annotation = true },
        { "MemoryLow", UNIT_U64, .file = "memory.low", .annotation = true },
        { "MemoryMax", UNIT_U64, .file = "memory.max", .none = UINT64_MAX, .least = 1, .annotation = true },
        { "MemoryMin", UNIT_U64, .file = "memory.min", .annotation = true },
        { "MemorySwapMax", UNIT_U64, .file = "memory.swap.max", .none = UINT64_MAX, .annotation = true },
        { "MemoryZSwapMax", UNIT_U64, .annotation = true },
        { "OOMPolicy", UNIT_STRING, .annotation = true, .check = CHECK_ENUM, .values = " continue stop kill ",
          .proposal = true },
        { "RuntimeMaxUSec", UNIT_U64, .annotation = true },
        { "StartupCPUWeight", UNIT_U64, .annotation = true },
        { "StartupIOWeight", UNIT_U64, .annotation = true },
        { "TasksMax", UNIT_U64, .file = "pids.max", .none = UINT64_MAX, .least = 1, .annotation = true },
        { "TimeoutStopUSec", UNIT_U64, .annotation = true, .proposal = true },
        {}
};

const Property *unit_property(const char *name) {
        for (const Property *p = unit_properties; p->name; p++)
                if (streq(p->name, name))
                        return p;
        return NULL;
}
