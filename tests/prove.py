"""What takes too long for every change, one after the other: `python -m tests.prove [NAME...]`; `--list` runs nothing.

Goes on when one fails, ends with a table and exit code 1 if any did. What ran green is kept in `.proven/`, by commit: the table
says of each proof when that was, and how many commits ago. One that could not look, for want of programs, neither held nor failed.
Knows of a proof only its command.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".proven"
INTERRUPTED, ABSENT = 130, 77
"""Exit codes: Ctrl-C; and of a proof whose programs cannot be had here, so that it looked at nothing."""


@dataclass(frozen=True)
class Proof:
    """A module whose exit code 0 says that everything held; `what` it is about, in under 60 columns."""

    name: str
    what: str
    module: str


# The quick ones first: what is wrong is told early.
PROOFS = (
    Proof("journal", "every bit of a journal turned over: 0 accepted", "tests.crash.journal"),
    Proof("escape", "programs that flee, every way a run ends: 0 alive", "tests.crash.processes.escape"),
    Proof("leases", "two machines, skewed, suspended, cut off: 0 begun late", "tests.crash.lease.leases"),
    Proof("partial", "every part of a house that can be lost: nothing else is", "tests.scenario.judge.partial"),
    Proof("drill", "lab.demo --part rehearsal: one passes, one must not", "tests.rehearsal.played"),
    Proof("frozen", "policies put back: no API server that is blind is a hold", "tests.proof.frozen_record"),
    Proof("ceph", "a real Ceph's faults, where its programs are", "tests.proof.real_ceph"),
    Proof("drawn", "twenty times as many random graphs and odd answers", "tests.drawn"),
    Proof("day", "a day of random faults: all named in time", "tests.coverage.day"),
    Proof("hour", "an hour of random faults met by real programs", "tests.coverage.hour"),
    Proof("fuzz", "20,000 odd inputs: no traceback, no 70, none over 5 s", "tests.fuzz"),
    Proof("matrices", "every fault at every mutation and journal write", "tests.crash.matrices"),
    Proof("drills", "ten years of weekly drills with planted faults", "tests.rehearsal.years"),
    Proof("damage", "the audit's word against restores of damaged backups", "tests.proof.damage"),
    Proof("kopia", "the same of kopia's, for which kopia must be built", "tests.proof.kopia_damage"),
    Proof("lived-in", "a house built through faults and kills, then a drill", "tests.lived_in"),
    Proof("long", "whole houses and clusters: `make test` plays one a kind", "tests.long"),
    Proof("soak", "the wire lab's faults, and ten kills at random", "tests.crash.wire.soak"),
)


@dataclass(frozen=True)
class Green:
    """A run in which everything held: seconds since the epoch, how many it took, and the commit; `changed`: with more than that."""

    at: float
    took_s: float
    commit: str
    changed: bool


@dataclass(frozen=True)
class Line:
    """One proof in the table: the exit code of now, None when it was not run, and when everything held last."""

    proof: Proof
    code: int | None
    green: Green | None


def run(proofs: Sequence[Proof], kept: Path = KEPT, start: Callable[[Proof], int] | None = None) -> tuple[list[Line], bool]:
    """Run each; the lines of the table, and whether Ctrl-C ended it early: what was not run by then says so."""
    lines, interrupted = [], False
    for proof in proofs:
        code = None
        if not interrupted:
            commit, began = tree(), time.time()
            say(f"\n=== {proof.name}: {proof.what}\n")
            try:
                code = (start or _start)(proof)
            except KeyboardInterrupt:
                interrupted = True
            if code == 0:
                _keep(kept, proof, Green(began, time.time() - began, *commit))
        lines.append(Line(proof, code, last_green(proof, kept)))
    return lines, interrupted


def _start(proof: Proof) -> int:
    return subprocess.run([sys.executable, "-m", proof.module], cwd=ROOT, check=False).returncode


def _keep(kept: Path, proof: Proof, green: Green) -> None:
    kept.mkdir(exist_ok=True)
    (kept / f"{proof.name}.json").write_text(json.dumps(asdict(green)))


def last_green(proof: Proof, kept: Path = KEPT) -> Green | None:
    """When everything held last; None where nobody knows of such a run."""
    try:
        return Green(**json.loads((kept / f"{proof.name}.json").read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None


def tree() -> tuple[str, bool]:
    """The commit of this checkout, and whether files differ from it."""
    return _git("rev-parse", "HEAD"), bool(_git("status", "--porcelain"))


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def table(lines: Sequence[Line], now: float | None = None) -> str:
    """What a person reads at the end: two lines a proof."""
    told = []
    for line in lines:
        word = {None: "not run", 0: "held", ABSENT: "not here"}.get(line.code, f"FAILED ({line.code})")
        told.append(f"{line.proof.name:<10} {word:<12} {line.proof.what}")
        told.append(f"{'':<10} {_last(line.green, now or time.time())}")
    return "\n".join(told)


def _last(green: Green | None, now: float) -> str:
    if green is None:
        return "never ran green here"
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(green.at))
    changes = " and changes" if green.changed else ""
    return f"green {when}, {green.commit[:10]}{changes}, {_since(green)}, {(green.took_s + 59) // 60:.0f} min"


def _since(green: Green) -> str:
    """How far the checkout has gone on since."""
    try:
        count = int(_git("rev-list", "--count", f"{green.commit}..HEAD"))
    except (subprocess.CalledProcessError, ValueError):
        return "not in history"
    if count == 0:
        return "this commit"
    return "1 commit ago" if count == 1 else f"{count} commits ago"


def say(text: str) -> None:
    """At once: what comes next writes to the same place by itself."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run the named proofs or all; the exit code: 0 none failed, 1 one did, 2 not understood, 130 interrupted."""
    wanted = [name for name in arguments if name != "--list"]
    if unknown := [name for name in wanted if name not in {proof.name for proof in PROOFS}]:
        say(f"no such proof: {', '.join(unknown)}. There are: {', '.join(proof.name for proof in PROOFS)}")
        return 2
    proofs = [proof for proof in PROOFS if not wanted or proof.name in wanted]
    if "--list" in arguments:
        say(table([Line(proof, None, last_green(proof)) for proof in proofs]))
        return 0
    lines, interrupted = run(proofs)
    say("\n" + table(lines))
    if interrupted:
        return INTERRUPTED
    return 1 if any(line.code not in (0, ABSENT) for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
