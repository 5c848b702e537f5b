"""The port of versions on the lab's S3 door, with a real repository: pruned to death, brought back as it was, checked by restic."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Depth, Repository, Verdict
from adapters.kubernetes.client import Clients
from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from adapters.versions.adapter import S3Versions
from adapters.versions.results import Keeping, May
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from house.model import SecretRef
from lab.wire.pki import LabCA
from lab.wire.s3.door import AccessKey, S3Door
from lab.wire.s3.objects import ObjectStore
from lab.world.faults import Faults
from recovery.points.former import former, losses
from tests.contract.stores.backup_benches import BIN, PASSWORD, SECRET_KEY, RealClock, closed_port
from tests.proof.sealing import cheapen

pytestmark = pytest.mark.programs
MOVERS = "secret-of-the-movers-own-key"


class Api:
    """The movers' Secret, as the cluster would have it."""

    def __init__(self) -> None:
        self.data: dict[str, str] = {}

    def main(self) -> Api:
        return self

    def get(self, kind: Any, name: str, namespace: str = "") -> dict[str, Any] | None:
        if not self.data:
            raise TransientError("no API server answers")
        return {"data": self.data}


@dataclass
class Bench:
    objects: ObjectStore
    door: S3Door
    versions: S3Versions
    backups: ResticBackups
    keeper: Keeper
    api: Api
    repository: Repository
    env: dict[str, str | Secret]

    def restic(self, *argv: str, cwd: Path | None = None) -> None:
        self.keeper.run(["restic", *argv, "--no-cache"], env=self.env, cwd=cwd, timeout_s=60)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("versions")
    authority, objects, api = LabCA(folder / "ca"), ObjectStore(folder / "s3"), Api()
    objects.make_bucket("backups")
    movers = AccessKey("MOVERS", Secret(MOVERS), may=frozenset({"read", "list", "write", "delete"}))
    keys = (AccessKey("LABKEYID", Secret(SECRET_KEY)), movers)
    door = S3Door(objects, keys, authority.server("s3", "127.0.0.1").context(), Faults()).start()
    environ = {"PASSWORD": PASSWORD, "KEY_ID": "LABKEYID", "KEY": SECRET_KEY}
    environment = (("AWS_ACCESS_KEY_ID", SecretRef(("env:KEY_ID",))), ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:KEY",))))
    address = f"s3:{door.url}/backups/notes"
    with Keeper(folder / "state", search=(BIN,)) as keeper:
        openings = Openings(Secrets(keeper, folder, None, environ))
        yield Bench(
            objects, door, S3Versions(openings, cast("Clients", api)), ResticBackups(keeper, openings, RealClock()), keeper, api,
            Repository("notes", address, SecretRef(("env:PASSWORD",)), environment, str(authority.ca_file)),
            {"RESTIC_REPOSITORY": address, "RESTIC_PASSWORD": PASSWORD, "AWS_ACCESS_KEY_ID": "LABKEYID",
             "AWS_SECRET_ACCESS_KEY": Secret(SECRET_KEY), "RESTIC_CACERT": str(authority.ca_file)},
        )  # fmt: skip
    door.close()


def test_a_bucket_says_what_it_keeps_and_who_may_undo_it(bench: Bench) -> None:
    place = bench.door.url + "/backups"
    told = bench.versions.guard(bench.repository)
    assert (told.bucket, told.keeping, told.lock, told.kept_s, told.why) == (place, Keeping.NONE, "", 0.0, ())
    keeping = bench.objects.former.of("backups")
    keeping.state, keeping.lock, keeping.expires_days = "Enabled", ("GOVERNANCE", 30), 90
    told = bench.versions.guard(bench.repository)
    assert (told.keeping, told.lock, told.lock_s, told.kept_s) == (Keeping.KEPT, "governance", 30 * 86400, 90 * 86400)
    keeping.state, keeping.lock, keeping.expires_days = "", None, 0
    ours, theirs = bench.versions.undoing(bench.repository, "apps", "notes-volsync-secret")
    assert (ours.may, theirs.may, theirs.why) == (May.YES, May.UNKNOWN, "no API server answers")
    bench.api.data = {"AWS_ACCESS_KEY_ID": "TU9WRVJT", "AWS_SECRET_ACCESS_KEY": "c2VjcmV0LW9mLXRoZS1tb3ZlcnMtb3duLWtleQ=="}
    _, theirs = bench.versions.undoing(bench.repository, "apps", "notes-volsync-secret")
    assert (theirs.key, theirs.may) == ("Secret apps/notes-volsync-secret", May.NO)
    bench.api.data = {"RESTIC_PASSWORD": "YQ=="}
    _, theirs = bench.versions.undoing(bench.repository, "apps", "notes-volsync-secret")
    assert (theirs.may, theirs.why) == (May.UNKNOWN, "it holds no key of the store")


def test_a_repository_that_was_pruned_to_death_is_brought_back_as_it_was(bench: Bench, tmp_path: Path) -> None:
    bench.restic("init")
    cheapen(bench.objects._base("backups", "main") / "notes", PASSWORD)
    bench.objects.former.of("backups").state = "Enabled"
    for text in ("the first note", "the second note"):
        (tmp_path / "one.md").write_text(text)
        bench.restic("backup", "--host", "volsync", ".", cwd=tmp_path)
    before = bench.backups.look(bench.repository).points
    assert len(before) == 2
    time.sleep(0.01)
    moment = time.time()
    bench.restic("forget", "--keep-last", "1", "--prune", "--group-by", "")
    for key in list(bench.objects.keys("backups", "notes/")):
        bench.objects.delete("backups", key)
    assert bench.backups.look(bench.repository).verdict is Verdict.MISSING
    history = bench.versions.history(bench.repository)
    assert sum(one.snapshots for one in losses(history)) == 2 and not former(history).whole
    assert not any(one.over for one in losses(history)), "restic writes over nothing"
    state = former(history, moment)
    assert state.whole and len(state.snapshots) == 2 and not [one for one in state.files if one.name.startswith("locks/")]
    into = f"{bench.repository.address}-as-of-then"
    for _ in range(2):
        bench.versions.bring(bench.repository, into, state.files)
    back = replace(bench.repository, address=into)
    assert bench.backups.look(back).points == before
    seen = bench.backups.examine(back, before[0].snapshot_id, Depth.CHECKED, limit_s=60)
    assert (seen.verdict, seen.depth) == (Verdict.OK, Depth.CHECKED), seen
    assert {one.name: one.size for one in former(bench.versions.history(back)).files} == {one.name: one.size for one in state.files}
    assert bench.door.unknown == []


def test_what_is_not_known_is_never_nothing(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="lies in no bucket"):
        bench.versions.history(replace(bench.repository, address="/mnt/nas/notes"))
    away = replace(bench.repository, address=f"s3:https://127.0.0.1:{closed_port()}/backups/notes")
    for ask in (bench.versions.history, bench.versions.guard):
        with pytest.raises(TransientError):
            ask(away)
    with pytest.raises(PermanentError):
        bench.versions.history(replace(bench.repository, address=f"s3:{bench.door.url}/another/notes"))
