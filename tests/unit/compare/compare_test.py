#!/usr/bin/env python3
"""What of the comparison needs no database: plan, resuming, search space, summary."""

import argparse
import json
import os
import pathlib
import random
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[3] / "bench"
sys.path[:0] = [str(BENCH / "compare"), str(BENCH)]
import cell as cells  # noqa: E402
import main  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
import search  # noqa: E402

MIB = plan.MIB


def parsed(raw="", **changes):
    values = {
        "scenarios": ["overwrite"], "arms": list(plan.ARMS), "budgets": [128, 256], "rounds": 3,
        "seconds": 420, "raw": raw,
    }
    return argparse.Namespace(**{**values, **changes})


BEST = {"found": {"overwrite": {"128": {"options": {"write_buffer_size": 1}},
                                "256": {"options": {"write_buffer_size": 2}}}}}


def result(rate, stall=0.5, waited=0.0, trials=()):
    family = {
        "write_buffer_size": 4 * MIB, "max_write_buffer_number": 2,
        "level0_file_num_compaction_trigger": 4, "level0_slowdown_writes_trigger": 20,
        "level0_stop_writes_trigger": 36, "max_bytes_for_level_base": 16 * MIB,
        "max_bytes_for_level_multiplier": 10, "target_file_size_base": 2 * MIB,
    }
    return {
        "window": {
            "put_bytes_per_s": rate, "stall_share": stall, "worst_stall_s": 0.1,
            "write_amplification": 3.0, "put_p99_s": 0.001, "put_p999_s": 0.002, "put_max_s": 0.1,
            "end": {"pending_bytes": 5}, "seconds": 180, "l0_compactions": 3,
        },
        "failed_writes": 0, "trials": [{"status": status} for status in trials], "memory_bytes": 1,
        "cpu_wait_share": waited, "started": "2026-01-01T00:00:00Z", "parallel": 1, "limit": "x",
        "settings_end": {"database": {"max_background_jobs": 2}, "families": {"default": family}},
        "machine": {"cpu": "c", "cores": 2, "kernel": "k"},
        "device": {"write_bytes_per_s": 24 * MIB, "read_bytes_per_s": 48 * MIB},
        "cell": {"offered_bytes_per_s": 7.0},
    }


class Plan(unittest.TestCase):
    def test_rounds_begin_with_different_arms_and_hold_every_cell_once(self):
        wanted = main.saturating(parsed(), BEST)
        names = [cell.name for cell in wanted]
        self.assertEqual(len(names), len(set(names)))
        # defaults depends on no budget: one a round; four arms have one a budget.
        self.assertEqual(len(names), 3 * (1 + 4 * 2))
        starts = {number: next(c.arm for c in wanted if c.round == number) for number in (1, 2, 3)}
        self.assertEqual(len(set(starts.values())), 3)

    def test_best_is_left_out_until_it_was_searched(self):
        self.assertFalse([c for c in main.saturating(parsed(), {}) if c.arm == "best"])
        best = [c for c in main.saturating(parsed(), BEST) if c.arm == "best"]
        self.assertEqual({c.options["write_buffer_size"] for c in best}, {1, 2})

    def test_every_arm_is_held_to_the_budget(self):
        for name, arm in plan.ARMS.items():
            text = plan.configuration(arm, 128 * MIB, "/db")
            self.assertIn(f"memory_budget = {128 * MIB}", text, name)
        self.assertIn("verify = false", plan.configuration(plan.ARMS["rules"], 1, "/db"))

    def test_the_offered_rate_stays_when_more_rounds_come(self):
        with tempfile.TemporaryDirectory() as raw:
            cell = next(c for c in main.saturating(parsed(), BEST) if c.arm == "model")
            done = [(cell, result(rate)) for rate in (10e6, 20e6, 30e6)]
            rates = main.offered_rates(parsed(raw, budgets=[cell.budget_mib]), done)
            self.assertEqual(rates["overwrite"][str(cell.budget_mib)], 18_000_000)
            again = main.offered_rates(
                parsed(raw, budgets=[cell.budget_mib]), [(cell, result(99e6))] * 3
            )
            self.assertEqual(again, rates)

    def test_no_paced_load_before_all_rounds_are_done(self):
        with tempfile.TemporaryDirectory() as raw:
            cell = next(c for c in main.saturating(parsed(), BEST) if c.arm == "model")
            rates = main.offered_rates(parsed(raw), [(cell, result(1e6))] * 2)
            self.assertEqual(main.paced(parsed(), rates, BEST), [])


class Resume(unittest.TestCase):
    def store(self, raw, cell):
        os.makedirs(f"{raw}/{cell.name}")
        with open(f"{raw}/{cell.name}/cell.json", "w", encoding="utf-8") as file:
            json.dump({"cell": cell.identity()}, file)

    def test_a_cell_that_is_done_is_found_and_a_changed_one_is_not(self):
        with tempfile.TemporaryDirectory() as raw:
            cell = main.saturating(parsed(), BEST)[0]
            self.assertIsNone(cells.load_done(raw, cell))
            self.store(raw, cell)
            self.assertIsNotNone(cells.load_done(raw, cell))
            longer = main.saturating(parsed(seconds=421), BEST)[0]
            self.assertEqual(longer.name, cell.name)
            self.assertIsNone(cells.load_done(raw, longer))

    def test_a_new_winner_of_the_search_makes_its_cells_anew(self):
        with tempfile.TemporaryDirectory() as raw:
            cell = next(c for c in main.saturating(parsed(), BEST) if c.arm == "best")
            self.store(raw, cell)
            other = json.loads(json.dumps(BEST))
            other["found"]["overwrite"][str(cell.budget_mib)]["options"]["write_buffer_size"] = 9
            again = next(c for c in main.saturating(parsed(), other) if c.name == cell.name)
            self.assertIsNone(cells.load_done(raw, again))


class Space(unittest.TestCase):
    def test_every_candidate_fits_and_is_ordered(self):
        for budget in (128 * MIB, 256 * MIB):
            rng = random.Random(1)
            options = search.sample(rng, budget)
            for _ in range(500):
                options = (
                    search.sample(rng, budget)
                    if rng.random() < 0.3
                    else search.mutated(rng, options, budget, 2.0)
                )
                self.assertLessEqual(search.memory(options), budget)
                self.assertLessEqual(
                    options["level0_file_num_compaction_trigger"],
                    options["level0_slowdown_writes_trigger"],
                )
                self.assertLess(
                    options["level0_slowdown_writes_trigger"], options["level0_stop_writes_trigger"]
                )
                self.assertLessEqual(
                    options["level0_slowdown_writes_trigger"], plan.POLICY["max_l0_files"]
                )
                for name, (low, high) in search.SPANS.items():
                    unit = MIB if name in search.SIZES else 1
                    self.assertTrue(low * unit <= options[name] <= high * unit, (name, options))

    def test_textbook_settings_fit(self):
        for budget in (128 * MIB, 256 * MIB):
            self.assertTrue(all(search.textbook(budget)))

    def test_measured_candidates_differ(self):
        rng = random.Random(2)
        ranked = [(1.0, search.sample(rng, 256 * MIB)) for _ in range(50)]
        chosen = search.apart(ranked + ranked, 6)
        self.assertEqual(len(chosen), 6)
        for i, (_, a) in enumerate(chosen):
            self.assertTrue(all(search.distance(a, b) >= search.FAR_APART for _, b in chosen[:i]))


class Summary(unittest.TestCase):
    def summary(self):
        wanted = main.saturating(parsed(), BEST)
        rates = {"defaults": 10, "rules": 18, "probe": 15, "model": 20, "best": 25}
        return report.summarise(
            [
                (c, result(rates[c.arm] * MIB * c.round, waited=0.5 * (c.arm == "rules")))
                for c in wanted
            ],
            BEST["found"],
        )

    def test_ratios_of_medians_and_of_rounds(self):
        group = self.summary()["groups"][0]
        self.assertEqual(group["arms"]["defaults"]["put_bytes_per_s"]["median"], 20 * MIB)
        over = group["model_over"]
        self.assertEqual(over["defaults"]["ratio"], 2)
        self.assertEqual(over["best"]["ratio"], 0.8)
        self.assertEqual((over["best"]["low"], over["best"]["high"]), (0.8, 0.8))

    def test_defaults_count_for_every_budget(self):
        groups = self.summary()["groups"]
        self.assertEqual([group["memory_budget_mib"] for group in groups], [128, 256])
        self.assertTrue(all("defaults" in group["arms"] for group in groups))

    def test_text_says_met_missed_and_starved(self):
        text = report.text(self.summary())
        self.assertIn("at least 2: met", text)
        self.assertIn("at least 0.93: missed", text)
        self.assertIn("rules (3)", text)

    def test_two_builds_in_one_summary_are_said(self):
        cells = [c for c in main.saturating(parsed(), BEST) if c.arm == "model"]
        mixed = [(c, {**result(1), "lsmtuned": f"build{c.round}"}) for c in cells]
        self.assertIn("3 different builds", report.text(report.summarise(mixed, None)))
        same = [(c, {**result(1), "lsmtuned": "build"}) for c in cells]
        self.assertNotIn("different builds", report.text(report.summarise(same, None)))

    def test_paced_group(self):
        rates = {"overwrite": {"128": 1, "256": 1}}
        paced = main.paced(parsed(), rates, BEST)
        self.assertEqual(len(paced), 2 * 2 * 3)
        summary = report.summarise(
            [(c, result(1, stall=0.8 if c.arm == "defaults" else 0.04)) for c in paced], None
        )
        group = summary["groups"][0]
        self.assertAlmostEqual(group["stall_time"]["reduction"], 0.95)
        self.assertIn("at least 0.9: met", report.text(summary))


if __name__ == "__main__":
    unittest.main()
