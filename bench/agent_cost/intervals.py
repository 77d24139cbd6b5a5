"""95 % intervals of paired log ratios.

Student's t, and Wilcoxon's signed ranks for a machine that others use too. Standard library only.
"""

import math


def _t_density(x, freedom):
    log_scale = (
        math.lgamma((freedom + 1) / 2)
        - math.lgamma(freedom / 2)
        - 0.5 * math.log(freedom * math.pi)
    )
    return math.exp(log_scale - (freedom + 1) / 2 * math.log1p(x * x / freedom))


def t_two_sided_95(freedom):
    """The t value that leaves 2.5 % above it. Simpson's rule from 0, then bisection."""

    def above_zero(upper):
        steps = 400
        width = upper / steps
        total = _t_density(0, freedom) + _t_density(upper, freedom)
        for i in range(1, steps):
            total += _t_density(i * width, freedom) * (4 if i % 2 else 2)
        return total * width / 3

    low, high = 0.0, 1.0
    while above_zero(high) < 0.475 and high < 1e6:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        if above_zero(middle) < 0.475:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_interval(pairs):
    """`pairs` of (with, without), both positive -> ratio, low, high of the geometric mean."""
    logs = [math.log(a / b) for a, b in pairs]
    count = len(logs)
    mean = sum(logs) / count
    if count < 2:
        return math.exp(mean), 0.0, math.inf
    variance = sum((x - mean) ** 2 for x in logs) / (count - 1)
    half = t_two_sided_95(count - 1) * math.sqrt(variance / count)
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def wilcoxon_interval(pairs):
    """The same by Hodges and Lehmann: the median of all pairwise means, with the interval of the
    signed-rank test (normal approximation). A few disturbed runs hardly move it. Needs 6 pairs."""
    logs = [math.log(a / b) for a, b in pairs]
    count = len(logs)
    means = sorted((logs[i] + logs[j]) / 2 for i in range(count) for j in range(i, count))
    middle = (means[(len(means) - 1) // 2] + means[len(means) // 2]) / 2
    if count < 6:
        return math.exp(middle), 0.0, math.inf
    spread = math.sqrt(count * (count + 1) * (2 * count + 1) / 24)
    rank = int(count * (count + 1) / 4 - 1.959964 * spread)
    return math.exp(middle), math.exp(means[rank]), math.exp(means[-1 - rank])


INTERVALS = {"t": t_interval, "wilcoxon": wilcoxon_interval}
