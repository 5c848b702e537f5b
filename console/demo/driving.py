"""Drives `invoke` from outside, as a scheduler does: starts a verb, follows its JSON lines, kills it. Knows no engine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import PermanentError
from engine.files.whole import write_whole
from engine.text.jsontext import Malformed, an_object, read
from lab.parts.supervisor import ProcessId

CHECKOUT = Path(__file__).resolve().parents[2]
Line = dict[str, Any]
# No verb of a demo takes as long; one that does is ended, and the demo fails instead of waiting for ever.
LIMIT_S = 900.0


@dataclass
class Verb:
    """One finished (or killed) verb: its exit code (negative for a signal), its last line's `result`, all events."""

    code: int
    result: Line = field(default_factory=dict)
    events: list[Line] = field(default_factory=list)

    def steps(self, outcome: str) -> list[str]:
        """Ids of the steps that ended so."""
        return [s["id"] for s in self.result.get("steps", []) if s["outcome"] == outcome]

    def step(self, name: str) -> Line:
        """The report of one step; empty when there is none."""
        return next((s for s in self.result.get("steps", []) if s["id"] == name), {})


def unheard(told: str) -> None:
    """Nobody listens."""


class Driver:
    """Starts verbs for one house. Every process it starts is a group of its own, and is gone when the verb returns.

    `hear` is told what a verb is at, and what it waits for, as soon as it says so.
    """

    def __init__(self, settings: Path, hear: Callable[[str], None] = unheard) -> None:
        self._settings = settings
        self._hear = hear

    def run(self, verb: str, *arguments: str) -> Verb:
        """Run a verb to its end."""
        return self._follow(verb, arguments, lambda line, pid: False)

    def run_until(self, verb: str, *arguments: str, deadly: Callable[[Line], bool], group: bool) -> Verb:
        """Run a verb and SIGKILL it as soon as `deadly` says so of a line: the process alone, or its whole group."""

        def kill(line: Line, pid: int) -> bool:
            if not deadly(line):
                return False
            (os.killpg if group else os.kill)(pid, signal.SIGKILL)
            return True

        return self._follow(verb, arguments, kill)

    def _follow(self, verb: str, arguments: tuple[str, ...], look: Callable[[Line, int], bool]) -> Verb:
        settings = () if any(a.startswith("--settings") for a in arguments) else ("--settings", str(self._settings))
        argv = [str(Path(sys.executable).with_name("invoke")), verb, *settings, "--json", *arguments]
        with (
            subprocess.Popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, start_new_session=True) as process,
            _limited(process),
        ):
            done = Verb(0)
            remember(self._settings, process.pid)
            self._hear(" ".join(("invoke", verb, *arguments)))
            try:
                for line in _lines(process):
                    done.events.append(line)
                    if now := at_work(line):
                        self._hear(f"{verb}: {now}")
                    done.result = line.get("result", done.result)
                    if look(line, process.pid):
                        break
            finally:
                if process.poll() is None and done.result == {}:
                    process.kill()
            done.code = process.wait()
            _driven(self._settings).unlink(missing_ok=True)
            self._hear(f"{verb}: exit {done.code}")
        return done


def at_work(line: Line) -> str:
    """What a verb is at, or whom it waits for, by one of its events; "" for one that says neither."""
    if line.get("event") == "StepStarted":
        return f"{line['step']}"
    if line.get("event") != "StepWaiting":
        return ""
    limit = line["limit_s"]
    return f"{line['step']} waits for {line['what']}" + (f", {limit:.0f} s at most" if limit is not None else "")


@contextmanager
def _limited(process: subprocess.Popen[bytes]) -> Iterator[None]:
    late = threading.Timer(LIMIT_S, process.kill)
    late.start()
    try:
        yield
    finally:
        late.cancel()


def remember(settings: Path, pid: int) -> None:
    """Write down beside the settings which process drives this house now, for a next demo to find if this one is killed."""
    identity = ProcessId.of(pid)
    if identity is not None:
        write_whole(_driven(settings), f"{identity.pid} {identity.started}\n", lasting=False)


def end_left_over(settings: Path) -> int | None:
    """End the group of the verb that a killed demo left running; its pid, None when there is none."""
    try:
        pid, started = _driven(settings).read_text().split()
        left = ProcessId(int(pid), int(started))
    except (FileNotFoundError, ValueError):
        return None  # nothing was driven, or the demo died while it wrote
    found = left.pid if left.alive() else None
    left.signal_group(signal.SIGKILL)
    if not left.wait_gone(20.0):
        raise PermanentError(f"process {left.pid} of an earlier demo does not end")
    _driven(settings).unlink(missing_ok=True)
    return found


def _driven(settings: Path) -> Path:
    return settings.with_name("driven.pid")


def _lines(process: subprocess.Popen[bytes]) -> Iterator[Line]:
    assert process.stdout is not None
    for raw in process.stdout:
        try:
            line = read(raw, an_object)
        except Malformed as error:
            raise PermanentError(f"a line of --json is no JSON: {raw[:200]!r}") from error
        yield line
