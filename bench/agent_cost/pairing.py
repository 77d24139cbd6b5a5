"""Which runs are compared with each other, on which cores, and what a counted pair is.

No clock, no processes. Standard library only.
"""

import math
import os

FIGURES = ("puts_per_s", "cpu_s_per_put")


def allowed_cores():
    """Cores that this process may use, or none where the system does not tell."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return sorted(os.sched_getaffinity(0))


def siblings_of(core):
    """Cores that share their execution units with `core`, itself among them."""
    path = f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list"
    try:
        with open(path, encoding="ascii") as file:
            text = file.read()
        return cores_of(text)
    except (OSError, ValueError):
        return {core}


def cores_of(text):
    """The kernel's list notation: "0-2,8" -> {0, 1, 2, 8}."""
    cores = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        cores.update(range(int(first), int(last or first) + 1))
    return cores


def choose_cores(allowed, siblings=siblings_of):
    """Two of `allowed`, on different physical cores where there are such; None with fewer."""
    if len(allowed) < 2:
        return None
    first = allowed[0]
    apart = [core for core in allowed[1:] if core not in siblings(first)]
    return first, (apart or allowed[1:])[0]


def swapped_schedule(variant, cores, rng):
    """The two concurrent runs of a pair: [{variant: core, "none": core}, the same swapped]."""
    placed = [
        [("none", cores[0]), (variant, cores[1])],
        [("none", cores[1]), (variant, cores[0])],
    ]
    rng.shuffle(placed)
    return placed


def geometric_mean(values):
    return math.exp(sum(math.log(value) for value in values) / len(values))


def pair_of(with_agent, without):
    """One counted pair from the runs of each side, alike in number.

    The geometric mean: what a core, or the order, multiplies both sides by cancels in their ratio.
    """
    if len(with_agent) != len(without) or not without:
        raise ValueError("a pair has as many runs with the agent as without")
    return {
        side: {figure: geometric_mean([run[figure] for run in runs]) for figure in FIGURES}
        for side, runs in (("with", with_agent), ("without", without))
    }
