"""Makes damaged and odd repositories with real restic, and holds the audit's verdicts against what can really be restored.

`python -m tests.proof.damage` prints each of them, at each depth, and ends with 1 for one wrong yes or one false alarm.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.backups.results import Depth, Verdict
from adapters.ports import BackupsView
from cluster.backups.audit import Asked
from cluster.backups.auditing import audit_all
from engine.secrets import Secret
from engine.waiting import SystemClock
from engine.workers import Threads
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from tests.builders import a_house
from tests.proof.cases import Case, cases
from tests.proof.looking import (
    STORE_ENV,
    Seen,
    audits,
    audits_without_rights,
    claim_at,
    looking,
    without_rights,
)
from tests.proof.master import copy_of, listed, make, restic
from tests.proof.truth import Truth, restored

DEEP = (Depth.TREE, Depth.CHECKED, Depth.READ)
_AT_ONCE = 2


@dataclass(frozen=True)
class Result:
    """One repository: what was said of it at each depth, and the truth."""

    name: str
    seen: Seen
    truth: Truth
    good: bool
    silent: bool

    @property
    def wrong_yes(self) -> tuple[Depth, ...]:
        """Depths at which it was called ok although it cannot be restored; silent harm has to be found by reading alone."""
        deep = (Depth.READ,) if self.silent else DEEP
        return tuple(d for d in deep if d in self.seen.told and not self.truth.whole and self.seen.told[d].startswith("ok"))

    @property
    def false_alarm(self) -> tuple[Depth, ...]:
        """Depths at which something is said against a good one."""
        return tuple(d for d, told in self.seen.told.items() if self.good and self.truth.whole and not told.startswith("ok"))


class Workshop:
    """A folder with the good repository, the S3 door, and room for the copies."""

    def __init__(self, base: Path, backups: BackupsView, door: S3Door, authority: LabCA) -> None:
        self.base, self.backups, self.door, self.authority = base, backups, door, authority
        self.masters = {version: make(base, version) for version in ("1", "2")}
        self.references: dict[str, Path] = {}
        for version, master in self.masters.items():
            for snapshot in master.snapshots:
                target = base / f"reference-{version}-{snapshot['id'][:8]}"
                done = restic(master.folder, "restore", snapshot["id"], "--target", str(target))
                assert done.returncode == 0, done.stderr
                self.references[snapshot["tree"]] = target

    def play(self, case: Case, depths: Sequence[Depth], *, version: str = "2", store: bool = False) -> Result:
        """Copy, damage, look, restore."""
        name = f"{case.name}{', format 1' if version == '1' else ''}{', in a bucket' if store else ''}"
        place = "".join(letter if letter.isalnum() else "-" for letter in name)
        root = self.base / "s3" / "buckets" / "backups" if store else self.base / "copies"
        folder = copy_of(self.masters[version].folder, root / place)
        case.do(folder, self.masters[version])
        address = f"s3:{self.door.url}/backups/{place}" if store else str(folder)
        ca_file = str(self.authority.ca_file) if store else ""
        seen = (
            audits_without_rights(self._own(f"state-{place}"), address, depths) if case.user
            else audits(self.backups, claim_at(address, ca_file), depths)
        )  # fmt: skip
        truth = self._truth(address, folder, seen, case, {**STORE_ENV, "RESTIC_CACERT": ca_file} if store else {}, place)
        return Result(name, seen, truth, case.good, case.silent)

    def _truth(self, address: str, folder: Path, seen: Seen, case: Case, env: dict[str, str], place: str) -> Truth:
        """Of the snapshot that a restore would take; where the audit names none, of the newest that restic lists."""
        prefix = without_rights() if case.user else []
        known = {one["id"]: one for one in listed(address, env=env, prefix=prefix, patience_s=case.patience_s)}
        mine = [one["id"] for one in known.values() if one["paths"] == ["/data"]]
        wanted = seen.newest or (mine[-1] if mine else "")
        if wanted not in known:
            return Truth(False, "restic lists no snapshot")
        reference = self.references.get(known[wanted]["tree"], folder.with_name(f"{folder.name}-volume"))
        target = self._own(f"target-{place}")
        truth = restored(address, wanted, reference, target, prefix, env, case.patience_s)
        shutil.rmtree(target, ignore_errors=True)
        return truth

    def _own(self, name: str) -> Path:
        made = self.base / name
        made.mkdir()
        return made

    def shared(self) -> Iterator[Result]:
        """One repository behind two claims: by a link, by another spelling, and as a copy. Its data are not either's alone."""
        folder = copy_of(self.masters["2"].folder, self.base / "copies" / "shared")
        (self.base / "copies" / "link").symlink_to(folder)
        copied = copy_of(folder, self.base / "copies" / "copied")
        for what, other in (
            ("a link to another claim's", self.base / "copies" / "link"),
            ("another claim's, with two slashes", f"{self.base}/copies//shared"),
            ("a copy of another claim's", copied),
        ):
            claims = (claim_at(str(folder)), claim_at(str(other), name="photos"))
            house = replace(a_house(), claims=claims)
            told = {}
            for depth in Depth:
                found = audit_all(self.backups, SystemClock(), house, Asked(depth=depth), Threads(), lambda _: None)
                told[depth] = "ok" if any(a.verdict is Verdict.OK for a in found) else f"no, {found[1].told}"
            yield Result(what, Seen(told, "", found[1].detail), Truth(False, "restores, and it is another claim's"), False, False)


@contextmanager
def workshop() -> Iterator[Workshop]:
    """All of it in a folder that is removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="damage-"))
    base.chmod(0o755)
    (base / "copies").mkdir()
    authority = LabCA(base / "ca")
    objects = ObjectStore(base / "s3")
    objects.make_bucket("backups")
    key = AccessKey(STORE_ENV["AWS_ACCESS_KEY_ID"], Secret(STORE_ENV["AWS_SECRET_ACCESS_KEY"]))
    door = S3Door(objects, (key,), authority.server("s3", "127.0.0.1").context(), Faults()).start()
    try:
        with looking(base / "state") as backups:
            yield Workshop(base, backups, door, authority)
    finally:
        door.close()
        for path in base.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(base, ignore_errors=True)


def all_results(shop: Workshop, depths: Sequence[Depth]) -> Iterator[Result]:
    """Every case, those for a store there too, and the good one in the older format."""
    made = list(cases())
    jobs = [(case, False) for case in made] + [(case, True) for case in made if case.store]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        later = [pool.submit(shop.play, case, depths, store=store) for case, store in jobs]
        later += [pool.submit(shop.play, made[0], depths, version="1")]
        later += [pool.submit(shop.play, case, depths, version="1") for case in made if case.name == "data pack a byte short"]
        for one in later:
            yield one.result()
    yield from shop.shared()


def told(result: Result) -> str:
    """One line."""
    marks = {d: "!" if d in (*result.wrong_yes, *result.false_alarm) else " " for d in Depth}
    columns = " ".join(f"{marks[d]}{words[:18]:<18}" for d, words in result.seen.told.items())
    return f"{result.name:<44} {'restorable' if result.truth.whole else 'NOT':<11} {columns} {result.truth.told}"


def main() -> int:
    """Print the table; 1 for a wrong yes or a false alarm."""
    began = time.monotonic()
    results = []
    print(f"{'repository':<44} {'truth':<11} " + " ".join(f" {depth.value:<18}" for depth in Depth))
    with workshop() as shop:
        for result in all_results(shop, tuple(Depth)):
            results.append(result)
            print(told(result), flush=True)
    return summed_up(results, [one for one in results if one.false_alarm], began)


def summed_up(results: Sequence[Result], alarms: Sequence[Result], began: float) -> int:
    """Print how many there were since `began` (of the monotonic clock) and which went wrong; the exit code."""
    wrong = [one for one in results if one.wrong_yes]
    lost = sum(not one.truth.whole for one in results)
    print(
        f"\n{len(results)} repositories, {lost} of them not restorable as they are, in {time.monotonic() - began:.0f} s: "
        f"{len(wrong)} wrong yes, {len(alarms)} false alarms"
    )
    for result in (*wrong, *alarms):
        print(f"  {result.name}: {result.seen.detail}; {result.truth.told}")
    return 1 if wrong or alarms else 0


if __name__ == "__main__":
    sys.exit(main())
