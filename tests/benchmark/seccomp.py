# SPDX-License-Identifier: LGPL-2.1-or-later
"""An engine's seccomp profile, as it hands it to a runtime.

The profile knows capabilities and architectures; the linux.seccomp object of a
config.json is what is left of it for one container.
"""

ARCHITECTURES = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}


def resolve(profile, architecture, capabilities):
    """The linux.seccomp object for a container with the capabilities."""
    rules = [_rule(rule) for rule in profile["syscalls"]
             if _applies(rule, architecture, set(capabilities))]
    resolved = {"defaultAction": profile["defaultAction"],
                "architectures": _architectures(profile, architecture), "syscalls": rules}
    if profile.get("defaultErrnoRet") is not None:
        resolved["defaultErrnoRet"] = profile["defaultErrnoRet"]
    return resolved


def _applies(rule, architecture, capabilities):
    wanted, unwanted = rule.get("includes") or {}, rule.get("excludes") or {}
    return (capabilities.issuperset(wanted.get("caps", []))
            and capabilities.isdisjoint(unwanted.get("caps", []))
            and architecture in wanted.get("arches", [architecture])
            and architecture not in unwanted.get("arches", []))


def _rule(rule):
    kept = {name: rule[name] for name in ["names", "action", "errnoRet"] if name in rule}
    return kept | ({"args": rule["args"]} if rule.get("args") else {})


def _architectures(profile, architecture):
    native = ARCHITECTURES[architecture]
    for entry in profile["archMap"]:
        if entry["architecture"] == native:
            return [native, *entry["subArchitectures"]]
    return [native]
