"""Which verdict follows from what restic says, and how contents are read: a Runner that plays restic, one recorded answer each."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import pytest

from adapters.backups.opening import Openings
from adapters.backups.restic import ResticBackups
from adapters.backups.results import Repository, Verdict
from adapters.process.results import (
    NO_ENVIRONMENT,
    Finished,
    ProgramFailed,
    ProgramMissing,
    ProgramTimedOut,
)
from adapters.secrets.resolver import Secrets
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.secrets import Secret
from house.model import SecretRef
from tests.adapters.backups.handmade import Handmade, node

CONFIG = b'{"version": 2, "id": "c0ffee"}'
SNAPSHOTS = json.dumps([{"time": "2026-01-01T03:00:00Z", "id": "5" * 64, "hostname": "volsync", "paths": ["/data"]}]).encode()
SNAPSHOT = "5" * 64
Answer = bytes | tuple[int, str] | BlackstartError


class Restic:
    """Plays restic: an answer per command word. bytes are stdout with code 0, (code, stderr) a failure."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = {"cat": CONFIG, "snapshots": SNAPSHOTS, **answers}
        self.asked: list[tuple[str, ...]] = []
        self.env: dict[str, str | Secret] = {}
        self.said = ""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        self.asked.append(tuple(argv))
        self.env = dict(env)
        answer = self.answers[argv[1]]
        if isinstance(answer, BlackstartError):
            raise answer
        if isinstance(answer, tuple):
            lines = tuple(answer[1].splitlines())
            raise ProgramFailed(f"restic ended with code {answer[0]}", Finished("restic", answer[0], b"", lines, 1.0), lines)
        return Finished("restic", 0, answer, tuple(self.said.splitlines()), 1.0)

    def stream(
        self,
        argv: Sequence[str],
        sink: Callable[[bytes], object],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        finished = self.run(argv, env=env, timeout_s=timeout_s)
        for at in range(0, len(finished.stdout), 700):
            sink(finished.stdout[at : at + 700])
        return finished


class Noon:
    """Always the same time: noon of 2 January 2026."""

    def now(self) -> float:
        return 1767355200.0

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("no look sleeps")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A place that looks like a repository with one key, one snapshot, one pack and one fresh lock."""
    for name in ("keys/a", "snapshots/a", "index/a", "locks/a", "data/00/a"):
        (tmp_path / "repo" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / name).write_text("x")
    (tmp_path / "repo" / "config").write_text("x" * 155)
    return Repository("apps/notes", str(tmp_path / "repo"), SecretRef(("env:PASSWORD",)))


def backups(runner: Restic, **environ: str) -> ResticBackups:
    environ = environ or {"PASSWORD": "restic-password"}
    return ResticBackups(runner, Openings(Secrets(runner, Path("/"), None, environ)), Noon())


@pytest.mark.parametrize(
    ("answers", "verdict", "told"),
    [
        ({"cat": (12, "Fatal: wrong password or no key found")}, Verdict.REFUSED, "none of its 1 keys"),
        ({"cat": (10, "Fatal: repository does not exist")}, Verdict.UNREADABLE, "a config is listed"),
        ({"cat": (1, "config or key 123 is damaged: ciphertext verification failed")}, Verdict.UNREADABLE, "verification"),
        ({"cat": (2, "goroutine 1 [running]:")}, Verdict.UNREADABLE, "goroutine"),
        ({"cat": (1, "Fatal: unable to open: Access Denied.")}, Verdict.REFUSED, "Access Denied"),
        ({"snapshots": (1, "dial tcp 127.0.0.1:1: connect: connection refused")}, Verdict.UNREACHABLE, "stopped answering"),
        ({"snapshots": (1, "LoadRaw(<index/..>): invalid data returned")}, Verdict.UNREADABLE, "invalid data"),
        ({"snapshots": (99, "")}, Verdict.UNREADABLE, "damaged"),
        ({"cat": ProgramTimedOut("restic did not end in 120 s")}, Verdict.UNREACHABLE, "did not end"),
        ({"cat": ProgramMissing("the program restic is not on this machine")}, Verdict.UNKNOWN, "not on this machine"),
        ({"cat": b"{}"}, Verdict.UNKNOWN, "without an id"),
        ({"snapshots": b"what"}, Verdict.UNKNOWN, ""),
        ({"snapshots": b"[]"}, Verdict.EMPTY, "no snapshots"),
    ],
)
def test_verdicts(repository: Repository, answers: dict[str, Answer], verdict: Verdict, told: str) -> None:
    seen = backups(Restic(**answers)).look(repository)
    assert seen.verdict is verdict and told in seen.detail and seen.points == ()


def test_a_secret_that_cannot_be_had_is_unknown_and_restic_is_not_asked(repository: Repository) -> None:
    runner = Restic()
    seen = backups(runner, OTHER="x").look(repository)
    assert seen.verdict is Verdict.UNKNOWN and "env:PASSWORD" in seen.detail and not runner.asked


def test_unreadable_snapshot_files_are_told_and_alone_they_are_damage(repository: Repository) -> None:
    runner = Restic()
    runner.said = "Ignoring 123abc: could not load snapshot"
    seen = backups(runner).look(repository)
    assert seen.verdict is Verdict.OK and seen.detail == "1 snapshot files cannot be read"
    runner.answers["snapshots"] = b"[]"
    assert backups(runner).look(repository).verdict is Verdict.UNREADABLE


def test_snapshots_without_any_data_are_damage(repository: Repository) -> None:
    (Path(repository.address) / "data" / "00" / "a").unlink()
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.UNREADABLE and "not one file of their data" in seen.detail and seen.points == ()


@pytest.mark.parametrize("left", ["data/00/a", "locks/a"])
def test_the_least_that_is_left_of_a_repository_is_damage_and_never_missing(tmp_path: Path, left: str) -> None:
    (tmp_path / "repo" / left).parent.mkdir(parents=True)
    (tmp_path / "repo" / left).write_text("x")
    repository = Repository("apps/notes", str(tmp_path / "repo"), SecretRef(("env:PASSWORD",)))
    assert backups(Restic()).look(repository).verdict is Verdict.UNREADABLE
    (tmp_path / "repo" / left).unlink()
    seen = backups(Restic()).look(repository)
    assert seen.verdict is Verdict.MISSING and seen.detail


def test_locks_older_than_half_an_hour_are_stale(repository: Repository) -> None:
    lock = Path(repository.address) / "locks" / "a"
    for age, stale in ((29 * 60, 0), (31 * 60, 1)):
        os.utime(lock, (Noon().now() - age, Noon().now() - age))
        assert backups(Restic()).look(repository).stale_locks == stale


def test_restic_never_locks_and_gets_its_secrets_in_the_environment(repository: Repository) -> None:
    runner = Restic()
    backups(runner).look(repository)
    assert runner.asked == [
        ("restic", "cat", "config", "--no-lock", "--no-cache", "--json"),
        ("restic", "snapshots", "--no-lock", "--no-cache", "--json"),
    ]
    assert runner.env["RESTIC_PASSWORD"] == Secret("restic-password")
    assert runner.env["RESTIC_REPOSITORY"] == repository.address


def archived(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in content.items():
            member = tarfile.TarInfo(path)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


CONTENT = {"a": b"first", "sub/b": b"x" * 5000, "sub/c": b""}


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Handmade, Repository, str]:
    """A repository with one snapshot of CONTENT, whose files restic is played for; and that snapshot's id."""
    made = Handmade(tmp_path / "made")
    below = made.tree(*(node(path[4:], size=len(data)) for path, data in CONTENT.items() if path.startswith("sub/")))
    top = made.tree(node("a", size=5), node("sub", "dir", subtree=below))
    made.index()
    return made, Repository("apps/notes", str(made.root), SecretRef(("env:PASSWORD",))), made.snapshot(top)


def test_all_files_are_hashed_in_one_run_that_tells_what_it_downloaded(stored: tuple[Handmade, Repository, str]) -> None:
    _, repository, snapshot = stored
    runner = Restic(dump=archived({"latin\udcff": b"not asked for", **CONTENT}))
    found = backups(runner).hashes(repository, snapshot)
    assert found.values == tuple((path, hashlib.sha256(data).hexdigest()) for path, data in CONTENT.items())
    assert found.downloaded == sum(map(len, CONTENT.values()))
    assert [argv[1] for argv in runner.asked] == ["dump"]


def test_a_list_is_read_once_for_a_snapshot_never_changes(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    runner = Restic()
    it = backups(runner)
    listing = it.listing(repository, snapshot)
    assert listing.complete and [e.path for e in listing.entries] == ["a", "sub", "sub/b", "sub/c"]
    shutil.rmtree(made.root)
    assert it.listing(repository, snapshot) == listing
    assert runner.asked == []


@pytest.mark.parametrize(
    "dump",
    [
        archived(CONTENT)[:3000],
        archived({"a": b"first"}),
        archived({**CONTENT, "sub/b": b"short"}),
        b"not an archive at all",
        (1, "Load(<data/123>) failed: no such file"),
    ],
)
def test_a_snapshot_that_breaks_off_is_an_error_and_no_hash(stored: tuple[Handmade, Repository, str], dump: Answer) -> None:
    _, repository, snapshot = stored
    with pytest.raises(PermanentError):
        backups(Restic(dump=dump)).hashes(repository, snapshot)


def test_a_file_whose_attribute_no_archive_can_hold_is_named(tmp_path: Path) -> None:
    made = Handmade(tmp_path / "made")
    top = made.tree(node("fine"), node("odd", extended_attributes=[{"name": "user.a=b", "value": "dg=="}]))
    made.index()
    repository = Repository("apps/notes", str(made.root), SecretRef(("env:PASSWORD",)))
    runner = Restic(dump=(1, "Fatal: archive/tar: cannot encode header: invalid PAX record"))
    with pytest.raises(PermanentError) as error:
        backups(runner).hashes(repository, made.snapshot(top))
    assert error.value.evidence[-1] == "odd has an extended attribute with = in its name"


def test_a_damaged_list_is_not_complete_and_gives_no_hashes(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    shutil.rmtree(made.root / "data")
    listing = backups(Restic()).listing(repository, snapshot)
    assert not listing.complete and "is not there" in listing.detail
    with pytest.raises(PermanentError):
        backups(Restic()).hashes(repository, snapshot)


def test_what_keeps_a_list_from_being_read_has_its_own_error(stored: tuple[Handmade, Repository, str]) -> None:
    made, repository, snapshot = stored
    with pytest.raises(PermanentError) as error:
        backups(Restic()).listing(repository, "12" * 32)
    assert error.value.hint == "there is no such snapshot"
    with pytest.raises(PermanentError) as error:
        backups(Restic(), PASSWORD="another-password").listing(repository, snapshot)
    assert "password" in error.value.hint
    (made.root / "index").rename(made.root / "folder")
    (made.root / "index").symlink_to("index")
    with pytest.raises(TransientError):
        backups(Restic()).listing(repository, snapshot)


@pytest.mark.parametrize("address", ["rest:http://nas:8000/", "b2:bucket:path", "relative/path", ""])
def test_an_address_of_another_kind_is_unknown(repository: Repository, address: str) -> None:
    seen = backups(Restic()).look(Repository("n", address, repository.password))
    assert seen.verdict is Verdict.UNKNOWN and "form that cannot be opened" in seen.detail
