"""Audits one repository at every depth with the real adapter, in this process or, as another user, in a child of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Depth
from adapters.ports import BackupsView
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from cluster.backups.audit import Asked, ClaimAudit, audit_claim
from engine.waiting import SystemClock
from house.model import BackedUpClaim, Limits, Requirement, SecretRef
from tests.builders import a_claim, a_house
from tests.proof.master import BIN, PASSWORD, PATIENCE_S

CHECKOUT = Path(__file__).resolve().parents[2]
STORE_ENV = {"AWS_ACCESS_KEY_ID": "LABKEYID", "AWS_SECRET_ACCESS_KEY": "the-secret-key-of-the-store"}


@dataclass(frozen=True)
class Seen:
    """The verdicts by depth, in words, and the snapshot that a restore would take ("" for none)."""

    told: Mapping[Depth, str]
    newest: str
    detail: str


@contextmanager
def looking(state: Path) -> Iterator[BackupsView]:
    """The real adapter."""
    with Keeper(state, search=(BIN,)) as keeper:
        secrets = Secrets(keeper, state, None, {"PASSWORD": PASSWORD, **STORE_ENV})
        yield ResticBackups(keeper, Openings(secrets), SystemClock())


def claim_at(address: str, ca_file: str = "", name: str = "notes") -> BackedUpClaim:
    """A claim that must have data, not older than a day and a half."""
    environment = tuple((key, SecretRef((f"env:{key}",))) for key in STORE_ENV) if ca_file else ()
    return replace(
        a_claim(name), open_as=address, password=SecretRef(("env:PASSWORD",)), environment=environment, ca_file=ca_file,
        requirement=Requirement(True, 36 * 3600.0, 0),
    )  # fmt: skip


def audits(backups: BackupsView, claim: BackedUpClaim, depths: Sequence[Depth]) -> Seen:
    """One audit a depth, each of its own: what one found is no help to the next."""
    found: dict[Depth, ClaimAudit] = {}
    house = replace(a_house(), limits=Limits(look_s=PATIENCE_S, restore_s=PATIENCE_S))
    for depth in depths:
        found[depth] = audit_claim(backups, SystemClock(), house, claim, Asked(depth=depth, alone=True))
    deepest = found[depths[-1]]
    newest = next((audit.newest.snapshot_id for audit in found.values() if audit.newest is not None), "")
    told = {depth: "no, " + audit.told if audit.verdict.value not in ("ok",) else audit.told for depth, audit in found.items()}
    return Seen(told, newest, deepest.detail)


def without_rights() -> list[str]:
    """What a command is begun with so that a file's mode counts for it, though the user is root."""
    rights = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={rights}", f"--inh-caps={rights}"] if os.geteuid() == 0 else []


def audits_without_rights(state: Path, address: str, depths: Sequence[Depth]) -> Seen:
    """The same, looked at by a user whom a file's mode stops."""
    argv = [*without_rights(), sys.executable, "-m", "tests.proof.looking", str(state), address, *(depth.value for depth in depths)]
    env = {"PATH": os.environ["PATH"], "HOME": str(state), "PYTHONPATH": str(CHECKOUT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(argv, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return Seen({Depth(depth): words for depth, words in told["told"].items()}, told["newest"], told["detail"])


def main(state: str, address: str, *depths: str) -> None:
    """What `audits_without_rights` runs."""
    with looking(Path(state)) as backups:
        seen = audits(backups, claim_at(address), [Depth(depth) for depth in depths])
    print(json.dumps({"told": {d.value: words for d, words in seen.told.items()}, "newest": seen.newest, "detail": seen.detail}))


if __name__ == "__main__":
    main(*sys.argv[1:])
