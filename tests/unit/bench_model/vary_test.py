#!/usr/bin/env python3
"""Series in which one parameter varies, their errors and elasticities; and the kept page."""

import json
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench" / "model"))
import settings  # noqa: E402
import vary  # noqa: E402


def row(name, measured, predicted, scenario="a"):
    return {"name": name, "group": "one_slot", "scenario": scenario, "runs": 1,
            "measured": measured, "predicted": {"files": predicted}}


SETTINGS = {
    name: {"options": {**settings.COMMON, **change}}
    for name, change in {
        "base": {},
        "w16": {"write_buffer_size": 16 << 20},
        "w64": {"write_buffer_size": 64 << 20},
        "w64_n4": {"write_buffer_size": 64 << 20, "max_write_buffer_number": 4},
        "l0": dict(zip(settings.L0, (8, 20, 36))),
    }.items()
}


def analyse(rows):
    return vary.analyse({"repeat_noise": 0.02, "rows": rows}, SETTINGS.__getitem__)


class OneParameter(unittest.TestCase):
    def test_rates_by_value_with_errors_and_elasticity(self):
        # S = x^0.5 measured; predicted as x^0.25 from the same start.
        entry = analyse([row("w64", 40, 20), row("base", 10, 10), row("w16", 20, 14.1421356)])[0]
        self.assertEqual(entry["knob"], "write_buffer_size")
        self.assertEqual([point["value"] for point in entry["points"]], [4 << 20, 16 << 20, 64 << 20])
        for point, error in zip(entry["points"], (0, 0.707107 - 1, -0.5)):
            self.assertAlmostEqual(point["error"]["files"], error, places=5)
        self.assertAlmostEqual(entry["elasticity"]["measured"], 0.5)
        self.assertAlmostEqual(entry["predicted_elasticity"]["files"], 0.25, places=5)
        # On the line, the repeats' noise is all: 0.02 / sqrt(sum (x - mean)^2) = 0.02 / (ln 4 sqrt 2).
        self.assertAlmostEqual(entry["elasticity"]["standard_error"], 0.02 / (1.3862944 * 2**0.5))

    def test_scatter_widens_the_error(self):
        entry = analyse([row("base", 10, 10), row("w16", 40, 14), row("w64", 40, 20)])[0]
        self.assertGreater(entry["elasticity"]["standard_error"], 0.1)

    def test_what_else_differs_is_another_series(self):
        entries = analyse([row("base", 10, 10), row("w16", 20, 20), row("w64_n4", 40, 40)])
        self.assertEqual([[p["setting"] for p in e["points"]] for e in entries], [["base", "w16"]])
        self.assertEqual(analyse([row("base", 10, 10), row("w16", 20, 20, "b")]), [])

    def test_the_three_l0_triggers_are_one(self):
        entry = analyse([row("base", 10, 10), row("l0", 11, 11)])[0]
        self.assertEqual(entry["knob"], vary.L0_TRIGGERS)
        self.assertIn("8/20/36", vary.page([entry]))


class ThePage(unittest.TestCase):
    def test_is_what_the_kept_measurements_give(self):
        with open(ROOT / "docs/results/model/model.json", encoding="utf-8") as file:
            made = vary.page(vary.analyse(json.load(file)))
        self.assertEqual(made, (ROOT / "docs/results/model-by-knob.md").read_text(encoding="utf-8"))
        for knob in ("write_buffer_size", "max_bytes_for_level_base", "L0 triggers"):
            self.assertIn(f"## {knob}: d24 v1024 overwrite", made)


if __name__ == "__main__":
    unittest.main()
