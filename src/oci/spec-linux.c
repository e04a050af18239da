/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <net/if.h>
#include <sched.h>
#include <sys/stat.h>

#include "basic/file.h"
#include "basic/str.h"
#include "oci/spec-fields.h"

static const JsonField namespace_fields[] = {
        JSON_NAME("type", SpecNamespace, type, .required = true, .names = namespace_names, HELPER("clone, unshare")),
        JSON_STRING("path", SpecNamespace, path, .absolute = true, HELPER("setns")),
        {}
};

static int read_device_type(const JsonNode *node, const JsonField *f, void *to) {
        static const char *const types[] = { "c", "b", "u", "p", NULL };
        const char *s;
        int r;

        r = json_want_string(node, &s);
        if (r < 0)
                return r;
        if (!streq(s, "c") && !streq(s, "b") && !streq(s, "u") && !streq(s, "p"))
                return json_unknown(node, s, types);
        /* u: an unbuffered character device, a difference that Linux does not make. */
        *(char *) to = (char) (s[0] == 'u' ? 'c' : s[0]);
        return 0;
}

/* The type is among the bits that some engines write: they copy st_mode. */
static int check_file_mode(const JsonNode *node, void *mode) {
        ((OptU32 *) mode)->v &= 07777;
        return 0;
}

/* While it is read: a device whose numbers need not be there. */
typedef struct Device {
        SpecDevice d;
        OptI64 major, minor;
} Device;

static const JsonField device_fields[] = {
        JSON_CUSTOM("type", read_device_type, Device, d.type, .required = true),
        JSON_STRING("path", Device, d.path, .required = true, .absolute = true),
        JSON_OPT_I64("major", Device, major, .max = 0xfff),
        JSON_OPT_I64("minor", Device, minor, .max = 0xfffff),
        JSON_OPT_U32("fileMode", Device, d.file_mode, .max = S_IFMT | 07777, .check = check_file_mode),
        JSON_OPT_U32("uid", Device, d.uid, SPEC_ID_MAX),
        JSON_OPT_U32("gid", Device, d.gid, SPEC_ID_MAX),
        {}
};

static int read_device(const JsonNode *node, SpecDevice *ret) {
        Device d = {};
        char *path;
        int r;

        r = json_read_fields(node, device_fields, &d);
        if (r < 0)
                return r;
        if (d.d.type != 'p' && (!d.major.set || !d.minor.set))
                return json_error(node, d.major.set ? "minor" : "major", EINVAL, "missing");
        path = path_normalize(node->reader->arena, "/", d.d.path);
        if (streq(path, "/") || path_is_below(path, "/proc") || path_is_below(path, "/sys"))
                return json_error(node, "path", EINVAL, "there can be no device at %s", d.d.path);
        d.d.major = d.major.v;
        d.d.minor = d.minor.v;
        *ret = d.d;
        return 0;
}

static int read_devices(const JsonNode *node, const JsonField *f, void *to) {
        SpecLinux *l = to;
        int r;

        r = json_want_array(node, &l->n_devices);
        if (r < 0)
                return r;
        l->devices = arena_calloc(node->reader->arena, l->n_devices, sizeof(*l->devices));
        for (size_t i = 0; i < l->n_devices; i++) {
                JsonNode child = json_element(node, i);

                r = read_device(&child, &l->devices[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

static const JsonField net_device_fields[] = {
        JSON_STRING("name", SpecNetDevice, name),
        {}
};

/* What the kernel calls valid (dev_valid_name()), and in new names a "%d" that it fills in. */
static bool is_interface_name(const char *s, bool template) {
        const char *percent = strchr(s, '%');

        if (s[0] == '\0' || strlen(s) >= IF_NAMESIZE || streq(s, ".") || streq(s, ".."))
                return false;
        if (percent && (!template || percent[1] != 'd' || strchr(percent + 1, '%')))
                return false;
        return strcspn(s, "/: \t\n\v\f\r") == strlen(s);
}

static int check_net_device(const JsonNode *node, void *device) {
        const SpecNetDevice *d = device;

        if (!is_interface_name(d->host_name, false))
                return json_error(node, NULL, EINVAL, "not the name of a network interface");
        if (d->name && !is_interface_name(d->name, true))
                return json_error(node, "name", EINVAL, "\"%s\" is not the name of a network interface", d->name);
        return 0;
}

static int check_time_offset(const JsonNode *node, void *offset) {
        ((SpecTimeOffset *) offset)->set = true;
        return 0;
}

static const JsonField time_offset_fields[] = {
        JSON_I64("secs", SpecTimeOffset, secs),
        JSON_U32("nanosecs", SpecTimeOffset, nanosecs, .max = 999999999),
        {}
};

static const JsonField clock_fields[] = {
        JSON_OBJECT("boottime", SpecLinux, boottime, SpecTimeOffset, time_offset_fields, .check = check_time_offset),
        JSON_OBJECT("monotonic", SpecLinux, monotonic, SpecTimeOffset, time_offset_fields, .check = check_time_offset),
        {}
};

/* runc and crun take the words of the mount options too ("rslave"). */
static int read_propagation(const JsonNode *node, const JsonField *f, void *to) {
        static const char *const words[] = { "shared", "slave", "private", "unbindable", NULL };
        SpecLinux *l = to;
        const char *s;
        int r;

        r = json_want_string(node, &s);
        if (r < 0 || s[0] == '\0')
                return r;
        l->rootfs_propagation_recursive = s[0] == 'r';
        for (size_t i = 0; words[i]; i++)
                if (streq(s + l->rootfs_propagation_recursive, words[i])) {
                        l->rootfs_propagation = words[i];
                        return 0;
                }
        return json_unknown(node, s, words);
}

static int check_line(const JsonNode *node, void *string) {
        if (strchr(*(const char **) string, '\n'))
                return json_error(node, NULL, EINVAL, "must be a single line");
        return 0;
}

static int check_mem_bw(const JsonNode *node, void *string) {
        const char *s = *(const char **) string;

        if (!startswith(s, "MB:"))
                return json_error(node, NULL, EINVAL, "\"%s\" does not begin with \"MB:\"", s);
        return check_line(node, string);
}

/* The name of a directory of resctrl; "/" is its root. */
static int check_clos_id(const JsonNode *node, void *string) {
        const char *s = *(const char **) string;

        if (streq(s, ".") || streq(s, "..") || (strchr(s, '/') && !streq(s, "/")))
                return json_error(node, NULL, EINVAL, "\"%s\" is not a file name", s);
        return check_line(node, string);
}

static const JsonField intel_rdt_fields[] = {
        JSON_STRING("closID", SpecIntelRdt, clos_id, .check = check_clos_id, RUNTIME("a group of resctrl")),
        JSON_STRING("l3CacheSchema", SpecIntelRdt, l3_cache_schema, .check = check_line,
                    RUNTIME("schemata of the group, first")),
        JSON_STRING("memBwSchema", SpecIntelRdt, mem_bw_schema, .check = check_mem_bw,
                    RUNTIME("schemata of the group, then")),
        JSON_STRINGS("schemata", SpecIntelRdt, schemata, .check = check_line, RUNTIME("schemata of the group, last")),
        JSON_BOOL("enableMonitoring", SpecIntelRdt, enable_monitoring, RUNTIME("a group in mon_groups")),
        JSON_IGNORED("enableCMT", "replaced by enableMonitoring in version 1.3.0"),
        JSON_IGNORED("enableMBM", "replaced by enableMonitoring in version 1.3.0"),
        {}
};

const char *const memory_policy_modes[] = {
        "MPOL_DEFAULT", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_WEIGHTED_INTERLEAVE", "MPOL_PREFERRED",
        "MPOL_PREFERRED_MANY", "MPOL_LOCAL", NULL,
};

const char *const memory_policy_flags[] = {
        "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL,
};

static const JsonField memory_policy_fields[] = {
        JSON_STRING("mode", SpecMemoryPolicy, mode, .required = true, .words = memory_policy_modes),
        JSON_STRING("nodes", SpecMemoryPolicy, nodes, .check = spec_check_list),
        JSON_STRINGS("flags", SpecMemoryPolicy, flags, .never_null = true, .words = memory_policy_flags),
        {}
};

static bool has_word(const char **list, const char *word) {
        while (*list && !streq(*list, word))
                list++;
        return *list;
}

/* set_mempolicy(2). Which flags go with which of the other modes depends on the kernel. */
static int check_memory_policy(const JsonNode *node, void *policy) {
        const SpecMemoryPolicy *p = policy;
        bool none = streq(p->mode, "MPOL_DEFAULT") || streq(p->mode, "MPOL_LOCAL");

        if (none && p->nodes)
                return json_error(node, "nodes", EINVAL, "%s takes no nodes", p->mode);
        if (none && p->flags[0])
                return json_error(node, "flags", EINVAL, "%s takes no flags", p->mode);
        if (has_word(p->flags, "MPOL_F_STATIC_NODES") && has_word(p->flags, "MPOL_F_RELATIVE_NODES"))
                return json_error(node, "flags", EINVAL, "nodes are either static or relative");
        if (!none && !p->nodes && !streq(p->mode, "MPOL_PREFERRED"))
                return json_error(node, "nodes", EINVAL, "%s needs at least one node", p->mode);
        return 0;
}

static const char *const personality_domains[] = { "LINUX", "LINUX32", NULL };

static int read_personality_flags(const JsonNode *node, const JsonField *f, void *to) {
        size_t n;
        int r;

        r = json_want_array(node, &n);
        if (r < 0 || n == 0)
                return r;
        return json_error(node, NULL, EOPNOTSUPP, "the specification supports no flags");
}

static const JsonField personality_fields[] = {
        JSON_STRING("domain", SpecLinux, personality, .required = true, .words = personality_domains,
                    HELPER("personality")),
        JSON_CUSTOM("flags", read_personality_flags, SpecLinux, personality, REFUSED("the specification knows none")),
        {}
};

const JsonField spec_linux_fields[] = {
        JSON_ARRAY("namespaces", SpecLinux, namespaces, n_namespaces, SpecNamespace, namespace_fields),
        JSON_ARRAY("uidMappings", SpecLinux, uid_mappings, n_uid_mappings, SpecIdMap, spec_id_map_fields,
                   RUNTIME("writes uid_map in /proc")),
        JSON_ARRAY("gidMappings", SpecLinux, gid_mappings, n_gid_mappings, SpecIdMap, spec_id_map_fields,
                   RUNTIME("writes gid_map in /proc")),
        JSON_CLOSED("timeOffsets", clock_fields, HELPER("timens_offsets in /proc")),
        { .name = "devices", .read = read_devices, .fields = device_fields, .each = "[]",
          HELPER("mknod, or a bind mount in a user namespace; unit property DeviceAllow=") },
        JSON_MAP("netDevices", SpecLinux, net_devices, n_net_devices, SpecNetDevice, net_device_fields,
                 .check = check_net_device, RUNTIME("moves them, rtnetlink")),
        JSON_STRING("cgroupsPath", SpecLinux, cgroups_path,
                    UNIT("Slice=, and the name of the scope; or a cgroup in the caller's own unit")),
        JSON_POINTER("resources", SpecLinux, resources, SpecResources, spec_resources_fields,
                     .check = spec_check_resources),
        JSON_POINTER("seccomp", SpecLinux, seccomp, SpecSeccomp, spec_seccomp_fields, .check = spec_check_seccomp,
                     HELPER("seccomp; refused if it forbids execve(2)")),
        { .name = "rootfsPropagation", .read = read_propagation, HELPER("mount_setattr, of the root") },
        JSON_STRINGS("maskedPaths", SpecLinux, masked_paths, .never_null = true, .absolute = true,
                     HELPER("mounts /dev/null or an empty directory over it")),
        JSON_STRINGS("readonlyPaths", SpecLinux, readonly_paths, .never_null = true, .absolute = true,
                     HELPER("mount_setattr of a bind mount")),
        JSON_STRING("mountLabel", SpecLinux, mount_label, HELPER("fsconfig; a warning without SELinux")),
        JSON_MAP("sysctl", SpecLinux, sysctl, n_sysctl, SpecKeyValue, NULL, HELPER("sys/* in /proc")),
        JSON_POINTER("intelRdt", SpecLinux, intel_rdt, SpecIntelRdt, intel_rdt_fields),
        JSON_POINTER("memoryPolicy", SpecLinux, memory_policy, SpecMemoryPolicy, memory_policy_fields,
                     .check = check_memory_policy, HELPER("set_mempolicy")),
        JSON_INLINE("personality", personality_fields),
        {}
};
