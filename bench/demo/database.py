"""Debian's own db_bench, unmodified, as the database of the demo."""

import os
import subprocess

KEYS = 1_000_000
KEY_BYTES = 16
VALUE_BYTES = 1024


def _command(directory, benchmark, *more):
    return [
        "db_bench",
        f"--benchmarks={benchmark}",
        f"--db={directory}",
        f"--num={KEYS}",
        f"--key_size={KEY_BYTES}",
        f"--value_size={VALUE_BYTES}",
        "--write_buffer_size=4194304",
        "--max_bytes_for_level_base=16777216",
        "--target_file_size_base=2097152",
        "--max_background_jobs=2",
        "--compression_type=snappy",
        "--use_direct_io_for_flush_and_compaction",
        "--disable_wal=1",
        *more,
    ]


def load(directory, log_path):
    """Writes every key once, in random order, before the device is slowed down."""
    with open(log_path, "w", encoding="utf-8") as log:
        done = subprocess.run(
            _command(directory, "fillrandom"), stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if done.returncode != 0:
        raise RuntimeError(f"db_bench could not load the database; its output is in {log_path}")


class Overwrite:
    """Saturating overwrites, the agent preloaded; runs until stopped."""

    def __init__(self, directory, log_path, preload, environment, seconds):
        self.log_path = log_path
        self.log = open(log_path, "w", encoding="utf-8")
        self.process = subprocess.Popen(
            _command(directory, "overwrite", "--use_existing_db=1", f"--duration={seconds}"),
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
