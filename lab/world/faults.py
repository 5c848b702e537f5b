"""The one list of faults, and where they are armed. Knows no port: a door asks `strike` at every mutation and obeys.

A mutation's name is `port.method/target#k`: the k-th time (from 1) that this method is called for this target.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase
from types import MappingProxyType


class Fault(Enum):
    """What can go wrong at a mutation."""

    DIE_BEFORE = "die-before"
    DIE_DURING = "die-during"
    DIE_AFTER = "die-after"
    LOSE_REPLY = "lose-reply"
    SLOW = "slow"
    ERROR_TWICE = "error-twice"
    LIE_ONCE = "lie-once"


WHAT: Mapping[Fault, str] = MappingProxyType({
    Fault.DIE_BEFORE: "the tool is killed before the act",
    Fault.DIE_DURING: "the tool is killed while the act goes on, a second after it began",
    Fault.DIE_AFTER: "the act happened, and the tool is killed before it learns so",
    Fault.LOSE_REPLY: "the act happened, and the reply did not come back",
    Fault.SLOW: "the reply comes late",
    Fault.ERROR_TWICE: "two times a server error without the act, then it works",
    Fault.LIE_ONCE: "one time it is said to be done, without the act",
})  # fmt: skip


class Death(BaseException):
    """The simulated process died here. Not an Exception: nothing that catches errors may catch its own death."""


@dataclass
class Armed:
    """A fault that waits for the first mutation whose name fits `pattern` (shell style, e.g. `proxmox.create_vm/*#1`)."""

    pattern: str
    fault: Fault
    left: int


class Faults:
    """Armed faults, the names of all mutations that were reached, and the fence after a death."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[Armed] = []
        self._counts: Counter[str] = Counter()
        self.reached: list[str] = []
        self.struck: list[tuple[str, Fault]] = []
        self.lies: set[str] = set()  # ids of tasks that never were; they answer "ended, OK" for ever

    def arm(self, pattern: str, fault: Fault) -> None:
        """Let `fault` strike at the first mutation that fits (ERROR_TWICE: at the first two)."""
        with self._lock:
            self._armed.append(Armed(pattern, fault, 2 if fault is Fault.ERROR_TWICE else 1))

    def disarm(self) -> None:
        """Call off every fault that has not struck."""
        with self._lock:
            self._armed.clear()

    def forget(self) -> None:
        """Count and remember from here on as if nothing had been reached."""
        with self._lock:
            self._counts.clear()
            self.reached.clear()
            self.struck.clear()

    def strike(self, port: str, method: str, target: str) -> Fault | None:
        """Name and count this mutation; answer the fault that the door must play now, or None.

        ERROR_TWICE strikes at the first mutation that fits and at the next one of the same method and target.
        """
        base = f"{port}.{method}/{target}"
        with self._lock:
            self._counts[base] += 1
            name = f"{base}#{self._counts[base]}"
            self.reached.append(name)
            for armed in self._armed:
                if armed.left and fnmatchcase(name, armed.pattern):
                    armed.left -= 1
                    if armed.left:
                        armed.pattern = f"{base}#*"
                    self.struck.append((name, armed.fault))
                    return armed.fault
        return None
