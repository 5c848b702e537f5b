"""A copy of a house is what the house would be if it were made anew, and no other copy's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Lock, local

import pytest

from engine.secrets import Secret, redact
from house.flux.rendered import NotFollowed, Rendered
from lab.world.store import a_file
from tests.builders import a_house
from tests.copied import Original, clear_left, copied, of_process
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


def test_a_house_whose_files_say_something_else_is_another(tmp_path: Path) -> None:
    """Comparing two houses leaves out what is rendered of their files."""
    rendered = [Rendered(not_followed=(NotFollowed("apps/notes", why, "a.yaml", 1),)) for why in ("one", "other")]
    houses = [copied(Running, tmp_path / str(number), a_house(rendered=one)) for number, one in enumerate(rendered)]
    assert [house.house.rendered for house in houses] == rendered


def counter() -> tuple[Callable[..., int], Callable[[], int]]:
    """Two functions that share what they count with."""
    count = 0

    def up(by: int = 1, *, times: int = 1) -> int:
        nonlocal count
        count += by * times
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


def with_a_secret(folder: Path) -> Secret:
    return Secret("a word that nobody says")


@pytest.mark.parametrize("where", ["in the test that it is made in", "in the next one, which knows nothing of that"])
def test_a_secret_is_known_where_the_copy_is(tmp_path: Path, where: str) -> None:
    assert "nobody" in redact("it is a word that nobody says")
    assert copied(with_a_secret, tmp_path).reveal() == "a word that nobody says"
    assert "nobody" not in redact("it is a word that nobody says")


def test_a_text_that_leads_into_the_first_one_s_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="a text names the folder"):
        Original(f"see {tmp_path}/journal", tmp_path)


def test_what_a_killed_process_left_is_cleared_and_what_a_living_one_has_stays(tmp_path: Path) -> None:
    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True)
    left, living = of_process("copied", int(gone.stdout)), of_process("copied")
    for name in (f"{left}x", f"{living}x", "copied-somebody-x"):
        (tmp_path / name / "state").mkdir(parents=True)
    clear_left(tmp_path)
    assert {folder.name for folder in tmp_path.iterdir()} == {f"{living}x", "copied-somebody-x"}


def test_what_a_process_of_another_container_has_stays(tmp_path: Path) -> None:
    (tmp_path / f"{of_process('copied')}x" / "state").mkdir(parents=True)
    rights = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    there = f"from pathlib import Path; from tests.copied import clear_left; clear_left(Path({str(tmp_path)!r}))"
    apart = ["unshare", *rights, "--pid", "--fork", "--mount-proc"]
    subprocess.run([*apart, sys.executable, "-c", there], cwd=Path(__file__).parents[2], check=True)
    assert [folder.name for folder in tmp_path.iterdir()] == [f"{of_process('copied')}x"]
