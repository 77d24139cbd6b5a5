#!/usr/bin/env python3
"""The exact files of a tree from ldb's and sst_dump's output."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench" / "model"))
import problem  # noqa: E402
import settings  # noqa: E402
import tree  # noqa: E402

MANIFEST = """\
--- level 0 --- version# 1 ---
 84:1699323[98385 .. 100000]['00000000000000003030303030303030' seq:99014, type:1 .. '000000000000C3503030303030303030' seq:99730, type:1]
--- level 1 --- version# 1 ---
--- level 2 --- version# 1 ---
 47:2111559[0 .. 0]['00000000000061A83030303030303030' seq:0, type:1 .. '00000000000186A03030303030303030' seq:0, type:1]
--- level 3 --- version# 1 ---
"""


class Tree(unittest.TestCase):
    def test_reads_levels_sizes_and_key_bounds(self):
        files = tree.parse_manifest(MANIFEST, 200_000)
        self.assertEqual([(f["number"], f["level"], f["bytes"]) for f in files],
                         [(84, 0, 1699323), (47, 2, 2111559)])
        self.assertEqual((files[0]["low"], files[0]["high"]), (0, 0.25))
        self.assertEqual((files[1]["low"], files[1]["high"]), (0.125, 0.5))

    def test_reads_entries_by_file(self):
        text = "Process /x/000084.sst\n  # entries: 1600\nProcess 000047.sst\n  # entries: 2000\n"
        self.assertEqual(tree.parse_entries(text), {84: 1600, 47: 2000})

    def test_sums_levels_and_keeps_empty_ones(self):
        files = tree.parse_manifest(MANIFEST, 200_000)
        for file in files:
            file["entries"] = 10
        self.assertEqual([level["files"] for level in tree.levels_of(files)], [1, 0, 1])
        shapes = problem.level_shapes(files)
        self.assertEqual([len(level["ranges"]) for level in shapes], [1, 0, 1])
        self.assertEqual(shapes[2]["ranges"][0],
                         {"low": 0.125, "high": 0.5, "records": 10, "bytes": 2111559})


class Settings(unittest.TestCase):
    def test_names_are_unique_and_calibration_is_among_them(self):
        names = [one["name"] for one in settings.RUNS]
        self.assertEqual(len(names), len(set(names)))
        self.assertTrue(set(settings.CALIBRATION) <= set(names))

    def test_every_setting_is_one_that_rocksdb_takes(self):
        for one in settings.RUNS:
            options = one["options"]
            trigger, slowdown, stop = (options[name] for name in settings.L0)
            self.assertTrue(trigger <= slowdown <= stop, one["name"])
            self.assertLessEqual(options["soft_pending_compaction_bytes_limit"],
                                 options["hard_pending_compaction_bytes_limit"], one["name"])

    def test_there_are_enough_device_bound_one_slot_settings(self):
        device_bound = [one for one in settings.RUNS if one["group"] == "one_slot"]
        self.assertGreaterEqual(len(device_bound), 26)
        self.assertTrue(all(one["options"]["max_background_jobs"] == 2 for one in device_bound))
        self.assertEqual({one["benchmark"] for one in device_bound}, {"overwrite", "fillrandom"})


if __name__ == "__main__":
    unittest.main()
