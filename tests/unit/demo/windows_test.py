#!/usr/bin/env python3
"""The demo's window arithmetic: subtraction of counters, percentiles of bucket differences."""

import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench"))
import windows  # noqa: E402

PRINT_BUCKETS = sys.argv.pop(1)


def snapshot(time_s, user_bytes, keys, stall_s, put, pending, cycles):
    return {
        "time_s": time_s,
        "counters": {
            "user_bytes": user_bytes, "keys_written": keys, "stall_seconds": stall_s,
            "wal_bytes": 0, "flush_write_bytes": user_bytes / 2, "compaction_write_bytes": user_bytes,
        },
        "state": {"l0_compactions_completed": cycles},
        "families": [
            {
                "pending_compaction_bytes": pending,
                "levels": [{"files": 3, "size_bytes": 10}, {"files": 1, "size_bytes": 20}],
            }
        ],
        "put_latency": put,
        "write_stall": [],
    }


class Windows(unittest.TestCase):
    def test_buckets_are_those_of_the_model(self):
        printed = subprocess.run([PRINT_BUCKETS], capture_output=True, text=True, check=True).stdout
        bounds = [int(line) for line in printed.split()]
        self.assertGreater(len(bounds), 1000)
        self.assertEqual(bounds, [windows.bucket_upper_us(b) for b in range(len(bounds))])

    def test_rates_are_differences(self):
        # 3000 B and 3 keys in 2 s, 1 s of it stalled; (1500 + 3000) / 3000 = 1.5 written per byte.
        measured = windows.measure(
            [snapshot(1, 1000, 1, 0.5, [10, 5], 7, 1), snapshot(3, 4000, 4, 1.5, [10, 5, 70, 5], 9, 4)]
        )
        self.assertEqual(measured["put_bytes_per_s"], 1500)
        self.assertEqual(measured["put_ops_per_s"], 1.5)
        self.assertEqual(measured["stall_share"], 0.5)
        self.assertEqual(measured["write_amplification"], 1.5)
        self.assertEqual(measured["l0_compactions"], 3)
        self.assertEqual(measured["pending_bytes_at_start"], 7)
        self.assertEqual(measured["pending_bytes"], 9)
        self.assertEqual(measured["tree_bytes"], 30)
        # Only what the window added counts: five observations in bucket 70, none in bucket 10.
        self.assertEqual(measured["put_p50_s"], windows.bucket_upper_us(70) / 1e6)

    def test_quantiles(self):
        histogram = {1: 90, 2: 9, 3: 1}
        self.assertEqual(windows.quantile_s(histogram, 0.9), 1e-6)
        self.assertEqual(windows.quantile_s(histogram, 0.99), 2e-6)
        self.assertEqual(windows.quantile_s(histogram, 0.999), 3e-6)
        self.assertEqual(windows.quantile_s({}, 0.5), 0)
        self.assertEqual(windows.maximum_s(histogram), 3e-6)


if __name__ == "__main__":
    unittest.main()
