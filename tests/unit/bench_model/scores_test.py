#!/usr/bin/env python3
"""Errors, rank correlation with ties, regret, coverage, the learned spread."""

import math
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench" / "model"))
import scores  # noqa: E402


class Errors(unittest.TestCase):
    def test_are_relative_to_the_measured_value_and_signed(self):
        self.assertEqual(scores.relative_errors([100, 200], [110, 150]), [110 / 100 - 1, -0.25])
        self.assertAlmostEqual(scores.mean_absolute_error([100, 200], [110, 150]), 0.175)

    def test_the_log_deviation_counts_bias(self):
        self.assertAlmostEqual(scores.log_deviation([1, 1], [math.exp(0.1), math.exp(0.1)]), 0.1)

    def test_series_of_unequal_length_are_refused(self):
        with self.assertRaises(ValueError):
            scores.mean_absolute_error([1, 2], [1])
        with self.assertRaises(ValueError):
            scores.spearman([1, 2], [1])
        with self.assertRaises(ValueError):
            scores.mean([])


class Ranks(unittest.TestCase):
    def test_equal_values_share_the_mean_of_their_places(self):
        self.assertEqual(scores.ranks([10, 30, 20, 20]), [1, 4, 2.5, 2.5])
        self.assertEqual(scores.ranks([5, 5, 5]), [2, 2, 2])

    def test_spearman_follows_order_not_size(self):
        self.assertAlmostEqual(scores.spearman([1, 2, 3, 4], [1, 10, 100, 1000]), 1)
        self.assertAlmostEqual(scores.spearman([1, 2, 3, 4], [4, 3, 2, 1]), -1)

    def test_spearman_without_ties_agrees_with_the_textbook_formula(self):
        a, b = [1, 2, 3, 4, 5], [2, 1, 4, 3, 5]  # sum of d^2 = 4, n = 5: 1 - 6*4/(5*24) = 0.8
        self.assertAlmostEqual(scores.spearman(a, b), 0.8)

    def test_spearman_with_ties_is_pearsons_of_the_mean_ranks(self):
        # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, spreads 4.5 and 5.
        self.assertAlmostEqual(scores.spearman([1, 2, 2, 3], [1, 2, 3, 4]), 4.5 / math.sqrt(4.5 * 5))

    def test_a_constant_ranks_nothing(self):
        self.assertIsNone(scores.spearman([1, 2, 3], [7, 7, 7]))


class Regret(unittest.TestCase):
    def test_is_nothing_for_the_best_pick(self):
        self.assertEqual(scores.regret([5, 9, 7], [1, 3, 2]), 0)

    def test_is_what_the_pick_loses_against_the_best(self):
        self.assertAlmostEqual(scores.regret([5, 8, 10], [1, 3, 2]), 0.2)

    def test_a_constant_picks_at_random(self):
        self.assertAlmostEqual(scores.regret([5, 10, 0], [1, 1, 1]), 0.5)


class Intervals(unittest.TestCase):
    def test_coverage_counts_bounds_as_inside(self):
        self.assertAlmostEqual(scores.coverage([1, 2, 3, 4], [(1, 2), (3, 4), (2, 3), (0, 9)]), 0.75)

    def test_a_width_comes_from_the_other_settings(self):
        # The last is 4 times off; the others' width (0 to 0.1) cannot hold it, and its own error
        # makes their intervals wide.
        measured, predicted = [1.0, 1.0, 1.0, 4.0], [1.1, 0.9, 1.05, 1.0]
        self.assertEqual(scores.left_out_coverage(measured, predicted), 0.75)
        self.assertIsNone(scores.left_out_coverage([1, 2], [1, 2]))

    def test_the_spread_starts_at_its_prior_and_follows_outcomes(self):
        spread = scores.LearnedSpread(prior=0.1, weight=4)
        self.assertAlmostEqual(spread.sigma(), 0.1)
        for _ in range(1000):
            spread.learn(math.exp(0.3), 1.0, 0.0)
        self.assertAlmostEqual(spread.sigma(), 0.3, places=2)

    def test_what_the_ensemble_explains_is_not_learned_twice(self):
        spread = scores.LearnedSpread(prior=0.1, weight=4)
        for _ in range(1000):
            spread.learn(math.exp(0.3), 1.0, 0.3)
        self.assertLess(spread.sigma(), 0.01)

    def test_the_interval_is_symmetric_in_the_logarithm(self):
        low, high = scores.LearnedSpread(prior=0.1).interval(100, 0.0)
        self.assertAlmostEqual(low * high, 100 * 100)
        self.assertAlmostEqual(math.log(high / 100), 0.12816)


if __name__ == "__main__":
    unittest.main()
