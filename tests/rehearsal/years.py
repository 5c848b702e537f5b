"""Ten seeded years of weekly drills on the virtual clock, faults planted between them: `python -m tests.rehearsal.years [YEARS]`.

Prints how often each kind was planted and what the drills said; 1 when a fault passed, a control slipped through unseen, or more
than one in fifty good weeks was called FAIL.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from adapters.volsync.results import FileEntry
from house.model import House
from lab.world.store import a_file
from rehearsal.controls import Kind, following
from rehearsal.outcome import DrillOutcome, DrillVerdict
from tests.crash.apart import Built
from tests.rehearsal.drilling import Drilling, three_claims
from tests.rehearsal.planting import KINDS

WEEK_S = 7 * 86400.0
MAX_AGE_S = 2 * 86400.0
GOOD_SHARE = 0.3
FALSE_FAILS = 0.02


def house() -> House:
    """Three claims that are backed up every night."""
    given = three_claims()
    aged = [replace(c, requirement=replace(c.requirement, max_age=MAX_AGE_S, min_bytes=64)) for c in given.claims]
    return replace(given, claims=tuple(aged))


def volume(name: str, week: int) -> tuple[FileEntry, ...]:
    """What an application's volume holds in that week: of every kind of entry, and something new in each."""
    known = {"mtime_ns": 1_700_000_000_000_000_000 + week, "xattrs": ()}
    folder = FileEntry(name, "dir", 0, 0o755, 1000, 1000, **known)  # type: ignore[arg-type]  # by name
    link = FileEntry(f"{name}/latest", "symlink", 0, 0o777, 1000, 1000, target="one.db", **known)  # type: ignore[arg-type]
    files = [a_file(f"{name}/one.db", f"{name} in week {week}"), a_file(f"{name}/two.md", "the second " * 50)]
    attribute = (("user.tag", b"kept"),)
    return (
        replace(files[0], **known | {"xattrs": attribute}), replace(files[1], **known), folder, link,  # type: ignore[arg-type]
    )  # fmt: skip


@dataclass(frozen=True)
class Week:
    """One drill: `planted` "" for a good week."""

    planted: str
    outcome: DrillOutcome

    @property
    def false_pass(self) -> bool:
        """Whether a fault was passed."""
        return bool(self.planted) and self.outcome.verdict is DrillVerdict.PASS

    @property
    def false_fail(self) -> bool:
        """Whether FAIL was said where nothing is wrong with what was backed up and what came back."""
        wanted = KINDS[self.planted].wanted if self.planted else frozenset({DrillVerdict.PASS})
        return self.outcome.verdict is DrillVerdict.FAIL and DrillVerdict.FAIL not in wanted

    @property
    def otherwise(self) -> bool:
        """Whether it came out as something else than it must."""
        wanted = KINDS[self.planted].wanted if self.planted else frozenset({DrillVerdict.PASS})
        return self.outcome.verdict not in wanted


@dataclass
class Tally:
    """All weeks."""

    weeks: list[Week] = field(default_factory=list)

    @property
    def slipped(self) -> list[Week]:
        """Controls that were held and not caught, but for those weeks in which the comparison was made blind."""
        held = [w for w in self.weeks if w.outcome.control.name]
        return [w for w in held if not w.outcome.control.caught and w.planted != "comparison blind"]

    @property
    def good(self) -> bool:
        """What is demanded."""
        fails = sum(w.false_fail for w in self.weeks)
        return not any(w.false_pass for w in self.weeks) and not self.slipped and fails <= FALSE_FAILS * len(self.weeks)

    def table(self) -> str:
        """One line a kind, and the sums."""
        lines = [f"{'planted':28} {'weeks':>5} {'PASS':>5} {'FAIL':>5} {'UNVER.':>6}  wanted"]
        for kind in ("", *KINDS):
            of = [w for w in self.weeks if w.planted == kind]
            said = Counter(w.outcome.verdict for w in of)
            wanted = sorted(v.value for v in (KINDS[kind].wanted if kind else (DrillVerdict.PASS,)))
            counts = f"{said[DrillVerdict.PASS]:5} {said[DrillVerdict.FAIL]:5} {said[DrillVerdict.UNVERIFIED]:6}"
            odd = "  <- otherwise" if any(w.otherwise for w in of) else ""
            lines.append(f"{kind or 'nothing':28} {len(of):5} {counts}  {' or '.join(wanted)}{odd}")
        controls = Counter(w.outcome.control.name for w in self.weeks if w.outcome.control.name)
        lines.append(f"controls held: {', '.join(f'{name} {count}' for name, count in sorted(controls.items()))}")
        kinds = len({w.planted for w in self.weeks if w.planted})
        false = f"{sum(w.false_pass for w in self.weeks)} false PASS, {sum(w.false_fail for w in self.weeks)} false FAIL"
        lines.append(f"{len(self.weeks)} drills, faults of {kinds} kinds: {false}, {len(self.slipped)} controls slipped through")
        return "\n".join(lines)


def year(seed: int, folder: Path, weeks: int = 52) -> list[Week]:
    """One year: each week meets a copy of the house as it was built, so that no fault outlives its week."""
    random, found, last = Random(seed), [], ""
    built = Built(lambda at: Drilling(at, house(), seed), folder / str(seed))
    kinds = sorted(KINDS)
    random.shuffle(kinds)
    for week in range(weeks):
        planted = "" if random.random() < GOOD_SHARE else kinds[week % len(kinds)]
        claim = random.randrange(3)
        control = following(last)
        outcome = built.visit(lambda there, w=week, p=planted, c=claim, k=control: drilled(there, w, p, c, k))
        last = outcome.control.name or last
        found.append(Week(planted, outcome))
    return found


def drilled(there: Drilling, week: int, planted: str, claim: int, control: Kind) -> DrillOutcome:
    """Let the weeks pass, the last backups be made, and the fault be planted; then drill."""
    there.clock.sleep(week * WEEK_S + 3600)
    for one in there.house.claims:
        there.home.store.repositories[one.mover_repository].snapshots.clear()
        for nights in (4, 3, 2, 1):
            there.home.seed_backup(one.mover_repository, volume(one.claim, week), nights * 86400.0 + 7200)
        there.home.seed_backup(one.mover_repository, volume(one.claim, week + 1), 7200.0)
    there.known = {one.key: there.home.store.repositories[one.mover_repository].repository_id for one in there.house.claims}
    if planted:
        hit = there.house.claims[claim]
        KINDS[planted].plant(there.home, hit.mover_repository, hit.claim)
    return there.drill(control)


def main(arguments: list[str]) -> int:
    """Play so many years (ten); answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.rehearsal.years", description=__doc__)
    parser.add_argument("years", type=int, nargs="?", default=10)
    years = parser.parse_args(arguments).years
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="years-") as folder:
        for seed in range(1, years + 1):
            tally.weeks += year(seed, Path(folder))
            sys.stdout.write(f"year {seed}: {len(tally.weeks)} drills\n")
            sys.stdout.flush()
    sys.stdout.write(tally.table() + "\n")
    for week in tally.weeks:
        if week.otherwise:
            sys.stdout.write(f"  {week.planted or 'nothing'}: {week.outcome.verdict.value} {week.outcome.reasons}\n")
    sys.stdout.write("as it must be\n" if tally.good else "NOT as it must be\n")
    return 0 if tally.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
