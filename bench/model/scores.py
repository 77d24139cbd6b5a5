"""How good predictions are: errors, rank correlation, regret, interval coverage."""

import math


def mean(values):
    values = list(values)
    if not values:
        raise ValueError("the mean of nothing")
    return sum(values) / len(values)


def relative_errors(measured, predicted):
    """Signed, relative to what was measured."""
    return [p / m - 1 for m, p in zip(measured, predicted, strict=True)]


def mean_absolute_error(measured, predicted):
    return mean(abs(error) for error in relative_errors(measured, predicted))


def log_deviation(measured, predicted):
    """Standard deviation of ln(predicted / measured) about zero: bias counts as error."""
    return math.sqrt(mean(math.log(p / m) ** 2 for m, p in zip(measured, predicted, strict=True)))


def ranks(values):
    """1 for the smallest; equal values share the mean of their places."""
    order = sorted(range(len(values)), key=values.__getitem__)
    result = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in range(first, last + 1):
            result[order[place]] = (first + last) / 2 + 1
        first = last + 1
    return result


def spearman(a, b):
    """Pearson's correlation of the ranks; None where either side is all ties: nothing is ranked."""
    if len(a) != len(b):
        raise ValueError("two series of unequal length")
    x, y = ranks(a), ranks(b)
    mean_x, mean_y = mean(x), mean(y)
    covariance = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y))
    spread = math.sqrt(sum((p - mean_x) ** 2 for p in x) * sum((q - mean_y) ** 2 for q in y))
    return covariance / spread if spread else None


def regret(measured, predicted):
    """What the pick loses against the best, as a share of the best.

    The pick is what is predicted highest; among equals the expected loss of picking at random, so
    that a model which cannot rank is neither rewarded nor punished for the order of a list.
    """
    highest, best = max(predicted), max(measured)
    picks = [m for m, p in zip(measured, predicted, strict=True) if p == highest]
    return 1 - mean(picks) / best


def coverage(measured, intervals):
    """The share of measured values inside their (low, high), bounds included."""
    return mean(low <= m <= high for m, (low, high) in zip(measured, intervals, strict=True))


def bare_interval(predicted, sigma, z=1.2816):
    """80 % around a log-normal prediction unless told otherwise."""
    spread = math.exp(z * sigma)
    return predicted / spread, predicted * spread


def left_out_coverage(measured, predicted):
    """Of 80 % intervals, each as wide as the log deviation of all other settings says.

    None below three settings: there is nothing to learn a width from.
    """
    if len(measured) < 3:
        return None
    intervals = []
    for i, value in enumerate(predicted):
        others = [j for j in range(len(predicted)) if j != i]
        width = log_deviation([measured[j] for j in others], [predicted[j] for j in others])
        intervals.append(bare_interval(value, width))
    return coverage(measured, intervals)


class LearnedSpread:
    """The model's own error (standard deviation of the log residual), learned as outcomes come in.

    Starts at `prior` worth `weight` outcomes. What a prediction's ensemble already spreads is taken
    out of its residual, so that the two add up.
    """

    def __init__(self, prior=0.09, weight=1.0):
        self.sum, self.weight = prior * prior * weight, weight

    def sigma(self):
        return math.sqrt(self.sum / self.weight)

    def interval(self, predicted, ensemble_sigma):
        return bare_interval(predicted, math.hypot(ensemble_sigma, self.sigma()))

    def learn(self, measured, predicted, ensemble_sigma):
        residual = math.log(measured / predicted)
        self.sum += max(0.0, residual * residual - ensemble_sigma * ensemble_sigma)
        self.weight += 1
