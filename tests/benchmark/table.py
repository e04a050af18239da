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
BESIDE_PEERS = "How many times better this runtime is than another is in the last columns."
BESIDE_A_BUILD = ("this/other is the ratio of the medians. Half of the ratios of single turns were between the "
                  "quartiles;\nwithout them is what was not measured in turn.")


def _is_time(name):
    return not name.startswith((RATE, CPU, MEMORY))


def markdown(results):
    results = dict(results)
    machine, quartiles = results.pop("machine"), results.pop("quartiles", None)
    compare = _beside_peers if quartiles is None else lambda *row: _beside_a_build(quartiles, *row)
    return "\n".join([BESIDE_PEERS if quartiles is None else BESIDE_A_BUILD, _sentence(machine), *(
        line for title, belongs in GROUPS
        for line in _table(title, {k: v for k, v in results.items() if belongs(k)}, compare))])


def _sentence(machine):
    kind = {"vm": "virtual machine", "namespace": "machine of namespaces"}[machine["kind"]]
    return (f"{machine['system']} in a {kind}: systemd {machine['systemd']}, Linux "
            f"{machine['kernel']}, {machine['cpus']} × {machine['cpu']}; "
            f"{', '.join(machine['runtimes'])}.")


def _table(title, rows, compare):
    """A row of each runtime's values, and of the columns that they are compared in."""
    lines = []
    for name, values in rows.items():
        compared = compare(name, values)
        if not lines:
            heads = [title, *values, *compared]
            lines = ["", f"| {' | '.join(heads)} |", "|-|" + "-:|" * (len(heads) - 1)]
        cells = [_plain(name), *(f"{value:.1f}" for value in values.values()), *compared.values()]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _beside_peers(name, values):
    ours, *others = values
    return {f"than {other}": f"{_times_better(name, values[ours], values[other])} ×" for other in others}


def _times_better(name, ours, theirs):
    ratio = ours / theirs if name.startswith(RATE) else theirs / ours
    return f"{ratio:.1f}"


def _beside_a_build(quartiles, name, values):
    found = quartiles.get(name)
    return {"this/other": f"{values['this'] / values['other']:.2f}",
            "quartiles": f"{found[0]:.2f}–{found[1]:.2f}" if found else ""}


def _plain(name):
    for part in (BACK_TO_BACK, RATE, CPU, MEMORY, " (MiB)"):
        name = name.replace(part, "")
    return name
