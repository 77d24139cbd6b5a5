"""The table that ends a run, and the JSON form of it."""

MIB = 1 << 20


def rate(value):
    return f"{value / MIB:.2f} MiB/s"


def size(value):
    return f"{value / MIB:.0f} MiB"


def duration(value):
    if value >= 1:
        return f"{value:.2f} s"
    if value >= 1e-3:
        return f"{value * 1e3:.1f} ms"
    return f"{value * 1e6:.0f} us"


ROWS = [
    ("put rate", "put_bytes_per_s", rate),
    ("puts a second", "put_ops_per_s", lambda v: f"{v:.0f}"),
    ("stall share", "stall_share", lambda v: f"{100 * v:.1f} %"),
    ("worst single stall", "worst_stall_s", duration),
    ("put p50", "put_p50_s", duration),
    ("put p99", "put_p99_s", duration),
    ("put p99.9", "put_p999_s", duration),
    ("put max", "put_max_s", duration),
    ("write amplification", "write_amplification", lambda v: f"{v:.2f}"),
    ("device bytes per user byte", "device_write_bytes_per_user_byte", lambda v: f"{v:.2f}"),
    ("L0 files at the end", "l0_files", lambda v: f"{v:.0f}"),
    ("pending bytes at the end", "pending_bytes", size),
    ("pending bytes, mean", "pending_bytes_mean", size),
    ("tree at the end", "tree_bytes", size),
    ("window", "seconds", lambda v: f"{v:.0f} s"),
    ("L0 compactions in it", "l0_compactions", lambda v: f"{v:.0f}"),
]


def text(result):
    before, after = result["before"], result["after"]
    lines = [f"{'':28}{'before':>16}{'after':>16}"]
    for label, key, form in ROWS:
        if key in before and key in after:
            lines.append(f"{label:28}{form(before[key]):>16}{form(after[key]):>16}")
    lines.append("")
    ratio = after["put_bytes_per_s"] / max(before["put_bytes_per_s"], 1)
    lines.append(f"put rate after / before: {ratio:.2f}")
    lines.append(f"failed writes: {result['failed_writes']}")
    lines.append("")
    lines.append("settings changed")
    if not result["settings_changed"]:
        lines.append("  none")
    for change in result["settings_changed"]:
        lines.append(f"  {change['option']:44} {change['old']:>14} -> {change['new']}")
    lines.append("")
    lines.append("trials (put rate predicted for the trial's length, and measured)")
    if not result["trials"]:
        lines.append("  none")
    for trial in result["trials"]:
        predicted = trial["predicted_put_bytes_per_s"]
        measured = trial["measured_put_bytes_per_s"]
        error = f"{100 * (predicted / measured - 1):+.0f} %" if measured else "not measured"
        short = ", short trial" if trial.get("short_trial") else ""
        lines.append(
            f"  #{trial['id']} {trial['outcome']:12} predicted {rate(predicted):>12}  "
            f"measured {rate(measured):>12}  error {error}{short}"
        )
        lines.append(f"     {trial['changes']}")
    lines.append("")
    lines.append(f"device: {result['device']}")
    lines.append(f"decision log: {result['decision_log']}")
    return "\n".join(lines)
