"""What is written out of a snapshot is compared with it, piece by piece: real restic, odd names, damaged packs."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Repository, RestorePoint
from adapters.process.keeper import Keeper
from adapters.process.results import Finished
from adapters.secrets.resolver import Secrets
from engine.errors import PermanentError
from engine.secrets import Secret
from engine.waiting import SystemClock
from house.model import SecretRef
from recovery.files import fetch, target_of
from tests.contract.stores.backup_benches import BIN, PASSWORD
from tests.proof.sealing import cheapen

pytestmark = [pytest.mark.programs, pytest.mark.skipif(not (BIN / "restic").exists(), reason="restic is not built")]
ODD = ("a*b?[c].txt", "white space", "\\back", "!not", "-dash", "ü", "$HOME", "a:b", "**")


@dataclass
class Bench:
    backups: ResticBackups
    repository: Repository
    files: Path
    snapshot: str


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("onepath")
    volume, place = folder / "volume", folder / "repository"
    (volume / "deep" / "er").mkdir(parents=True)
    for name in ODD:
        (volume / name).write_text(f"content of {name}")
        (volume / "deep" / name).write_text(f"deep content of {name}")
    (volume / "deep" / "er" / "large").write_bytes(os.urandom(3 << 20))
    (volume / "deep" / "er" / "none").touch()
    (volume / "deep" / "link").symlink_to("er//large")
    (volume / "deep" / "er" / "closed").write_text("s")
    (volume / "deep" / "er" / "closed").chmod(0o4640)
    os.mkfifo(volume / "deep" / "pipe")
    with Keeper(folder / "state", search=(BIN,)) as keeper:
        env = {"RESTIC_REPOSITORY": str(place), "RESTIC_PASSWORD": PASSWORD}
        keeper.run(["restic", "init", "--no-cache"], env=env, timeout_s=60)
        cheapen(place, PASSWORD)
        keeper.run(["restic", "backup", "--no-cache", "--host", "volsync", "."], env=env, cwd=volume, timeout_s=60)
        backups = ResticBackups(keeper, Openings(Secrets(keeper, folder, None, {"PASSWORD": PASSWORD})), SystemClock())
        repository = Repository("apps/notes", str(place), SecretRef(("env:PASSWORD",)))
        yield Bench(backups, repository, place, backups.look(repository).points[0].snapshot_id)


def point(bench: Bench) -> RestorePoint:
    return bench.backups.look(bench.repository).points[0]


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("folder", ["", "deep/"])
def test_one_file_of_any_name_comes_alone_and_whole(bench: Bench, tmp_path: Path, name: str, folder: str) -> None:
    got = fetch(bench.backups, bench.repository, point(bench), folder + name, tmp_path / name).fetched
    assert (tmp_path / name).read_text().endswith(f"content of {name}") and (got.files, got.unlike) == (1, ())
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_a_folder_comes_with_all_that_is_in_it(bench: Bench, tmp_path: Path) -> None:
    got = fetch(bench.backups, bench.repository, point(bench), "deep", tmp_path / "deep").fetched
    assert got.files == len(ODD) + 3 and not got.unlike and "owners" in got.aside
    assert (tmp_path / "deep" / "link").readlink() == Path("er/large")
    assert stat.S_ISFIFO((tmp_path / "deep" / "pipe").lstat().st_mode)
    assert stat.S_IMODE((tmp_path / "deep" / "er" / "closed").stat().st_mode) == 0o4640


def test_the_whole_snapshot_comes_under_the_name_of_its_claim(bench: Bench, tmp_path: Path) -> None:
    assert fetch(bench.backups, bench.repository, point(bench), "", tmp_path / "notes").fetched.files == 2 * len(ODD) + 3
    assert {*ODD, "deep"} == {found.name for found in (tmp_path / "notes").iterdir()}


def test_a_folder_that_is_named_from_where_one_stands(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fetch(bench.backups, bench.repository, point(bench), "ü", target_of(Path("out"), "ü", "notes"))
    assert (tmp_path / "out" / "ü").read_text() == "content of ü"


def test_what_is_not_there_leaves_nothing_behind(bench: Bench, tmp_path: Path) -> None:
    with pytest.raises(PermanentError) as refused:
        fetch(bench.backups, bench.repository, point(bench), "deep/none/such", tmp_path / "into" / "such")
    assert refused.value.evidence == ("the snapshot has nothing there",)
    assert not list((tmp_path / "into").iterdir())


def test_a_flipped_bit_in_a_pack_is_never_handed_out(bench: Bench, tmp_path: Path) -> None:
    packs = sorted(bench.files.glob("data/*/*"), key=lambda pack: pack.stat().st_size)
    largest, kept = packs[-1], packs[-1].read_bytes()
    largest.chmod(0o600)
    try:
        largest.write_bytes(bytes(byte ^ 1 for byte in kept[:-1000]) + kept[-1000:])
        with pytest.raises(PermanentError):
            fetch(bench.backups, bench.repository, point(bench), "deep/er/large", tmp_path / "large")
        assert not list(tmp_path.iterdir())
    finally:
        largest.write_bytes(kept)


def test_what_changes_behind_restic_is_told_and_deleted(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that keeps other bytes than it was given, another entry, another mode: each is its own word."""
    fetched = bench.backups.fetch(bench.repository, bench.snapshot, "deep", tmp_path)
    assert not fetched.unlike
    runner = bench.backups._paths._runner

    class Spoiling:
        """A disk that lies, between restic and the comparison."""

        stream = staticmethod(runner.stream)

        def run(self, argv: Sequence[str], *, env: Mapping[str, str | Secret], timeout_s: float) -> Finished:
            finished = runner.run(argv, env=env, timeout_s=timeout_s)
            deep = tmp_path / "again" / "deep"
            (deep / "er" / "none").write_text("not empty")
            (deep / "stranger").touch()
            (deep / "white space").chmod(0o600)
            (deep / "ü").unlink()
            return finished

    monkeypatch.setattr(bench.backups._paths, "_runner", Spoiling())
    (tmp_path / "again").mkdir()
    found = "\n".join(bench.backups.fetch(bench.repository, bench.snapshot, "deep", tmp_path / "again").unlike)
    for told in (
        "/deep/er/none: it is not 0 bytes",
        "stranger: the snapshot has no such",
        "/deep/white space: its mode is 600",
        "/deep/ü: it did not come",
    ):
        assert told in found
