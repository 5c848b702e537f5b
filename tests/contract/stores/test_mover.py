"""The modelled mover against VolSync's own script with real restic: the same history in, the same snapshot, words and codes out."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from lab.world.cluster import mover
from lab.world.store import Store, StoredSnapshot, Trouble, a_file
from tests.lab.parts.bench import need_programs
from tests.lab.parts.volsync.movers import PASSWORD, Movers, snapshot_times
from tests.proof.sealing import cheapen

Files = Mapping[str, str]
DAY = "2026-01-05"
NOTHING = ("No eligible snapshots found", "=== No data will be restored ===", "Restic completed in SECONDS")
# What VolSync keeps of a mover's log: the words by which a restore is judged.
_KEPT = re.compile(
    r"^(processed .+ files|snapshot .+ saved|No eligible|.*No data|.*Directory is empty|created|restoring|no parent snapshot"
    r"|using parent snapshot|Added to the repository|.*RESTORE_OPTIONS|.*Initialize Dir|Fatal|ERROR|Restic completed in)"
)
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC"), "TIME"),
    (re.compile(r"\b[0-9a-f]{8,64}\b"), "ID"),
    (re.compile(r"\d[\d.]* +([KMG]i)?B"), "SIZE"),
    (re.compile(r"SIZE +\(SIZE +"), "SIZE (SIZE "),
    (re.compile(r"\bin [\d:]+s?"), "in SECONDS"),
    (re.compile(r"\bby \w*@"), "by USER@"),  # a uid without a name has none here either
)


@dataclass(frozen=True)
class Seen:
    """How a mover ended: its code, the words that VolSync keeps, and what is on the volume then."""

    code: int
    words: tuple[str, ...]
    files: Files = field(default_factory=dict)


class Door(Protocol):
    """One way of having movers, on one place for a repository that is empty at first."""

    def seed(self, at: str, files: Files, host: str = "volsync", root: str = "/data", *, partial: bool = False) -> None:
        """A snapshot of these files, made at this time of the day."""

    def restore(self, as_of: str = "", previous: int = 0, password: str = "") -> Seen:
        """A restore onto an empty volume."""

    def back_up(self, files: Files, keep_last: int, password: str = "") -> Seen:
        """A backup of these files, with its retention."""

    def times(self) -> list[str]:
        """`HH:MM` of every snapshot, oldest first; one that was made just now is `now`."""

    def is_there(self) -> bool:
        """Whether there is a repository."""

    def damage(self) -> None:
        """The repository's config becomes an empty file."""


def normal(line: str) -> str:
    """A line without what differs from run to run."""
    line = line.strip().replace(" at /mnt/repository", "")
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line


class Modelled:
    """Values only."""

    address = "s3:somewhere"

    def __init__(self) -> None:
        self.store = Store()
        self.trouble: Trouble | None = None

    def seed(self, at: str, files: Files, host: str = "volsync", root: str = "/data", *, partial: bool = False) -> None:
        repository = self.store.repositories.get(self.address) or self.store.make(self.address)
        entries = tuple(a_file(path, text) for path, text in files.items())
        number = f"{len(repository.snapshots):064x}"
        repository.snapshots.append(StoredSnapshot(number, _seconds(at), entries, not partial, host, root))

    def restore(self, as_of: str = "", previous: int = 0, password: str = "") -> Seen:
        self._trouble(password)
        moved = mover.restore(self.store, self.address, as_of, previous)
        entries = moved.snapshot.entries if moved.snapshot and not moved.code else ()
        return Seen(moved.code, self._words(moved), {e.path: e.sha256 for e in entries})

    def back_up(self, files: Files, keep_last: int, password: str = "") -> Seen:
        self._trouble(password)
        entries = tuple(a_file(path, text) for path, text in files.items())
        moved = mover.back_up(self.store, self.address, entries, _seconds("23:59"), keep_last)
        return Seen(moved.code, self._words(moved))

    def times(self) -> list[str]:
        found = (snapshot.pin[11:16] for snapshot in self.store.repositories[self.address].snapshots)
        return sorted("now" if time == "23:59" else time for time in found)

    def is_there(self) -> bool:
        return self.address in self.store.repositories

    def damage(self) -> None:
        self.trouble = Trouble.DAMAGED

    def _trouble(self, password: str) -> None:
        if self.is_there():
            self.store.repositories[self.address].trouble = Trouble.REFUSED if password else self.trouble

    def _words(self, moved: mover.Moved) -> tuple[str, ...]:
        return tuple(normal(line.replace(f" at {self.address}", "")) for line in moved.log)


class Real:
    """VolSync's script in the lab's sandbox."""

    def __init__(self, movers: Movers, root: Path) -> None:
        self.movers, self.root = movers, root
        self.repository = root / "repository"
        self.repository.mkdir()
        self.volumes = 0

    def seed(self, at: str, files: Files, host: str = "volsync", root: str = "/data", *, partial: bool = False) -> None:
        volume = self._volume(files)
        if not self.is_there():
            assert self.movers.run("init", repository=self.repository, data=volume, command="/usr/local/bin/restic").code == 0
            cheapen(self.repository, PASSWORD)
        asked = f"mkdir -p {root} && cd {root} && cp -a /data/. . ; " if root != "/data" else "cd /data && "
        asked += f"restic backup --host {host} --time '{DAY} {at}:00' ."
        uid = 0
        if partial:
            (volume / "unreadable").write_text("secret")
            (volume / "unreadable").chmod(0)
            self._open_to_all()
            uid = 4000
        ended = self.movers.run("-c", asked, repository=self.repository, data=volume, command="/bin/bash", uid=uid, writable=True)
        assert ended.code == (3 if partial else 0), ended.log
        if partial:
            self._open_to_all()

    def restore(self, as_of: str = "", previous: int = 0, password: str = "") -> Seen:
        volume = self._volume({})
        chosen = {"RESTORE_AS_OF": as_of, "SELECT_PREVIOUS": str(previous), "RESTORE_OPTIONS": ""}
        ended = self._run("restore", volume, password, chosen)
        return Seen(ended[0], ended[1], {path.name: _sha(path) for path in volume.iterdir() if path.is_file()})

    def back_up(self, files: Files, keep_last: int, password: str = "") -> Seen:
        return Seen(*self._run("backup", self._volume(files), password, {"FORGET_OPTIONS": f"--keep-last {keep_last}"}))

    def times(self) -> list[str]:
        return sorted(time[11:16] if time.startswith(DAY) else "now" for time in snapshot_times(self.repository))

    def is_there(self) -> bool:
        return (self.repository / "config").exists()

    def damage(self) -> None:
        (self.repository / "config").write_bytes(b"")

    def _run(self, action: str, volume: Path, password: str, more: dict[str, str]) -> tuple[int, tuple[str, ...]]:
        if password:
            more["RESTIC_PASSWORD"] = password
        ended = self.movers.run(action, repository=self.repository, data=volume, **more)
        return ended.code, tuple(normal(line) for line in ended.log.splitlines() if _KEPT.match(line.strip()))

    def _open_to_all(self) -> None:
        """A mover without capabilities is nobody's superuser: what another user wrote it may not read."""
        for path in (self.root, self.repository, *self.repository.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o666)

    def _volume(self, files: Files) -> Path:
        self.volumes += 1
        volume = self.root / f"volume-{self.volumes}"
        (volume / "lost+found").mkdir(parents=True)
        for path, text in files.items():
            (volume / path).parent.mkdir(parents=True, exist_ok=True)
            (volume / path).write_text(text)
        return volume


def _seconds(at: str) -> float:
    return datetime.datetime.fromisoformat(f"{DAY}T{at}:00+00:00").timestamp()


def _sha(path: Path) -> str:
    return a_file(path.name, path.read_text()).sha256


@pytest.fixture(params=["modelled", pytest.param("real", marks=pytest.mark.programs)])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Door:
    return _door(request.param, tmp_path)


def _door(kind: str, root: Path) -> Door:
    if kind == "modelled":
        return Modelled()
    need_programs()
    return Real(Movers(root), root)


@pytest.fixture(scope="module", params=["modelled", pytest.param("real", marks=pytest.mark.programs)])
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Snapshots of the mover's, of a stranger's host, of a path that only looks like the volume's, of another, and half of one."""
    door = _door(request.param, tmp_path_factory.mktemp("history"))
    door.seed("10:00", {"a": "one"})
    door.seed("11:00", {"a": "two"})
    door.seed("12:00", {"a": "stranger"}, host="laptop")
    door.seed("13:00", {"a": "another volume"}, root="/data2")
    door.seed("13:30", {"a": "no volume at all"}, root="/home")
    door.seed("14:00", {"a": "half"}, partial=True)
    yield door


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that its mover cannot read")
@pytest.mark.parametrize(
    ("as_of", "previous", "chosen"),
    [
        ("", 0, "half"),
        ("", 1, "another volume"),
        (f"{DAY}T13:00:00Z", 0, "another volume"),  # whole seconds: the pin's own second counts
        (f"{DAY}T12:59:59Z", 0, "stranger"),
        (f"{DAY}T11:59:59Z", 0, "two"),
        (f"{DAY}T12:59:59Z", 2, "one"),
        (f"{DAY}T09:59:59Z", 0, ""),
        ("", 5, ""),
    ],
)
def test_the_same_snapshot_is_taken(history: Door, as_of: str, previous: int, chosen: str) -> None:
    seen = history.restore(as_of, previous)
    assert seen.code == 0
    if not chosen:
        assert seen == Seen(0, NOTHING)
        return
    assert seen.files == {"a": a_file("a", chosen).sha256}
    root = "/data2" if chosen == "another volume" else "/data"
    host = "laptop" if chosen == "stranger" else "volsync"
    assert seen.words == (f"restoring snapshot ID of [{root}] at TIME by USER@{host} to .", "Restic completed in SECONDS")


def test_a_restore_without_a_repository_makes_one_and_is_a_success(door: Door) -> None:
    seen = door.restore()
    made = ("=== Initialize Dir ===", "created restic repository ID")
    assert seen == Seen(0, (*made, *NOTHING))
    assert door.is_there()
    assert door.times() == []


def test_an_empty_volume_is_not_saved_and_makes_no_repository(door: Door) -> None:
    assert door.back_up({}, 1) == Seen(0, ("== Directory is empty skipping backup ===",))
    assert not door.is_there()


def test_a_first_backup_makes_the_repository_and_the_next_knows_its_parent(door: Door) -> None:
    added = ("Added to the repository: SIZE (SIZE stored)", "processed 2 files, SIZE in SECONDS")
    saved = (*added, "snapshot ID saved", "Restic completed in SECONDS")
    first = door.back_up({"a": "x", "sub/b": "y"}, 5)
    made = ("=== Initialize Dir ===", "created restic repository ID")
    assert first == Seen(0, (*made, "no parent snapshot found, will read all files", *saved))
    assert door.back_up({"a": "x", "sub/b": "z"}, 5) == Seen(0, ("using parent snapshot ID", *saved))
    assert door.times() == ["now", "now"]


def test_retention_counts_the_movers_own_snapshots_of_each_path_by_itself(door: Door) -> None:
    for at in ("10:00", "11:00", "12:00"):
        door.seed(at, {"a": at})
    door.seed("12:15", {"a": "stranger"}, host="laptop")
    door.seed("12:30", {"a": "another volume"}, root="/data2")
    assert door.back_up({"a": "now"}, 2).code == 0
    assert door.times() == ["12:00", "12:15", "12:30", "now"]


@pytest.mark.parametrize("verb", ["restore", "back_up"])
def test_a_repository_that_does_not_open_fails_and_is_left_alone(door: Door, verb: str) -> None:
    door.seed("10:00", {"a": "one"})

    def run(password: str) -> Seen:
        return door.restore(password=password) if verb == "restore" else door.back_up({"a": "x"}, 1, password)

    wrong = ("Fatal: wrong password or no key found", "ERROR: failure connecting to repository, incorrect password")
    assert run("another password") == Seen(3, wrong)
    assert door.times() == ["10:00"]
    door.damage()
    assert run("") == Seen(3, ("ERROR: failure checking existence of repository",))
