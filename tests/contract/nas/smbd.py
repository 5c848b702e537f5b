"""A real smbd on loopback for tests: one user, shares of folders, nothing for guests. It and all that it starts end together."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.wire.sftp.sshd import login, server_program

WORD = "obsidian-heron-41"
_CONFIG = """\
[global]
interfaces = 127.0.0.1/8
bind interfaces only = yes
smb ports = {port}
disable netbios = yes
server role = standalone server
restrict anonymous = 2
lock directory = {folder}/lock
state directory = {folder}/state
cache directory = {folder}/cache
pid directory = {folder}/run
private dir = {folder}/private
ncalrpc dir = {folder}/run/ncalrpc
log file = {folder}/log
passdb backend = smbpasswd:{folder}/private/smbpasswd
load printers = no
printcap name = /dev/null
disable spoolss = yes
"""


def lacks() -> str:
    """Why none can be had here, "" where one can."""
    missing = [one for one in ("smbd", "smbpasswd", "smbclient") if server_program(one) is None]
    if missing:
        return f"not on this machine: {', '.join(missing)} (Debian: samba, smbclient)"
    return "" if os.geteuid() == 0 else "smbd serves nobody unless root starts it"


@contextmanager
def running(folder: Path, shares: dict[str, Path]) -> Iterator[int]:
    """Serve until the block ends; gives the port. The user is whoever runs this, its password WORD."""
    port = _free()
    text = _CONFIG.format(folder=folder, port=port) + "".join(f"[{name}]\npath = {path}\n" for name, path in shares.items())
    for one in ("lock", "state", "cache", "run", "private"):
        (folder / one).mkdir(parents=True)
    config = folder / "smb.conf"
    config.write_text(text)
    given = f"{WORD}\n{WORD}\n".encode()
    added = [str(server_program("smbpasswd")), "-c", str(config), "-s", "-a", login()]
    subprocess.run(added, input=given, check=True, capture_output=True, timeout=60)
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", str(server_program("smbd"))]
    argv += ["-s", str(config), "-F", "--no-process-group"]
    with (folder / "out").open("wb") as out:
        daemon = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        _await(daemon, port, folder)
        yield port
    finally:
        daemon.kill()
        daemon.wait(10)


def _await(daemon: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    until = time.monotonic() + 90
    while daemon.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"smbd does not listen: {(folder / 'out').read_text()}")


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
