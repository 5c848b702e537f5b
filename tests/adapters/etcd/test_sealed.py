"""Snapshots that are sealed: nothing of one lies in the clear, the house's own key opens each, and what does not open says so."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from adapters.age.adapter import Age
from adapters.etcd.adapter import KEPT, TalosEtcd
from adapters.etcd.sealed import ENDING, NOTE, Sealing
from adapters.process.results import NO_ENVIRONMENT, Finished, ProgramFailed
from engine.errors import PermanentError
from engine.secrets import Secret

OWN, ANNA = "age1own", "age1anna"
NAME = "cp-1-20270101-000000.snapshot"
PLAIN = b"all of the cluster, with its Secrets" * 400


@dataclass
class Programs:
    """In the place of talosctl, age and age-keygen: what is sealed is turned about, and says for whom it is."""

    gives: bytes = PLAIN
    held: str = OWN
    recovered: list[bytes] = field(default_factory=list)


    def run(
        self, argv: Sequence[str], *, env: Mapping[str, str | Secret] = NO_ENVIRONMENT, cwd: Path | None = None,
        stdin: bytes | Secret | None = None, timeout_s: float, ok: Collection[int] = (0,), shielded: bool = False,
    ) -> Finished:  # fmt: skip
        said = b""
        if argv[0] == "age-keygen":
            said = f"{self.held}\n".encode()
        elif argv[0] == "age":
            self._age([*argv])
        elif argv[1:3] == ["etcd", "snapshot"]:
            Path(argv[3]).write_bytes(self.gives)
        elif argv[1] == "copy":
            (Path(argv[3]) / "db").write_bytes(self.gives)
        elif argv[1] == "bootstrap":
            plain = Path(argv[2].partition("=")[2])
            self.recovered.append(plain.read_bytes())
        return Finished(argv[0], 0, said, (), 0.0)

    def _age(self, argv: list[str]) -> None:
        target, source = Path(argv[argv.index("--output") + 1]), Path(argv[-1])
        if "--encrypt" in argv:
            named = [argv[place + 1] for place, word in enumerate(argv) if word == "--recipient"]
            target.write_bytes(f"age-encryption.org/v1 for {' '.join(named)}\n".encode() + source.read_bytes()[::-1])
            return
        head, _, body = source.read_bytes().partition(b"\n")
        if self.held not in head.decode(errors="replace"):
            done = Finished("age", 1, b"", ("age: error: no identity matched any of the recipients",), 0.0)
            raise ProgramFailed("age ended with 1", done, done.stderr_tail)
        target.write_bytes(body[::-1])


def port(folder: Path, programs: Programs, recipients: tuple[str, ...] = (ANNA,), keep: int = KEPT) -> TalosEtcd:
    sealing = Sealing(Age(programs), recipients, lambda: Secret("AGE-SECRET-KEY-1"))
    return TalosEtcd(folder, programs, lambda: "", sealing, keep=keep)


def in_the_clear(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and PLAIN[:36] in path.read_bytes()]


def test_what_is_taken_lies_there_sealed_for_the_named_and_for_the_houses_own_key(tmp_path: Path) -> None:
    programs = Programs()
    assert port(tmp_path, programs).take("10.0.0.1", NAME) == f"{NAME}{ENDING}"
    assert sorted(path.name for path in (tmp_path / "etcd").iterdir()) == [f"{NAME}{ENDING}", f"{NAME}{ENDING}{NOTE}"]
    assert (tmp_path / "etcd" / f"{NAME}{ENDING}").read_bytes().startswith(b"age-encryption.org/v1 for age1own age1anna\n")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "etcd").iterdir()} == {0o600}
    assert in_the_clear(tmp_path) == []


def test_it_is_read_as_what_is_in_it_and_leaves_nothing_in_the_clear(tmp_path: Path) -> None:
    programs, plain = Programs(), Programs()
    etcd = port(tmp_path / "sealed", programs)
    name = etcd.take("10.0.0.1", NAME)
    port(tmp_path / "plain", plain, ()).take("10.0.0.1", NAME)
    (wanted,) = port(tmp_path / "plain", plain, ()).kept()
    for seen in (etcd.look(name), *etcd.kept()):
        assert replace(seen, name=NAME, written=0.0) == replace(wanted, written=0.0)
        assert seen.name == name
    assert in_the_clear(tmp_path / "sealed") == []


def test_a_recovery_gives_the_node_what_was_taken(tmp_path: Path) -> None:
    programs = Programs()
    etcd = port(tmp_path, programs)
    name = etcd.take("10.0.0.1", NAME)
    seen = etcd.look(name)
    assert seen.problem  # this is no etcd's; whether it is that very file is looked at all the same
    with pytest.raises(PermanentError, match="not the file that was looked at"):
        etcd.recover("10.0.0.1", seen)
    assert in_the_clear(tmp_path) == []


def test_a_list_opens_nothing_and_a_look_opens_it(tmp_path: Path) -> None:
    programs = Programs()
    name = port(tmp_path, programs).take("10.0.0.1", NAME)
    programs.held = "age1another"
    etcd = port(tmp_path, programs)
    (listed,) = etcd.kept()
    assert "it cannot be opened" not in listed.problem, "as it was when it was taken"
    assert "it cannot be opened" in etcd.look(name).problem
    assert "no identity matched" in etcd.look(name).problem


@pytest.mark.parametrize("spoil", ["another file", "no note", "a torn note", "a note of another shape"])
def test_a_note_that_is_not_of_this_file_is_not_believed(tmp_path: Path, spoil: str) -> None:
    programs = Programs()
    name = port(tmp_path, programs).take("10.0.0.1", NAME)
    sealed, note = tmp_path / "etcd" / name, tmp_path / "etcd" / f"{name}{NOTE}"
    size = port(tmp_path, programs).look(name).size
    if spoil == "another file":
        sealed.write_bytes(b"age-encryption.org/v1 for age1own\n" + b"other")
    else:
        note.write_text({"no note": "", "a torn note": note.read_text()[:40], "a note of another shape": '{"sha256": 1}'}[spoil])
    (seen,) = port(tmp_path, programs).kept()
    assert (seen.size == size) is (spoil != "another file")
    programs.held = "age1another"
    (seen,) = port(tmp_path, programs).kept()
    assert "it cannot be opened" in seen.problem


def test_one_from_elsewhere_is_opened_too(tmp_path: Path) -> None:
    programs = Programs()
    name = port(tmp_path / "old", programs).take("10.0.0.1", NAME)
    there = tmp_path / "usb" / "of-before.age"
    there.parent.mkdir()
    (tmp_path / "old" / "etcd" / name).replace(there)
    wanted = port(tmp_path / "old", programs, ()).take("10.0.0.1", "plain.snapshot")
    plain = port(tmp_path / "old", programs, ()).look(wanted)
    assert port(tmp_path / "new", programs, ()).look(str(there)).size == plain.size == len(PLAIN)


def test_a_house_without_an_age_key_of_its_own_seals_nothing_it_could_not_open(tmp_path: Path) -> None:
    programs = Programs(held="")
    with pytest.raises(PermanentError, match="could not open what is sealed"):
        port(tmp_path, programs).take("10.0.0.1", NAME)
    assert [path.name for path in (tmp_path / "etcd").iterdir()] == []


def test_n_are_kept_with_their_notes_and_copies_in_need_are_as_they_are(tmp_path: Path) -> None:
    programs = Programs()
    etcd = port(tmp_path, programs, keep=3)
    for number in range(6):
        etcd.take("10.0.0.1", f"cp-1-20270101-00000{number}.snapshot")
        os.utime(tmp_path / "etcd" / f"cp-1-20270101-00000{number}.snapshot{ENDING}", (1000 + number, 1000 + number))
    etcd.take("10.0.0.1", "cp-1-20270101-000009.snapshot")
    etcd.copy("10.0.0.1", "cp-1-20270101-000000.copy")
    left = sorted(path.name for path in (tmp_path / "etcd").iterdir())
    assert [name for name in left if name.endswith(ENDING)] == [f"cp-1-20270101-00000{n}.snapshot{ENDING}" for n in (4, 5, 9)]
    assert [name for name in left if name.endswith(NOTE)] == [f"cp-1-20270101-00000{n}.snapshot{ENDING}{NOTE}" for n in (4, 5, 9)]
    assert "cp-1-20270101-000000.copy" in left


def test_what_a_killed_process_left_in_the_clear_goes(tmp_path: Path) -> None:
    programs = Programs()
    etcd = port(tmp_path, programs)
    name = etcd.take("10.0.0.1", NAME)
    room = tmp_path / "etcd" / "opened-x.part"
    room.mkdir()
    (room / "plain").write_bytes(PLAIN)
    half = tmp_path / "etcd" / "cp-2.snapshot.part"
    half.write_bytes(PLAIN)
    etcd.look(name)
    assert room.is_dir() and half.is_file(), "another process may be at it"
    for path in (room, half):
        os.utime(path, (1000, 1000))
    port(tmp_path, programs).look(name)
    assert in_the_clear(tmp_path) == []


def test_a_room_that_another_process_has_just_left_stops_no_look(tmp_path: Path) -> None:
    programs = Programs()
    etcd = port(tmp_path, programs)
    name = etcd.take("10.0.0.1", NAME)
    (tmp_path / "etcd" / "opened-y.part").symlink_to(tmp_path / "gone")  # it is listed, and there is nothing to be asked
    assert etcd.look(name).size == len(PLAIN)


@pytest.mark.parametrize("recipients", [(), (ANNA,)])
def test_what_is_taken_outlasts_a_power_cut_with_the_folder_that_was_made_for_it(
    tmp_path: Path, recipients: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, fsync = list[Path](), os.fsync

    def noting(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    port(tmp_path, Programs(), recipients).take("10.0.0.1", NAME)
    assert synced[-2:] == [tmp_path / "etcd", tmp_path]
    assert any(path.parent == tmp_path / "etcd" for path in synced[:-2])
