"""Snapshots as files: what a real etcd gives is read as it counts itself; what is damaged in any way is named, and never sound."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.age.adapter import Age
from adapters.etcd.adapter import TalosEtcd
from adapters.etcd.reading import look_at
from adapters.etcd.sealed import Sealing
from adapters.process.keeper import Keeper
from adapters.process.results import NO_ENVIRONMENT, Finished
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from tests.adapters.etcd.real import AUTHORITY, RENEWED, real_etcd
from tests.contract.apiserver import program

pytestmark = pytest.mark.programs


@dataclass(frozen=True)
class Files:
    """A snapshot with its hash, a copy of the database without, and what the etcd said of itself."""

    snapshot: Path
    copy: Path
    revision: int
    keys: int


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("etcd")
    with real_etcd(folder) as etcd:
        etcd.snapshot(folder / "snapshot")
        revision, keys = etcd.count()
        (folder / "copy").write_bytes(etcd.database.read_bytes())
    return Files(folder / "snapshot", folder / "copy", revision, keys)


def test_a_snapshot_is_read_as_etcd_counts_itself(files: Files) -> None:
    seen = look_at(files.snapshot, "one")
    assert (seen.name, seen.problem, seen.hashed) == ("one", "", True)
    assert (seen.revision, seen.keys) == (files.revision, files.keys)
    assert (seen.taken, seen.authority, seen.members) == (RENEWED + 0.5, AUTHORITY, ("cp-1",))


def test_a_copy_of_the_database_is_the_same_without_a_hash(files: Files) -> None:
    seen = look_at(files.copy)
    assert (seen.problem, seen.hashed) == ("", False)
    assert (seen.revision, seen.keys, seen.taken) == (files.revision, files.keys, RENEWED + 0.5)


def test_any_bit_of_a_snapshot_that_changed_is_told_by_its_hash(files: Files, tmp_path: Path) -> None:
    whole = files.snapshot.read_bytes()
    for at in (0, 100, 5000, len(whole) // 2, len(whole) - 40, len(whole) - 1):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        (tmp_path / "damaged").write_bytes(damaged)
        assert look_at(tmp_path / "damaged").problem == "its hash does not fit: bytes of it changed since it was taken"


def test_one_that_is_cut_off_has_no_hash_and_is_not_sound_without_all_its_pages(files: Files, tmp_path: Path) -> None:
    """etcd's file is longer than what is written in it: the free end may be missing."""
    whole = files.snapshot.read_bytes()
    lengths = (0, 1, 4096, 8192, 8193, 4096 * 7, len(whole) // 2 // 512 * 512)
    for length in (*lengths, *(len(whole) - less for less in (4096, 512, 32, 1))):
        (tmp_path / "cut").write_bytes(whole[:length])
        seen = look_at(tmp_path / "cut")
        assert not seen.hashed
        assert not seen.sound or (seen.revision, seen.keys) == (files.revision, files.keys), length
    assert not look_at(tmp_path / "cut").sound


def test_a_torn_copy_is_never_worse_than_an_answer(files: Files, tmp_path: Path) -> None:
    """Without a hash not every changed byte can be told, but none may end in an exception or without an end."""
    whole = files.copy.read_bytes()
    told = set()
    for page in range(len(whole) // 4096):
        torn = bytearray(whole)
        torn[page * 4096 : page * 4096 + 64] = b"\xff" * 64
        (tmp_path / "torn").write_bytes(torn)
        told.add(look_at(tmp_path / "torn").sound)
    assert False in told


@pytest.mark.parametrize("content", [b"", b"no database", b"x" * 100_000, b"\x00" * 65536, b"\xed\xda\x0c\xed" * 20_000])
def test_what_was_never_a_database_is_named(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(content)
    assert look_at(tmp_path / "other").problem


def test_what_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    assert look_at(tmp_path / "none").problem == "it cannot be read: No such file or directory"
    assert look_at(tmp_path).problem == "it is no file"


@dataclass
class Talosctl:
    """In the place of the program: writes what `gives` says, and remembers how it was called."""

    gives: bytes = b""
    code: int = 0
    said: tuple[str, ...] = ()
    calls: list[Sequence[str]] = field(default_factory=list)

    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        self.calls.append(argv)
        if argv[1:3] == ["etcd", "snapshot"]:
            Path(argv[3]).write_bytes(self.gives)
        if argv[1] == "copy" and self.gives:
            (Path(argv[3]) / "db").write_bytes(self.gives)
        return Finished("talosctl", self.code, b"", self.said, 0.0)


def port(tmp_path: Path, program: Talosctl) -> TalosEtcd:
    return TalosEtcd(tmp_path, program, lambda: f"{AUTHORITY}\n", plain(program))


def plain(program: Talosctl) -> Sealing:
    """Nothing is sealed."""
    return Sealing(Age(program), (), lambda: Secret(""))


def test_what_is_saved_lies_there_for_us_alone_and_says_whose_it_is(files: Files, tmp_path: Path) -> None:
    program = Talosctl(files.snapshot.read_bytes())
    port(tmp_path, program).take("10.0.0.1", "cp-1.snapshot")
    program.gives = files.copy.read_bytes()
    port(tmp_path, program).copy("10.0.0.1", "cp-1.copy")
    copy, snapshot = port(tmp_path, program).kept()
    assert (copy.name, copy.ours, copy.hashed) == ("cp-1.copy", True, False)
    assert (snapshot.name, snapshot.ours, snapshot.hashed) == ("cp-1.snapshot", True, True)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "etcd").iterdir()} == {0o600}
    assert (tmp_path / "etcd").stat().st_mode & 0o777 == 0o700
    assert not TalosEtcd(tmp_path, program, lambda: "another", plain(program)).kept()[0].ours
    assert not TalosEtcd(tmp_path, program, lambda: "", plain(program)).kept()[0].ours


def test_what_broke_off_is_not_there(tmp_path: Path) -> None:
    program = Talosctl(b"half", code=1, said=("rpc error: code = Unavailable desc = error reading",))
    with pytest.raises(TransientError):
        port(tmp_path, program).take("10.0.0.1", "cp-1.snapshot")
    with pytest.raises(TransientError, match="sent no database"):
        port(tmp_path, Talosctl()).copy("10.0.0.1", "cp-1.copy")
    assert port(tmp_path, program).kept() == ()
    assert list((tmp_path / "etcd").iterdir()) == []


def test_a_wipe_names_one_partition_and_no_data_disk(tmp_path: Path) -> None:
    program = Talosctl()
    port(tmp_path, program).wipe("10.0.0.1")
    (call,) = program.calls
    assert {"--graceful=false", "--reboot", "--system-labels-to-wipe=EPHEMERAL", "--wipe-mode=system-disk"} <= set(call)
    assert call[call.index("--nodes") + 1] == "10.0.0.1"


def test_only_the_file_that_was_looked_at_is_recovered_and_only_a_copy_skips_the_hash(files: Files, tmp_path: Path) -> None:
    program = Talosctl()
    etcd = port(tmp_path, program)
    etcd.recover("10.0.0.1", etcd.look(str(files.snapshot)))
    etcd.recover("10.0.0.1", etcd.look(str(files.copy)))
    assert [("--recover-skip-hash-check" in call) for call in program.calls] == [False, True]
    other = etcd.look(str(files.snapshot))
    with pytest.raises(PermanentError, match="not the file that was looked at"):
        etcd.recover("10.0.0.1", type(other)(**{**vars(other), "name": str(files.copy)}))


def test_a_real_one_is_sealed_by_the_real_age_and_is_itself_again(files: Files, tmp_path: Path) -> None:
    with Keeper(tmp_path / "programs", search=(Path(str(program("age"))).parent,)) as keeper:
        own, anna = (Secret(keeper.run(["age-keygen"], timeout_s=20).stdout.decode()) for _ in range(2))
        age = Age(keeper)
        sealing = Sealing(age, tuple(age.public(anna)), lambda: own)
        talosctl = Talosctl(files.snapshot.read_bytes())
        etcd = TalosEtcd(tmp_path, talosctl, lambda: AUTHORITY, sealing)
        name = etcd.take("10.0.0.1", "cp-1-20270101-000000.snapshot")
        seen, (listed,) = etcd.look(name), etcd.kept()
        assert (seen.problem, seen.ours, seen.hashed, seen.revision, seen.keys) == ("", True, True, files.revision, files.keys)
        assert replace(listed, written=0.0) == replace(seen, written=0.0)
        etcd.recover("10.0.0.1", seen)
        assert talosctl.calls[-1][1] == "bootstrap"
        sealed = tmp_path / "etcd" / name
        assert AUTHORITY.encode() not in sealed.read_bytes()
        age.unseal(sealed, tmp_path / "of-anna", anna)
        assert (tmp_path / "of-anna").read_bytes() == files.snapshot.read_bytes()
        other = Secret(keeper.run(["age-keygen"], timeout_s=20).stdout.decode())
        assert "no identity" in TalosEtcd(tmp_path, talosctl, lambda: AUTHORITY, Sealing(age, (), lambda: other)).look(name).problem
        assert sorted(path.name for path in (tmp_path / "etcd").iterdir()) == [name, f"{name}.json"]
