"""The gate of one fenced pod: carries what the pod sends to the few addresses that are open to it. Knows no pod.

A script of the standard library alone: `gate.py COMMAND…`. The command runs in a network of its own (its first words see to that);
from inside, sandbox.py sends sockets that listen there through the one that LAB_GATE names, and each connection that they take is
made again outside. Answers with the command's code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

_CHUNK = 1 << 16
_TOLD = 128


def main(command: list[str]) -> int:
    """Run it, with its gate open until it ends. A SIGTERM to the group is for the command to obey."""
    signal.signal(signal.SIGTERM, lambda *_: None)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    process = subprocess.Popen(command, env={**os.environ, "LAB_GATE": str(theirs.fileno())}, pass_fds=[theirs.fileno()])
    theirs.close()
    threading.Thread(target=_keep, args=(ours,), daemon=True).start()
    code = process.wait()
    return 128 - code if code < 0 else code


def _keep(gate: socket.socket) -> None:
    while True:
        told, numbers, _, _ = socket.recv_fds(gate, _TOLD, 1, socket.MSG_WAITALL)
        if not numbers:
            return
        host, port = json.loads(told)
        threading.Thread(target=_serve, args=(socket.socket(fileno=numbers[0]), (host, port)), daemon=True).start()


def _serve(inside: socket.socket, address: tuple[str, int]) -> None:
    while True:
        taken, _ = inside.accept()
        try:
            outside = socket.create_connection(address, timeout=30)
        except OSError:
            taken.close()
            continue
        outside.settimeout(None)
        for source, sink in ((taken, outside), (outside, taken)):
            threading.Thread(target=_carry, args=(source, sink), daemon=True).start()


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(_CHUNK):
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
