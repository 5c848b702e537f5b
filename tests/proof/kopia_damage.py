"""Makes damaged and odd repositories with real kopia, and holds the audit's verdicts against what kopia can really restore.

`python -m tests.proof.kopia_damage` prints each of them, at each depth, and ends with 1 for one wrong yes or one false alarm;
with `--quick` at the first depth alone that must find it.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from adapters.backups.engines import EngineBackups
from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Depth
from adapters.kopia.adapter import KopiaBackups
from adapters.kopia.opening import KopiaOpenings
from adapters.ports import BackupsView
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from engine.waiting import SystemClock
from house.model import SecretRef
from tests.proof.damage import DEEP, Result, summed_up, told
from tests.proof.kopia_cases import KopiaCase, kopia_cases
from tests.proof.kopia_master import IDENTITY, copy_of, kopia, make
from tests.proof.looking import audits, claim_at
from tests.proof.master import BIN
from tests.proof.truth import Truth, differing


class KopiaShop:
    """A folder with the good repository, and room for the copies."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.master = make(base)

    @contextmanager
    def looking(self, name: str, password: str) -> Iterator[BackupsView]:
        """The real adapters."""
        with Keeper(self.base / f"keeper-{name}", search=(BIN,)) as keeper:
            secrets = Secrets(keeper, self.base, None, {"PASSWORD": password})
            openings = Openings(secrets)
            clock = SystemClock()
            yield EngineBackups(ResticBackups(keeper, openings, clock), KopiaBackups(keeper, KopiaOpenings(openings), clock))

    def play(self, case: KopiaCase, depths: Sequence[Depth]) -> Result:
        """Copy, damage, look, restore."""
        place = "".join(letter if letter.isalnum() else "-" for letter in case.name)
        folder = copy_of(self.master.folder, self.base / "copies" / place)
        case.do(folder, self.master)
        before = _seen(folder)
        claim = replace(claim_at(str(folder)), password=SecretRef(("env:PASSWORD",)), engine="kopia", identity=IDENTITY)
        with self.looking(place, case.password) as backups:
            seen = audits(backups, claim, depths)
        assert _seen(folder) == before, "a look has written to the repository"
        return Result(case.name, seen, self._truth(folder, seen.newest, case, place), case.good, case.silent)

    def _truth(self, folder: Path, newest: str, case: KopiaCase, place: str) -> Truth:
        """Of the snapshot that the audit names; where that is not the newest that was made, what was backed up last is lost."""
        wanted = newest or str(self.master.newest["id"])
        if wanted not in self.master.references:
            return Truth(False, "no snapshot of the claim's")
        state, target = self.base / f"truth-{place}", self.base / f"target-{place}"
        env = {"KOPIA_PASSWORD": case.password}
        done = kopia(state, "repository", "connect", "filesystem", f"--path={folder}", "--readonly", env=env)
        if done.returncode == 0:
            done = kopia(state, "restore", wanted, str(target), env=env)
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            return Truth(False, f"kopia ends with {done.returncode}: {(said or [''])[-1][:90]}")
        found = differing(self.master.references[wanted], target)
        shutil.rmtree(target, ignore_errors=True)
        if found:
            return Truth(False, f"{len(found)} differ: {found[0]}")
        if wanted != self.master.newest["id"]:
            return Truth(False, "an older snapshot than the newest that was made")
        return Truth(True, "every byte is there")


def _seen(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and the time that it was written at."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in (folder.rglob("*") if folder.exists() else ())
    }


@contextmanager
def kopia_shop() -> Iterator[KopiaShop]:
    """All of it in a folder that is removed at the end."""
    base = Path(tempfile.mkdtemp(prefix="kopia-damage-"))
    (base / "copies").mkdir()
    try:
        yield KopiaShop(base)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def main(*words: str) -> int:
    """Print the table; 1 for a wrong yes, a false alarm, or where kopia is not built: nothing was proven then.

    Words are names of cases, all where there are none.
    """
    if not (BIN / "kopia").exists():
        print("kopia is not built: invoke tools.build --only kopia")
        return 1
    quick, names = "--quick" in words, [word for word in words if word != "--quick"]
    began, results = time.monotonic(), []
    print(f"{'repository':<44} {'truth':<11} " + " ".join(f" {depth.value:<18}" for depth in Depth))
    with kopia_shop() as shop:
        for case in kopia_cases():
            if names and case.name not in names:
                continue
            depths = tuple(Depth) if not quick else (Depth.READ,) if case.silent else (Depth.TREE,)
            result = shop.play(case, depths)
            results.append((case, result))
            print(told(result), flush=True)
    alarms = [result for case, result in results if result.false_alarm or (case.spared and not spared(result))]
    return summed_up([result for _, result in results], alarms, began)


def spared(result: Result) -> bool:
    """Whether what the newest can do without is said, and the newest called whole, at every depth that can see it."""
    return all(result.seen.told[depth].startswith("no, damaged") for depth in DEEP if depth in result.seen.told)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
