"""A house of the lab and the tool as its user has it: `invoke` in processes of its own, made to be killed. Knows no engine.

Everything that a run prints is kept in a file, its TMPDIR is a folder of the bench, and every program that it starts, also through
another program, is written down with its whole argument list: a shim lies over each program, seen by that run alone.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import EXIT_BUG
from lab.houses.nouns import CHECKOUT, SHAPES, HouseFolder, HouseShape
from lab.parts.kube import Access, Kube
from lab.running.control import ask
from lab.running.starting import start, stop
from tests.crash.wire.warm import Copy, Warm
from tools.places import Places

Line = dict[str, Any]
LIMIT_S = 900.0
_LOOK_S = 0.02


class NotConverged(AssertionError):
    """A run ended otherwise than done or held, though nothing had struck it; its last lines are in the text."""


@dataclass
class Ended:
    """One run that is over: its exit code (negative: killed by that signal), its lines, and how long it lived."""

    code: int
    lines: list[Line]
    seconds: float

    @property
    def result(self) -> Line:
        """The last line's `result`; empty for a run that was killed."""
        return next((line["result"] for line in reversed(self.lines) if "result" in line), {})

    @property
    def failures(self) -> list[str]:
        """What failed, in its own words."""
        steps = (s for s in self.result.get("steps", []) if s["outcome"] == "failed" and not s.get("advisory"))
        return [f"{s['id']}: {s['detail']}" for s in steps]


@dataclass
class Running:
    """One run that was begun. It leads a group of its own."""

    process: subprocess.Popen[bytes] | Copy
    report: Path
    began: float
    kill: Callable[[], None] | None = None

    def end(self, limit_s: float | None = None) -> Ended:
        """Wait until it is over, for LIMIT_S unless told. TimeoutExpired (and it is killed) when it never is."""
        try:
            code = self.process.wait(LIMIT_S if limit_s is None else limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise
        return Ended(code, self.lines(), time.monotonic() - self.began)

    def kill_at(self, items: int, seconds: float, group: bool) -> Ended:
        """SIGKILL it, alone or with its group, `seconds` after so many checks and steps have ended; answers how it ended."""
        self._until(lambda: self.items() >= items)
        self._wait(seconds)
        if self.process.poll() is None:
            (os.killpg if group else os.kill)(self.process.pid, signal.SIGKILL)
        return self.end()

    def kill_after_begin(self, seconds: float, group: bool) -> Ended:
        """SIGKILL it `seconds` after its first act was begun, which is on the disk by then; answers how it ended."""
        self._until(lambda: b'"StepBegun"' in self.report.read_bytes())
        return self.kill_at(0, seconds, group)

    def items(self) -> int:
        """How many checks and steps have ended."""
        return self.report.read_bytes().count(b'"StepEnded"')

    def lines(self) -> list[Line]:
        """All whole lines so far."""
        return [json.loads(line) for line in self.report.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def _until(self, reached: Callable[[], bool]) -> None:
        """Wait until the run is so far, or over. One that gets nowhere within LIMIT_S ends as `end` has it."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None and not reached():
            if time.monotonic() > deadline:
                self.end(0.0)
            self._wait(_LOOK_S)

    def _wait(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return


@dataclass
class Bench:
    """One running house. Use it as a context: nothing is left running afterwards.

    `warm`: runs are not started from nothing, but copied from a process that has their imports (warm.py).
    """

    shape: HouseShape
    folder: HouseFolder
    speed: float
    scenario: str = "empty"
    warm: bool = False
    runs: int = 0
    lost_at: int = 0
    groups: set[int] = field(default_factory=set)
    copied: Warm | None = None

    @classmethod
    def of(cls, house: str, root: Path, *, speed: float = 20.0, scenario: str = "empty", warm: bool = False) -> Bench:
        """A bench for a sample house in a folder that may be removed."""
        return cls(SHAPES[house], HouseFolder(root / house), speed, scenario, warm)

    def __enter__(self) -> Bench:
        stop(self.shape.name, self.folder)  # what a killed life of this bench left
        start(self.shape.name, self.scenario, self.speed, self.folder)
        for folder in (self.reports, self.temporary, self.shims):
            folder.mkdir(parents=True)
        self._make_shims()
        if self.warm:
            self.copied = Warm(self.covered(), CHECKOUT)
        return self

    def __exit__(self, *_: object) -> None:
        if "kube" in vars(self):
            self.kube.close()
        if self.copied is not None:
            self.copied.close()
        stop(self.shape.name, self.folder)

    @cached_property
    def kube(self) -> Kube:
        """The administrator's client at the cluster's endpoint, for what is asked again and again: each kubectl takes a tenth of a
        second of work, and as much again of the API server."""
        kept, told = self.folder.parts / "services", json.loads(self.folder.endpoints.read_text())
        return Kube(Access(told["kubernetes"]["endpoint"], kept / "ca.crt", kept / "admin.crt", kept / "admin.key"))

    @property
    def reports(self) -> Path:
        """What runs printed: one file per run and stream."""
        return self.folder.root / "bench" / "reports"

    @property
    def temporary(self) -> Path:
        """The TMPDIR of every run."""
        return self.folder.root / "bench" / "tmp"

    @property
    def argv_log(self) -> Path:
        """Every argument of every program that any run started, one a line."""
        return self.folder.root / "bench" / "argv"

    @property
    def shims(self) -> Path:
        """What lies over the programs' folder."""
        return self.folder.root / "bench" / "shims"

    @property
    def state(self) -> Path:
        """The house's state folder."""
        return self.folder.root / "state"

    def begin(self, verb: str, *arguments: str) -> Running:
        """Start a verb; returns at once. With the house's own settings, unless the arguments name others, or a kit."""
        self.runs += 1
        report = self.reports / f"{self.runs:03}-{verb}.jsonl"
        invoke = str(Path(sys.executable).with_name("invoke"))
        named = () if {"--settings", "--from-kit", "--open"} & set(arguments) else ("--settings", str(self.folder.settings))
        argv, environment = [invoke, verb, *named, "--json", *arguments], {**os.environ, "TMPDIR": str(self.temporary)}
        process: subprocess.Popen[bytes] | Copy
        with report.open("wb") as out, report.with_suffix(".err").open("wb") as err:
            if self.copied is not None:
                process = self.copied.begin(argv, CHECKOUT, environment, out.fileno(), err.fileno())
            else:
                process = subprocess.Popen(
                    [*self.covered(), *argv], cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                    start_new_session=True,
                )  # fmt: skip
        self.groups.add(process.pid)
        return Running(process, report, time.monotonic())

    def run(self, verb: str, *arguments: str) -> Ended:
        """A verb from its start to its end."""
        return self.begin(verb, *arguments).end()

    def converge(self, verb: str, *arguments: str, good: tuple[int, ...] = (0, 6), tries: int = 3) -> Ended:
        """Run a verb until it ends well; a run after a death may find the house still changing. NotConverged says why not."""
        ended = self.run(verb, *arguments)
        for _ in range(tries - 1):
            if ended.code in good or ended.code == EXIT_BUG:
                break
            ended = self.run(verb, *arguments)
        if ended.code not in good:
            last = sorted(self.reports.glob("*.err"))[-1].read_text()[-2000:]
            raise NotConverged(f"{verb} ended with {ended.code}: {ended.failures or ended.lines[-3:]} {last}")
        return ended

    def ask(self, do: str, **more: Any) -> Line:
        """One command to the house's control socket."""
        return ask(self.folder.control, {"do": do, **more})

    def lose_everything(self) -> None:
        """Every VM, disk and image is gone; armed faults are called off, and mutations are counted from here on."""
        self.ask("lose-everything")
        for node in self.shape.nodes:
            self.ask("trouble", name="image-gone", target=node.host)
        self.ask("disarm")
        self.ask("forget")
        self.lost_at = len(self.ask("history")["history"])

    def happened(self) -> list[str]:
        """What happened in the World since everything was lost (or since the house's beginning)."""
        return [what for _, _, what in self.ask("history")["history"][self.lost_at :]]

    def covered(self) -> list[str]:
        """The words before a command that let it alone see the shims in place of the programs."""
        rights = ("--propagation", "private") if os.geteuid() == 0 else ("--user", "--map-root-user")
        cover = 'mount --bind "$1" "$2" && mount --bind "$3" "$1" && shift 3 && exec "$@"'
        where = (str(Places().programs), str(self._real), str(self.shims))
        return ["unshare", "--mount", *rights, "--", "/bin/sh", "-c", cover, "sh", *where]

    @property
    def _real(self) -> Path:
        return self.folder.root / "bench" / "programs"

    def _make_shims(self) -> None:
        self._real.mkdir()
        self.argv_log.touch(mode=0o600)
        found = {path.name: self._real / path.name for path in Places().programs.iterdir()}
        found |= {name: Path(path) for name in ("git", "ssh") if (path := shutil.which(name))}
        for name, real in found.items():
            shim = self.shims / name
            shim.write_text(f'#!/bin/sh\nprintf "%s\\n" "{name}" "$@" >>"{self.argv_log}"\nexec "{real}" "$@"\n')
            shim.chmod(0o755)
