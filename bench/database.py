"""Debian's own db_bench, unmodified, as a database to tune."""

import dataclasses
import os
import subprocess

MIB = 1 << 20

# What ./dev run begins with: small buffers and a small base level.
START = {
    "write_buffer_size": 4 * MIB,
    "max_bytes_for_level_base": 16 * MIB,
    "target_file_size_base": 2 * MIB,
    "max_background_jobs": 2,
}


@dataclasses.dataclass(frozen=True)
class Workload:
    keys: int
    key_bytes: int
    value_bytes: int
    compression: str
    wal: bool


DEMO = Workload(keys=1_000_000, key_bytes=16, value_bytes=1024, compression="snappy", wal=False)

# Options whose flag of db_bench is named otherwise.
FLAGS = {"max_subcompactions": "subcompactions"}


def _command(directory, benchmark, workload, options, *more):
    return [
        "db_bench",
        f"--benchmarks={benchmark}",
        f"--db={directory}",
        f"--num={workload.keys}",
        f"--key_size={workload.key_bytes}",
        f"--value_size={workload.value_bytes}",
        *(f"--{FLAGS.get(option, option)}={value:.0f}" for option, value in options.items()),
        f"--compression_type={workload.compression}",
        "--use_direct_io_for_flush_and_compaction",
        f"--disable_wal={0 if workload.wal else 1}",
        *more,
    ]


def load(directory, log_path, workload=DEMO, options=START, settle=False):
    """Writes every key once, in random order; `settle` waits for every compaction."""
    benchmarks = "fillrandom,flush,waitforcompaction" if settle else "fillrandom"
    with open(log_path, "w", encoding="utf-8") as log:
        done = subprocess.run(
            _command(directory, benchmarks, workload, options),
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(f"db_bench could not load the database; its output is in {log_path}")


class Overwrite:
    """Overwrites of random keys, the agent preloaded; runs until stopped.

    Saturating, or offered at `bytes_per_s` of keys and values where that is not zero.
    """

    def __init__(
        self, directory, log_path, preload, environment, seconds, workload=DEMO, options=START,
        bytes_per_s=0, seed=None,
    ):
        more = ["--use_existing_db=1", f"--duration={seconds}"]
        if bytes_per_s:
            more.append(f"--benchmark_write_rate_limit={bytes_per_s:.0f}")
        if seed is not None:
            more.append(f"--seed={seed}")
        self.command = _command(directory, "overwrite", workload, options, *more)
        self.log_path = log_path
        self.log = open(log_path, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            self.command,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "LD_PRELOAD": preload},
            start_new_session=True,
        )

    def running(self):
        return self.process.poll() is None

    def failed_writes(self):
        """db_bench ends at its first failed write and says so."""
        self.log.flush()
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            said = sum("put error" in line or "error:" in line for line in log)
        return max(said, 0 if self.running() or self.process.returncode == 0 else 1)

    def stop(self):
        if self.running():
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
