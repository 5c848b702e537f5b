"""A copy of a house is what the house would be if it were made anew, and no other copy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock, local

import pytest

from engine.secrets import Secret, redact
from lab.world.store import a_file
from tests.builders import a_house
from tests.copied import Original, copied
from tests.scenario.running import DATA, Running


def anew(folder: Path) -> Running:
    made = Running(folder)
    made.backed_up()
    assert made.apply(made.bootstrap).converged
    return made


def test_a_run_in_a_copy_is_the_run_in_a_house_that_was_made_anew(tmp_path: Path) -> None:
    copies = [Running.bootstrapped(tmp_path / name) for name in ("one", "other")]
    runs = [(house.apply(house.restore), house.clock.now()) for house in (*copies, anew(tmp_path / "anew"))]
    assert runs[0] == runs[1] == runs[2]
    journals = [(tmp_path / name / "journal").read_bytes() for name in ("one", "other", "anew")]
    assert journals[0] == journals[1] == journals[2]


def test_what_is_done_to_one_is_not_done_to_another(tmp_path: Path) -> None:
    one = Running.bootstrapped(tmp_path / "one")
    one.home.lose_every_vm()
    one.home.seed_backup("s3:elsewhere", (a_file("more", "text"),))
    (tmp_path / "one" / "journal").write_text("")
    other = Running.bootstrapped(tmp_path / "other")
    assert len(other.home.proxmox.vms) == 4 and "s3:elsewhere" not in other.home.store.repositories
    assert (tmp_path / "other" / "journal").stat().st_size > 0
    assert other.apply(other.restore).exit_code == 0
    assert other.home.kube.objects().claims[("apps", "notes")].entries == DATA


def test_it_is_made_once_for_equal_houses_wherever_their_state_folder_is(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(folder: Path, given: object) -> tuple[Path, object]:
        made.append(folder)
        return folder / "file", given

    for name in ("one", "two"):
        folder = tmp_path / name
        assert copied(make, folder, a_house(state_dir=folder)) == (folder / "file", a_house(state_dir=folder))
    assert len(made) == 1
    copied(make, tmp_path / "three", a_house(name="another"))
    assert len(made) == 2


def counter() -> tuple[Callable[[], int], Callable[[], int]]:
    """Two functions that share what they count with."""
    count = 0

    def up() -> int:
        nonlocal count
        count += 1
        return count

    return up, lambda: count


def test_closures_are_copied_with_what_they_share(tmp_path: Path) -> None:
    original = Original(counter(), tmp_path / "none")
    up, seen = original.copy(tmp_path / "one")
    assert (up(), up(), seen()) == (1, 2, 2)
    assert original.copy(tmp_path / "two")[1]() == 0


def test_what_threads_share_is_as_it_was(tmp_path: Path) -> None:
    shut, here = Lock(), local()
    shut.acquire()
    here.name = "this"
    copy_shut, copy_here, again = Original((shut, here, shut), tmp_path / "none").copy(tmp_path / "one")
    assert copy_shut.locked() and copy_shut is again and copy_shut is not shut
    copy_here.name = "that"
    assert here.name == "this"


def test_a_secret_is_known_where_the_copy_is(tmp_path: Path) -> None:
    original = Original(Secret("a word that nobody says"), tmp_path / "none")
    assert original.copy(tmp_path / "one").reveal() == "a word that nobody says"
    assert "nobody" not in redact("it is a word that nobody says")


def test_a_text_that_leads_into_the_first_one_s_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a text names the folder"):
        Original(f"see {tmp_path}/journal", tmp_path)
