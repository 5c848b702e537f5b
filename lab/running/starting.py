"""Starts and ends the daemon of a house, from outside: nothing of a lab that was killed survives the next start. Knows no World."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.errors import PermanentError
from engine.text.jsontext import Malformed, an_object, read_file
from lab.houses.blocks import Reserved, reserve
from lab.houses.make import make_house
from lab.houses.nouns import CHECKOUT, SHAPES, HouseFolder, HouseShape
from lab.parts.errors import PartFailed
from lab.parts.supervisor import ProcessId, Supervisor
from lab.running.endpoints import doors
from lab.scenarios import known

START_S = 240.0  # on a machine that is busy with other things, too: one that has ended is told at once
END_S = 60.0
# The daemon's file descriptor that keeps its block of addresses its own.
GUARD = 3
_POLL_S = 0.05


def shape_of(house: str) -> HouseShape:
    """The sample house of this name; PermanentError for another name."""
    if house not in SHAPES:
        raise PermanentError(f"there is no house {house}", hint=f"known: {', '.join(SHAPES)}")
    return SHAPES[house]


def start(house: str, scenario: str, speed: float, folder: HouseFolder | None = None) -> dict[str, Any]:
    """A new house, with all doors open; what endpoints.json tells comes back. A scenario that begins in a built house is then
    still to be built (console/demo/built.py).

    PermanentError when it runs already, PartFailed when it does not come up.
    """
    shape = shape_of(house)
    known(scenario, shape)
    if speed <= 0:
        raise PermanentError("time must pass: --speed takes a number above 0")
    folder = folder or HouseFolder.of(house)
    with _alone(folder):
        if daemon(folder) is not None:
            raise PermanentError(f"{house} runs already", next_command=f"invoke lab.down --house {house}")
        sweep(folder)
        # Ours from here to the daemon's end: another house that starts at this moment must not find it free.
        with reserve(shape) as reserved:
            make_house(shape, folder, reserved.block)
            identity = _spawn(folder, reserved, house, str(speed), scenario)
        told = _wait_open(folder, identity)
        for name, address in doors(shape, told).items():
            if not _open(address):
                raise PartFailed(f"the door {name} is not open", evidence=_tail(folder))
        return told


def stop(house: str, folder: HouseFolder | None = None) -> bool:
    """End the house; nothing of it runs afterwards. False when nothing ran. PartFailed when something does not end."""
    shape_of(house)
    folder = folder or HouseFolder.of(house)
    with _alone(folder):
        identity = daemon(folder)
        if identity is not None:
            os.kill(identity.pid, signal.SIGTERM)
            if not identity.wait_gone(END_S):
                os.kill(identity.pid, signal.SIGKILL)
                if not identity.wait_gone(END_S):
                    raise PartFailed(f"the lab's process {identity.pid} does not end")
        left = sweep(folder)
        for file in (folder.endpoints, folder.daemon, folder.control):
            file.unlink(missing_ok=True)
        return identity is not None or bool(left)


def daemon(folder: HouseFolder) -> ProcessId | None:
    """The daemon of this house, when it runs."""
    try:
        identity = read_file(folder.daemon, lambda found: ProcessId(int(found["pid"]), int(found["started"])))
    except (FileNotFoundError, Malformed):
        return None
    return identity if identity.alive() else None


def sweep(folder: HouseFolder) -> tuple[int, ...]:
    """End the programs that a killed daemon left behind; their pids come back."""
    return Supervisor(folder.parts).sweep() if folder.parts.is_dir() else ()


def told_endpoints(folder: HouseFolder) -> dict[str, Any]:
    """What endpoints.json tells. PermanentError when the house does not run."""
    if daemon(folder) is None or not folder.endpoints.exists():
        raise PermanentError(
            f"{folder.root.name} does not run", next_command=f"invoke lab.up --house {folder.root.name}"
        )
    return read_file(folder.endpoints, an_object)


def _spawn(folder: HouseFolder, reserved: Reserved, *arguments: str) -> ProcessId:
    house, *rest = arguments
    argv = [sys.executable, "-m", "lab.running.daemon", house, str(folder.root), reserved.block.prefix, *rest]
    # The developer's proxies, certificates and keys have no say in the lab.
    environment = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ", "GOMODCACHE", "GOPATH") if name in os.environ
    }
    environment |= {"PYTHONPATH": str(CHECKOUT), "PYTHONUNBUFFERED": "1"}
    with folder.log.open("ab") as log, Path(os.devnull).open("rb") as nothing:
        files = [(os.POSIX_SPAWN_DUP2, nothing.fileno(), 0), (os.POSIX_SPAWN_DUP2, log.fileno(), 1)]
        files.append((os.POSIX_SPAWN_DUP2, log.fileno(), 2))
        files.append((os.POSIX_SPAWN_DUP2, reserved.guard.fileno(), GUARD))
        # A session of its own: neither a closed terminal nor a signal to the caller's group ends the house.
        pid = os.posix_spawn(sys.executable, argv, environment, file_actions=files, setsid=True)
    return ProcessId.of(pid) or ProcessId(pid, 0)


def _wait_open(folder: HouseFolder, identity: ProcessId) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while not folder.endpoints.exists():
        if not identity.alive():
            raise PartFailed("the lab's process ended while starting", evidence=_tail(folder))
        if time.monotonic() > deadline:
            os.kill(identity.pid, signal.SIGTERM)
            raise PartFailed(f"the lab did not open its doors in {START_S:.0f} s", evidence=_tail(folder))
        time.sleep(_POLL_S)
    return read_file(folder.endpoints, an_object)


def _open(address: tuple[str, int]) -> bool:
    with socket.socket() as connection:
        connection.settimeout(5.0)
        return connection.connect_ex(address) == 0


def _tail(folder: HouseFolder) -> tuple[str, ...]:
    return tuple(folder.log.read_text(errors="replace").splitlines()[-12:]) if folder.log.exists() else ()


@contextmanager
def _alone(folder: HouseFolder) -> Iterator[None]:
    """One start or end of a house at a time."""
    folder.root.parent.mkdir(parents=True, exist_ok=True)
    with folder.root.with_name(f"{folder.root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
