# SPDX-License-Identifier: LGPL-2.1-or-later
"""Names that would be something else than a name: ids, cgroupsPath, annotations, sysctls, users."""

IDS = ["", ".", "..", "../x", "a/b", "/abs", "a\nb", "a b", "a@b", "a%n", "%s%s%s", "a:b", "a\\x2fb",
       "-x", "--help=x", "x" * 201, "x" * 5000, "ä", "a\tb", "a*", "$(id)", "a;b", "~", ".hidden",
       "a\x7f"]

# None: taken as a name; anything else in the error.
CGROUPS_PATHS = [
    ("system.slice:sshd.service:", "linux.cgroupsPath"), ("system.slice:a:b.slice",
                                                          "linux.cgroupsPath"),
    ("system.slice:a:b.service", "linux.cgroupsPath"), ("a:b:c:d", "linux.cgroupsPath"),
    ("::", "linux.cgroupsPath"), (":", "linux.cgroupsPath"), ("../../x", "linux.cgroupsPath"),
    ("/../x", "linux.cgroupsPath"), ("-.slice:a:b", "linux.cgroupsPath"),
    ("-x.slice:a:b", "linux.cgroupsPath"), ("a--b.slice:a:b", "linux.cgroupsPath"),
    ("a-.slice:a:b", "linux.cgroupsPath"), ("x.service:a:b", "linux.cgroupsPath"),
    ("x:a:b", "linux.cgroupsPath"), ("../x.slice:a:b", "linux.cgroupsPath"),
    ("a/b.slice:a:b", "linux.cgroupsPath"), ("a\nb.slice:a:b", "linux.cgroupsPath"),
    ("system.slice::init", "linux.cgroupsPath"), ("x" * 300 + ".slice:a:b", "linux.cgroupsPath"),
    ("system.slice:a:../../x", None), ("system.slice:a:b@c", None), ("system.slice:%n:$HOME", None),
    ("system.slice:a:" + "y" * 300, None), ("system.slice:a\nb:c d", None),
]

PREFIX = "org.systemd.property."
# Properties as good as root on the host, and values that are none.
ANNOTATIONS = [
    ("Slice", "'-.slice'"), ("Delegate", "false"), ("PIDs", "[uint32 1]"), ("PIDFDs", "[0]"),
    ("DeviceAllow", "[('/dev/mem', 'rwm')]"), ("DevicePolicy", "'auto'"),
    ("BPFProgram", "[('device', '/x')]"), ("IPAddressDeny", "'any'"), ("OnFailure", "['x.service']"),
    ("OnSuccess", "['reboot.target']"), ("Requires", "['x.service']"), ("Wants", "['x.service']"),
    ("BindsTo", "['x.service']"), ("PropagatesStopTo", "['x.service']"),
    ("Conflicts", "['sshd.service']"), ("SuccessAction", "'reboot'"), ("FailureAction", "'reboot'"),
    ("User", "'root'"), ("Group", "'root'"), ("RuntimeRandomizedExtraUSec", "uint64 1"), ("Controller", "':1.1'"),
    ("Before", "['sshd.service']"), ("NoSuchProperty", "1"), ("", "1"), ("a b", "1"),
    ("TimeoutStopUSec", "'soon'"), ("TimeoutStopUSec", "uint64"), ("TimeoutStopUSec", "-1"),
    ("TimeoutStopUSec", "(" * 10000), ("KillSignal", "0"), ("KillSignal", "99"),
    ("Description", "'a\nb'"), ("Description", "'" + "x" * 5000 + "'"), ("Description", "'open"),
    ("After", "'../x.service'"), ("After", "a.service -x"), ("After", "['../x']"), ("CollectMode", "'nosuch'"),
]

SYSCTLS = ["kernel.core_pattern", "kernel/core_pattern", "net/../kernel/core_pattern",
           "net.ipv4.../../../kernel/core_pattern", "kernel/shm_rmid_forced\nkernel/core_pattern",
           "vm.overcommit_memory", "fs.file-max", "fs.mqueue/../file-max", "kernel.hostname", "",
           ".", "/", "..", "net", "net//", "/net/ipv4/ip_forward", "net.", "kernel.sysrq",
           "kernel.panic=1", "user.max_user_namespaces", "net.ipv4.nosuch"]

# What exec --user says, and the uid and gid that the program then has; None: an error.
USERS = [("0", "0 0"), ("1", "1 0"), ("1:2", "1 2"), ("4294967294", "4294967294 0"), ("0x1", None),
         (" 1", None), ("1 ", None), ("+1", None), ("-1", None), ("4294967295", None),
         ("4294967296", None), ("18446744073709551616", None), ("1:", None), (":1", None),
         ("", None), (":", None), ("root", None), ("1a", None), ("1:x", None), ("1:2:3", None),
         ("1\n", None), ("01", "1 0"), ("1.0", None), ("1:-1", None), ("1:4294967295", None)]
