"""The exact files of a closed database, from Debian's ldb and sst_dump."""

import re
import subprocess

FILE = re.compile(
    r"^ (?P<number>\d+):(?P<bytes>\d+)\[\d+ \.\. \d+\]\['(?P<low>[0-9A-F]+)' seq:\d+, type:\d+ "
    r"\.\. '(?P<high>[0-9A-F]+)' seq:\d+, type:\d+"
)
LEVEL = re.compile(r"^--- level (?P<level>\d+) ---")


def parse_manifest(text, keys):
    """-> [{number, level, bytes, low, high}], L0 newest first; bounds as fractions of the keys.

    db_bench's keys begin with an 8-byte big-endian number below `keys`.
    """
    files, level = [], None
    for line in text.splitlines():
        if found := LEVEL.match(line):
            level = int(found["level"])
        elif (found := FILE.match(line)) and level is not None:
            files.append(
                {
                    "number": int(found["number"]),
                    "level": level,
                    "bytes": int(found["bytes"]),
                    "low": int(found["low"][:16], 16) / keys,
                    "high": int(found["high"][:16], 16) / keys,
                }
            )
    return files


def parse_entries(text):
    """sst_dump --show_properties over a folder -> {file number: entries}."""
    entries, number = {}, None
    for line in text.splitlines():
        if found := re.match(r"Process .*?(\d+)\.sst", line):
            number = int(found[1])
        elif (found := re.match(r"\s*# entries: (\d+)", line)) and number is not None:
            entries[number] = int(found[1])
    return entries


def _output(*command):
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace",
    ).stdout


def live_files(directory, keys):
    files = parse_manifest(_output("ldb", f"--db={directory}", "--hex", "manifest_dump", "--verbose"), keys)
    entries = parse_entries(
        _output("sst_dump", f"--file={directory}", "--command=none", "--show_properties")
    )
    for file in files:
        file["entries"] = entries[file["number"]]
    if not files:
        raise RuntimeError(f"{directory}: the manifest names no file")
    return files


def levels_of(files):
    """-> [{files, bytes, entries}] from L0 to the deepest one with files."""
    levels = [
        {"files": 0, "bytes": 0, "entries": 0}
        for _ in range(1 + max((file["level"] for file in files), default=0))
    ]
    for file in files:
        level = levels[file["level"]]
        level["files"] += 1
        level["bytes"] += file["bytes"]
        level["entries"] += file["entries"]
    return levels
