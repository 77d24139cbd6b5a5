#!/usr/bin/env python3
"""Pairs and intervals of bench/agent_cost: what must cancel cancels, and a known loss is found."""

import math
import pathlib
import random
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench" / "agent_cost"))
import intervals  # noqa: E402
import pairing  # noqa: E402


def run(puts_per_s, cpu_s_per_put=1e-6):
    return {"puts_per_s": puts_per_s, "cpu_s_per_put": cpu_s_per_put}


class Pairs(unittest.TestCase):
    def test_a_slower_core_cancels(self):
        # Core 0 runs at full speed, core 1 at 0.7 of it; the agent costs 2 %, on each core once.
        pair = pairing.pair_of(
            [run(0.98e6 * 0.7, 1.02e-6 / 0.7), run(0.98e6, 1.02e-6)],
            [run(1e6, 1e-6), run(1e6 * 0.7, 1e-6 / 0.7)],
        )
        ratio = pair["with"]["puts_per_s"] / pair["without"]["puts_per_s"]
        self.assertAlmostEqual(ratio, 0.98, places=12)
        cpu = pair["with"]["cpu_s_per_put"] / pair["without"]["cpu_s_per_put"]
        self.assertAlmostEqual(cpu, 1.02, places=12)

    def test_a_poller_that_stays_on_one_core_cancels(self):
        # It takes 3 % of core 0, where none runs first and the variant after the swap.
        pair = pairing.pair_of([run(0.99e6), run(0.99e6 * 0.97)], [run(1e6 * 0.97), run(1e6)])
        ratio = pair["with"]["puts_per_s"] / pair["without"]["puts_per_s"]
        self.assertAlmostEqual(ratio, 0.99, places=12)

    def test_a_single_run_is_its_own_mean(self):
        pair = pairing.pair_of([run(9.0, 2.0)], [run(10.0, 1.0)])
        self.assertAlmostEqual(pair["with"]["puts_per_s"], 9.0)
        self.assertAlmostEqual(pair["without"]["cpu_s_per_put"], 1.0)

    def test_sides_of_unlike_size_are_refused(self):
        with self.assertRaises(ValueError):
            pairing.pair_of([run(1.0)], [run(1.0), run(1.0)])
        with self.assertRaises(ValueError):
            pairing.pair_of([], [])

    def test_both_sides_visit_both_cores(self):
        first = set()
        for seed in range(20):
            schedule = pairing.swapped_schedule("counters", (3, 5), random.Random(seed))
            self.assertEqual(sorted(core for side, core in sum(schedule, []) if side == "none"),
                             [3, 5])
            for placed in schedule:
                self.assertEqual({side for side, _ in placed}, {"none", "counters"})
                self.assertEqual({core for _, core in placed}, {3, 5})
            first.add(schedule[0][0][1])
        self.assertEqual(first, {3, 5}, "which comes first is drawn")


class Cores(unittest.TestCase):
    def test_list_notation(self):
        self.assertEqual(pairing.cores_of("0-2,8\n"), {0, 1, 2, 8})
        self.assertEqual(pairing.cores_of("7"), {7})

    def test_physical_cores_are_preferred(self):
        siblings = {0: {0, 1}, 1: {0, 1}, 2: {2, 3}, 3: {2, 3}}.get
        self.assertEqual(pairing.choose_cores([0, 1, 2, 3], siblings), (0, 2))
        self.assertEqual(pairing.choose_cores([0, 1], siblings), (0, 1))
        self.assertIsNone(pairing.choose_cores([2], siblings))
        self.assertIsNone(pairing.choose_cores([], siblings))


class Intervals(unittest.TestCase):
    def test_a_known_loss_is_inside(self):
        noise = random.Random(7)
        pairs = []
        for _ in range(200):
            common = math.exp(noise.gauss(0, 0.3))  # the machine's, in both
            pairs.append((0.99 * common * math.exp(noise.gauss(0, 0.01)), common))
        for name, interval in intervals.INTERVALS.items():
            ratio, low, high = interval(pairs)
            self.assertTrue(low < 0.99 < high, name)
            self.assertLess(high - low, 0.006, name)
            self.assertTrue(low < ratio < high, name)

    def test_t_value(self):
        self.assertAlmostEqual(intervals.t_two_sided_95(10), 2.228, places=3)
        self.assertAlmostEqual(intervals.t_two_sided_95(99), 1.984, places=3)


if __name__ == "__main__":
    unittest.main()
