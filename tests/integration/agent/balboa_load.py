"""Sends observations to balboa-rocksdb until killed or the time is over.

Usage: balboa_load.py PORT SECONDS. The protocol is one msgpack map per message, no answers:
{"T": 1, "M": bin16(inner)}, inner a map of N (rrname), T (rrtype), D (rdata), I (sensor), C (count),
F and L (first and last seen, timestamps).
"""

import random
import socket
import struct
import sys
import time


def text(value):
    data = value.encode()
    return (bytes([0xA0 | len(data)]) if len(data) < 32 else bytes([0xD9, len(data)])) + data


def timestamp(seconds):
    return b"\xd6\xff" + struct.pack(">I", seconds)


def observation(number):
    name = f"host-{number % 10007}-{random.randrange(10**9)}.example.com"
    data = "".join(random.choices("0123456789abcdef", k=120))
    now = int(time.time())
    members = [
        text("N") + text(name),
        text("T") + text("A"),
        text("D") + text(data),
        text("I") + text("sensor"),
        text("C") + b"\xce" + struct.pack(">I", 1),
        text("F") + timestamp(now),
        text("L") + timestamp(now),
    ]
    inner = bytes([0x80 | len(members)]) + b"".join(members)
    outer = text("T") + b"\x01" + text("M") + b"\xc5" + struct.pack(">H", len(inner)) + inner
    return b"\x82" + outer


def main():
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    until = time.monotonic() + seconds
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    number = 0
    try:
        while time.monotonic() < until:
            connection.sendall(b"".join(observation(number + i) for i in range(200)))
            number += 200
    except OSError as error:
        print(f"balboa hung up after {number}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
