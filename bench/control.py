"""A client of the daemon's control socket: frames of u32 length + JSON (daemon/control_protocol.h)."""

import json
import socket
import struct

MAX_FRAME_BYTES = 1 << 20


class ControlError(Exception):
    pass


class Refused(ControlError):
    """The daemon answered, and said no."""


def _read(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise ControlError("the daemon closed the connection")
        data += piece
    return data


def call(path, command, timeout_s=10, **members):
    """One request, one answer. Raises ControlError when the daemon cannot be reached."""
    request = json.dumps({"command": command, **members}).encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(timeout_s)
            sock.connect(path)
            sock.sendall(struct.pack("<I", len(request)) + request)
            (length,) = struct.unpack("<I", _read(sock, 4))
            if not 0 < length <= MAX_FRAME_BYTES:
                raise ControlError(f"a frame of {length} bytes from the daemon")
            answer = json.loads(_read(sock, length))
    except (OSError, ValueError) as error:
        raise ControlError(f"{path}: {error}") from error
    if not answer.get("ok"):
        raise Refused(answer.get("error", "refused"))
    return answer
