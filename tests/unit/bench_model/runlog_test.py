#!/usr/bin/env python3
"""A RocksDB LOG, cut down: jobs by kind, flush constants, counters of the dumps, the horizon."""

import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "bench" / "model"))
import runlog  # noqa: E402

START = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC; the LOG below is written two hours east of it


def event(at_s, **fields):
    second = int(at_s)
    clock = f"2023/11/15-00:{13 + (20 + second) // 60:02d}:{(20 + second) % 60:02d}.000000"
    fields["time_micros"] = int((START + at_s) * 1e6)
    return f"{clock} 7 EVENT_LOG_v1 {json.dumps(fields)}\n"


def dump(at_s, stall_micros):
    clock = f"2023/11/15-00:13:{20 + int(at_s):02d}.000000"
    return [
        f"{clock} 7 [db/db_impl/db_impl.cc:1105] ------- DUMPING STATS -------\n",
        f"{clock} 7 [db/db_impl/db_impl.cc:1107] \n",
        "  L0      5/1   19.00 MB   1.0      0.0\n",
        "  L1      8/0    1.50 GB   1.0      0.0\n",
        f"{clock} 7 [db/db_impl/db_impl.cc:788] STATISTICS:\n",
        " rocksdb.block.cache.miss COUNT : 0\n",
        f"rocksdb.stall.micros COUNT : {stall_micros}\n",
    ]


LINES = [
    event(0.5, job=2, event="flush_started", num_entries=100, memory_usage=110000),
    event(0.7, job=2, event="table_file_creation", file_number=3, file_size=106000,
          table_properties={"num_entries": 99}),
    event(1.0, job=2, event="flush_finished", lsm_state=[1]),
    event(1.0, job=3, event="compaction_started", files_L0=[1, 2, 3, 4], files_L1=[9],
          input_data_size=5000),
    *dump(2, 1_500_000),
    event(3.0, job=3, event="compaction_finished", output_level=1, total_output_size=4000,
          num_input_records=50, num_output_records=45, compaction_time_cpu_micros=250_000),
    event(3.0, job=4, event="compaction_started", files_L1=[9], files_L2=[8], input_data_size=10),
    event(4.0, job=4, event="compaction_finished", output_level=2, total_output_size=10,
          num_input_records=5, num_output_records=5, compaction_time_cpu_micros=250_000),
    event(4.5, job=5, event="trivial_move"),
    event(5.0, job=6, event="compaction_started", files_L0=[1, 2], input_data_size=10),
    event(6.0, job=6, event="compaction_finished", output_level=0, total_output_size=10,
          num_input_records=5, num_output_records=5, compaction_time_cpu_micros=250_000),
    *dump(12, 9_000_000),
    event(14.0, job=7, event="compaction_started", files_L0=[1, 2], files_L1=[3], input_data_size=10),
    event(31.0, job=7, event="compaction_finished", output_level=1, total_output_size=10,
          num_input_records=5, num_output_records=5, compaction_time_cpu_micros=250_000),
]


class Log(unittest.TestCase):
    def setUp(self):
        self.log = runlog.RunLog(LINES, START, 30, {1: 10, 2: 20, 4: 40, 9: 500})

    def test_tells_kinds_of_jobs_apart_and_ends_at_the_horizon(self):
        kinds = [job["kind"] for job in self.log.jobs]
        self.assertEqual(kinds, ["flush", "l0_to_base", "deeper", "trivial_move", "intra_l0"])
        self.assertEqual(self.log.count("l0_to_base"), 1)  # the second ends after 30 s
        self.assertEqual(self.log.count("deeper", until_s=3.5), 0)

    def test_reads_sizes_drops_and_times_of_a_job(self):
        job = self.log.jobs[1]
        self.assertAlmostEqual(job["start_s"], 1, places=5)
        self.assertAlmostEqual(job["end_s"], 3, places=5)
        self.assertEqual((job["read_bytes"], job["written_bytes"]), (5000, 4000))
        self.assertEqual((job["output_level"], job["incoming_bytes"]), (1, 10 + 20 + 106000 + 40))
        self.assertEqual(self.log.jobs[2]["incoming_bytes"], 500)
        self.assertEqual((job["dropped"], job["l0_files"], job["cpu_s"]), (5, 4, 0.25))

    def test_reads_what_a_flush_tells_about_a_record(self):
        flush = self.log.flushes[0]
        self.assertEqual(flush["memory_bytes"] / flush["entries"], 1100)
        self.assertEqual(flush["file_bytes"], 106000)
        self.assertEqual(flush["file_entries"], 99)

    def test_places_dumps_in_time_whatever_the_time_zone(self):
        self.assertEqual([round(dump["time_s"]) for dump in self.log.dumps], [2, 12])
        self.assertEqual(self.log.dumps[0]["levels"],
                         [{"files": 5, "bytes": 19 * 2**20}, {"files": 8, "bytes": 1.5 * 2**30}])
        self.assertEqual(self.log.ticker_between("rocksdb.stall.micros", 0, 13)[0], 7_500_000)


if __name__ == "__main__":
    unittest.main()
