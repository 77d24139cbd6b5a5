"""The smallest daemon of docs/protocol.md: welcomes an agent and polls every database at 1 Hz.

Used when there is no lsmtuned binary to measure with; also counts what it received, so that a run
whose agent never answered cannot pass as a measurement.
"""

import json
import os
import socket
import struct
import threading
import time


class Observer:
    """Thread rules: start() and stop() from one thread; `observations` may be read from any."""

    def __init__(self, path, interval_s=1.0):
        self.observations = 0
        self._interval_s = interval_s
        self._stop = threading.Event()
        if os.path.exists(path):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(8)
        self._listener.settimeout(0.1)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def stop(self):
        self._stop.set()
        self._threads[0].join()
        for thread in self._threads[1:]:
            thread.join()
        self._listener.close()

    def _accept(self):
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except socket.timeout:
                continue
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection):
        databases = set()
        received = b""
        sequence = 0
        next_poll = time.monotonic()
        connection.settimeout(0.1)
        with connection:
            while not self._stop.is_set():
                try:
                    part = connection.recv(1 << 20)
                    if not part:
                        return
                    received += part
                except socket.timeout:
                    pass
                except OSError:
                    return
                try:
                    while len(received) >= 4:
                        (length,) = struct.unpack("<I", received[:4])
                        if len(received) < 4 + length:
                            break
                        message = json.loads(received[4 : 4 + length])
                        received = received[4 + length :]
                        self._handle(connection, message, databases)
                    if time.monotonic() >= next_poll:
                        next_poll = time.monotonic() + self._interval_s
                        self._send(connection, {"type": "heartbeat", "lease_s": 10})
                        for database in databases:
                            sequence += 1
                            request = {"type": "observe", "seq": sequence, "db": database}
                            self._send(connection, request)
                except OSError:
                    return

    def _handle(self, connection, message, databases):
        kind = message.get("type")
        if kind == "hello":
            databases.update(one["db"] for one in message.get("databases", []))
            welcome = {"type": "welcome", "protocol": 1, "daemon": "bench", "lease_s": 10}
            self._send(connection, welcome)
        elif kind == "opened":
            databases.add(message["database"]["db"])
        elif kind == "closed":
            databases.discard(message.get("db"))
        elif kind == "observation" and "error" not in message:
            self.observations += 1

    @staticmethod
    def _send(connection, message):
        body = json.dumps(message).encode()
        connection.sendall(struct.pack("<I", len(body)) + body)
