#!/usr/bin/env python3
"""Explains how to attach to the user's own process, and checks the process that is named."""

import argparse
import os
import subprocess
import sys

TEXT = """\
To put lsmtuned beside your own database

1. The program must be linked dynamically to librocksdb.so.7.8 (Debian 12's). Check it:
     ./dev run --attach PID
   Statically linked executables, set-uid programs and other RocksDB versions cannot be reached by
   preloading; link the agent library into your program instead (docs/attach.md).
2. Install, as root:  ./dev package && apt install ./build/release/lsmtuned_*.deb
3. Start the daemon:  systemctl enable --now lsmtuned
   It watches every database that attaches and changes none until a [[target]] says so.
4. Attach the database, one restart of it:
     for a service   systemctl edit NAME   and add
                       [Service]
                       Environment=LD_PRELOAD=/usr/lib/lsmtuned/liblsmtuned_agent.so
                       Environment=LSMTUNED_DAEMON_USER=lsmtuned
                       SupplementaryGroups=lsmtuned
     from a shell    LD_PRELOAD={agent} PROGRAM ...
5. Look:  lsmtunectl targets ; lsmtunectl status
6. Name it in /etc/lsmtuned/lsmtuned.toml (path, memory_budget, mode = "advise" or "tune"), then
     lsmtuned --check-config --config /etc/lsmtuned/lsmtuned.toml && systemctl reload lsmtuned
To detach, take the line away and restart the database. LSMTUNED_DISABLE=1 in its environment
switches the agent off.
"""


def main():
    parser = argparse.ArgumentParser(prog="./dev run --attach")
    parser.add_argument("--build", default="build/release", help=argparse.SUPPRESS)
    parser.add_argument("pid", nargs="?", type=int, help="a process to check")
    parsed = parser.parse_args()
    build = os.path.abspath(parsed.build)
    agent = f"{build}/actuators/agent/liblsmtuned_agent.so"
    print(TEXT.format(agent=agent))
    missing = [path for path in (agent, f"{build}/daemon/lsmtunectl") if not os.path.exists(path)]
    for path in missing:
        print(f"not built: {path}", file=sys.stderr)
    if missing:
        return 1
    if parsed.pid is None:
        return 0
    return subprocess.run(
        [f"{build}/daemon/lsmtunectl", "diagnose", str(parsed.pid)], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
