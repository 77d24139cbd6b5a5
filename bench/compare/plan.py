"""What is compared: workloads, devices, budgets, arms. All of it is data; a new workload, device or
arm is a new entry here, and a new kind of database a class in hosts.py.
"""

import dataclasses

import database

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Device:
    write_bytes_per_s: int
    read_bytes_per_s: int
    image_bytes: int = 6 << 30


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A database on a device, and the settings it begins with."""

    host: str  # hosts.HOSTS
    device: str
    workload: database.Workload
    start: dict = dataclasses.field(default_factory=lambda: dict(database.START))


@dataclasses.dataclass(frozen=True)
class Arm:
    mode: str  # of the daemon until the measured window
    policy: dict = dataclasses.field(default_factory=dict)  # beyond POLICY
    static: bool = False  # opens with the settings that the search found
    budgeted: bool = True  # False: nothing depends on the budget, so one cell serves all


DEVICES = {
    "d24": Device(24 * MIB, 48 * MIB),
    "d48": Device(48 * MIB, 96 * MIB),
}

SCENARIOS = {
    "overwrite": Scenario(
        host="db_bench",
        device="d24",
        workload=database.Workload(
            keys=1_000_000, key_bytes=16, value_bytes=1000, compression="snappy", wal=False
        ),
    ),
}

ARMS = {
    "defaults": Arm("observe", budgeted=False),
    # As they were published. Their changes clear no delay, so our guard sends them only in moments
    # without one, which a saturated database hardly has: looking five times a second finds them.
    "rules": Arm("tune", {"strategy": "rules", "verify": False, "poll_interval": "200 ms"}),
    "probe": Arm("tune", {"strategy": "probe"}),
    "model": Arm("tune", {"strategy": "model"}),
    "best": Arm("observe", static=True),
}
PACED_ARMS = ("defaults", "model")
PACED_SHARE = 0.9
# Cycles of a paced writer last longer, and a second change rests on three of the first one's.
PACED_LONGER = 4 / 3

BUDGETS_MIB = (128, 256)

# The same for every arm. Trials are shorter than an operator would want: a cell lasts minutes.
POLICY = {
    "statistics": "latency",
    "on_exit": "keep",
    "knobs": [
        "write_buffer_size",
        "max_write_buffer_number",
        "level0_file_num_compaction_trigger",
        "level0_slowdown_writes_trigger",
        "level0_stop_writes_trigger",
        "max_bytes_for_level_base",
        "max_bytes_for_level_multiplier",
        "target_file_size_base",
        "max_compaction_bytes",
        "soft_pending_compaction_bytes_limit",
        "hard_pending_compaction_bytes_limit",
        "max_background_jobs",
    ],
    "max_l0_files": 32,
    "observation": "60 s",
    "cooldown": "5 s",
    "trust_region_factor": 32,
    "trial_min_cycles": 2,
    "trial_min": "45 s",
    "trial_max": "300 s",
    "max_debt_growth": "100 %",
    "settle_max": "90 s",
    "reverts_per_hour_limit": 60,
}

# The last part of a cell that is measured. In it no trial begins; one that is open is finished.
WINDOW_SHARE = 1 / 3
SECONDS = 540
CYCLE_WAIT_S = 80  # for the end of an L0 compaction, where the window begins and where it ends
ROUNDS = 3
# Above it others on the machine held the database up: the cell says so in every table.
STARVED_SHARE = 0.25


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(one) for one in value) + "]"
    return str(value) if isinstance(value, (int, float)) else f'"{value}"'


def configuration(arm, budget_bytes, path):
    values = {
        "name": "compare",
        "path": path,
        "mode": arm.mode,
        "memory_budget": budget_bytes,
        **POLICY,
        **arm.policy,
    }
    return "[[target]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in values.items())


@dataclasses.dataclass(frozen=True)
class Cell:
    """One run. Its identity is everything that could change its result."""

    name: str
    scenario: str
    arm: str
    budget_mib: int  # 0: the arm does not depend on it
    round: int
    seconds: int
    window_s: float
    offered_bytes_per_s: float  # 0: saturating
    options: dict  # the settings it opens with
    seed: int

    def identity(self):
        """Who only observes is not touched by the policy."""
        arm = ARMS[self.arm]
        policy = {} if arm.mode == "observe" else {**POLICY, **arm.policy}
        return {**dataclasses.asdict(self), "policy": policy}
