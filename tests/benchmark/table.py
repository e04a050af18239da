# SPDX-License-Identifier: LGPL-2.1-or-later
"""The results, for people."""

BACK_TO_BACK, RATE, CPU, MEMORY = ", back to back", "containers a second, ", "CPU of ", "memory of "
GROUPS = [
    ("milliseconds, 50 ms apart", lambda name: _is_time(name) and BACK_TO_BACK not in name),
    ("milliseconds, back to back", lambda name: _is_time(name) and BACK_TO_BACK in name),
    ("containers a second", lambda name: name.startswith(RATE)),
    ("CPU, milliseconds", lambda name: name.startswith(CPU)),
    ("memory, MiB", lambda name: name.startswith(MEMORY)),
]


def _is_time(name):
    return not name.startswith((RATE, CPU, MEMORY))


def markdown(results):
    results = dict(results)
    machine = results.pop("machine")
    return "\n".join([_sentence(machine), *(
        line for title, belongs in GROUPS
        for line in _table(title, {k: v for k, v in results.items() if belongs(k)}))])


def _sentence(machine):
    kind = {"vm": "virtual machine", "namespace": "machine of namespaces"}[machine["kind"]]
    return ("How many times better this runtime is than another is in the last columns.\n"
            f"{machine['system']} in a {kind}: systemd {machine['systemd']}, Linux "
            f"{machine['kernel']}, {machine['cpus']} × {machine['cpu']}; "
            f"{', '.join(machine['runtimes'])}.")


def _table(title, rows):
    ours, *others = next(iter(rows.values()))
    yield ""
    yield f"| {title} | {ours} | " + " | ".join(
        [*others, *(f"than {other}" for other in others)]) + " |"
    yield "|-|" + "-:|" * (1 + 2 * len(others))
    for name, values in rows.items():
        cells = [_plain(name), *(f"{values[runtime]:.1f}" for runtime in (ours, *others))]
        cells += [f"{_times_better(name, values[ours], values[other])} ×" for other in others]
        yield f"| {' | '.join(cells)} |"


def _times_better(name, ours, theirs):
    ratio = ours / theirs if name.startswith(RATE) else theirs / ours
    return f"{ratio:.1f}"


def _plain(name):
    for part in (BACK_TO_BACK, RATE, CPU, MEMORY, " (MiB)"):
        name = name.replace(part, "")
    return name
