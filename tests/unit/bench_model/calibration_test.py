#!/usr/bin/env python3
"""Constants from a run: only from the seconds that may be seen, and from what they really say."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench" / "model"))
import calibration  # noqa: E402
import problem  # noqa: E402
import settings  # noqa: E402

MIB = 1 << 20


def flush(start_s, end_s, file_bytes):
    return {"start_s": start_s, "end_s": end_s, "entries": 100, "file_entries": 100,
            "memory_bytes": 107_400, "file_bytes": file_bytes}


def job(start_s, end_s, written, cpu_s):
    return {"kind": "deeper", "start_s": start_s, "end_s": end_s, "written_bytes": written, "cpu_s": cpu_s}


class Log:
    """Counters that grow by fixed amounts a second; the rest as given."""

    per_second = {"rocksdb.flush.write.bytes": 6 * MIB, "rocksdb.compact.write.bytes": 17 * MIB,
                  "rocksdb.stall.micros": 900_000, "rocksdb.number.keys.written": 20_000}

    def __init__(self):
        self.flushes = [flush(1, 2, 105_500), flush(70, 71, 999_999)]
        self.jobs = [job(0, 10, 4 * MIB, 0.2), job(10.001, 20, 4 * MIB, 0.2), job(70, 90, MIB, 5.0)]

    def ticker_between(self, name, low_s, high_s):
        return self.per_second[name] * (high_s - low_s), high_s - low_s


RUN = {
    "seconds": 100,
    "user_bytes_per_put": 1040,
    "device": {"write_bytes_per_s": 24 * MIB, "read_bytes_per_s": 48 * MIB},
    "series": [{"time_s": second, "device_written_bytes": 23.5 * MIB * second} for second in range(101)],
}


class Observe(unittest.TestCase):
    def setUp(self):
        self.seen = calibration.observe(RUN, Log(), until_s=60)

    def test_sees_nothing_after_the_given_time(self):
        self.assertAlmostEqual(self.seen["file_overhead_bytes"], 15)
        self.assertAlmostEqual(self.seen["compaction_cpu_s_per_byte"], 0.4 / (8 * MIB))
        self.assertGreater(calibration.observe(RUN, Log())["file_overhead_bytes"], 1000)

    def test_tells_tables_from_what_else_the_device_writes(self):
        self.assertAlmostEqual(self.seen["table_share_of_device_writes"], 23 / 23.5)
        self.assertAlmostEqual(self.seen["write_share_of_limit"], 23.5 / 24)

    def test_takes_the_cost_of_a_put_from_unstalled_time(self):
        self.assertAlmostEqual(self.seen["put_s"], 0.1 / 20_000)

    def test_takes_the_gap_between_jobs(self):
        self.assertAlmostEqual(self.seen["think_s"], 0.001, places=6)

    def test_a_device_without_counters_is_taken_to_write_tables_only(self):
        blind = {**RUN, "series": [{"time_s": second} for second in range(101)]}
        self.assertEqual(calibration.observe(blind, Log())["table_share_of_device_writes"], 1)


class Combine(unittest.TestCase):
    def test_averages_and_leaves_out_what_a_run_does_not_know(self):
        one = {"think_s": 0.2, "write_share_of_limit": None, "table_share_of_device_writes": 0.25}
        other = {"think_s": 0.4, "write_share_of_limit": 0.9, "table_share_of_device_writes": 1.0}
        both = calibration.combine([one, other])
        self.assertAlmostEqual(both["think_s"], 0.3)
        self.assertAlmostEqual(both["write_share_of_limit"], 0.9)
        self.assertAlmostEqual(both["table_share_of_device_writes"], 0.5)


class Problem(unittest.TestCase):
    def setUp(self):
        self.constants = {
            "file_overhead_bytes": 15, "memtable_overhead_bytes": 34, "think_s": 0, "put_s": 4e-6,
            "record_bytes": 1040, "compaction_cpu_s_per_byte": 2e-9, "table_share_of_device_writes": 0.98,
        }

    def test_a_tree_shows_its_own_record_size_an_empty_one_takes_the_overhead(self):
        one = settings.by_name("snappy_start")
        files = [{"level": 1, "bytes": 600, "entries": 1, "low": 0, "high": 1}]
        self.assertEqual(problem.file_bytes_per_record(one, self.constants, files), 600)
        self.assertEqual(problem.file_bytes_per_record(one, self.constants, []), 1040 + 15)

    def test_options_keep_rocksdbs_names_and_facts_stay_apart(self):
        one = settings.by_name("wal")
        document = problem.make(one, self.constants, [], 100)
        self.assertEqual(document["settings"]["max_compaction_bytes"], 50 * MIB)
        self.assertNotIn("min_write_buffer_number_to_merge", document["settings"])
        self.assertEqual(document["facts"]["min_write_buffer_number_to_merge"], 1)
        self.assertGreater(document["calibration"]["wal_bytes_per_user_byte"], 1)
        self.assertAlmostEqual(document["device"]["write_bytes_per_s"], 24 * MIB * 0.98)
        self.assertAlmostEqual(document["calibration"]["foreground_bytes_per_s"], 1040 / 4e-6)


if __name__ == "__main__":
    unittest.main()
