"""Finding programs: the checkout's own, then PATH; missing, unfit and unreadable are three answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.tools.stubs import program_saying, script
from tools.errors import ProgramMissing
from tools.locate import Finding, Place, look, need, survey
from tools.manifest import PROGRAMS, named
from tools.places import Places, Stamp, recipe, write_stamp
from tools.versions import Version

HELM = named("helm")


def _built(checkout: Places, name: str, version: str) -> Path:
    """A program in .tools/bin with a stamp of the checkout's own recipe; asked for its version it would fail."""
    path = script(checkout.program(name), "#!/bin/sh\nexit 1\n")
    source = named(name).source
    assert source is not None
    write_stamp(checkout, name, Stamp(version, recipe(checkout, source), path.stat().st_size))
    return path


def test_a_program_that_is_nowhere_is_missing(checkout: Places, tmp_path: Path) -> None:
    located = look(HELM, places=checkout, path=str(tmp_path))
    assert located.finding is Finding.MISSING
    assert (located.path, located.version) == (None, None)


def test_a_built_program_tells_its_version_by_its_stamp_and_is_not_run(checkout: Places) -> None:
    path = _built(checkout, "helm", "v3.22.0")
    located = look(HELM, places=checkout, path="")
    assert (located.finding, located.place, located.path) == (Finding.FITS, Place.CHECKOUT, path)
    assert (located.version, located.current) == (Version(3, 22, 0), True)


def test_the_checkouts_own_goes_before_path(checkout: Places, tmp_path: Path) -> None:
    _built(checkout, "helm", "v3.22.0")
    program_saying(tmp_path / "bin" / "helm", "v3.20.0")
    assert look(HELM, places=checkout, path=str(tmp_path / "bin")).place is Place.CHECKOUT


def test_a_built_program_without_a_stamp_is_asked_and_is_not_current(checkout: Places) -> None:
    program_saying(checkout.program("helm"), f"{checkout.program('helm')} v3.21.4")
    located = look(HELM, places=checkout, path="")
    assert (located.finding, located.version, located.current) == (Finding.FITS, Version(3, 21, 4), False)
    assert "tools.build" in located.why


def test_a_stamp_of_another_file_is_not_believed(checkout: Places) -> None:
    _built(checkout, "helm", "v3.22.0")
    program_saying(checkout.program("helm"), "v3.15.1")
    assert look(HELM, places=checkout, path="").version == Version(3, 15, 1)


def test_a_damaged_stamp_is_as_none(checkout: Places) -> None:
    _built(checkout, "helm", "v3.22.0")
    (checkout.stamps / "helm.json").write_text('{"version": "v3.')
    located = look(HELM, places=checkout, path="")
    assert (located.finding, located.current) == (Finding.UNREADABLE, False)


def test_a_changed_module_makes_the_built_program_old_but_usable(checkout: Places) -> None:
    _built(checkout, "helm", "v3.22.0")
    with (checkout.modules / "helm" / "go.sum").open("a") as sums:
        sums.write("example.org/new v1.0.0 h1:abc=\n")
    located = look(HELM, places=checkout, path="")
    assert (located.usable, located.current) == (True, False)


def test_a_fitting_program_on_path_is_used(checkout: Places, tmp_path: Path) -> None:
    path = program_saying(tmp_path / "bin" / "helm", "v3.20.1+gabc")
    located = look(HELM, places=checkout, path=f"/nonexistent:{tmp_path / 'bin'}")
    assert (located.finding, located.place, located.path) == (Finding.FITS, Place.PATH, path)


def test_a_program_of_the_wrong_version_says_what_is_needed_and_why(checkout: Places, tmp_path: Path) -> None:
    program_saying(tmp_path / "bin" / "helm", "v4.1.0")
    located = look(HELM, places=checkout, path=str(tmp_path / "bin"))
    assert located.finding is Finding.DOES_NOT_FIT
    assert located.why == f"{tmp_path}/bin/helm is 4.1.0, needed is >= 3.14.0, < 4.0.0 (Helm 4 waits in another way)"


def test_a_later_one_on_path_is_taken_when_the_first_does_not_fit(checkout: Places, tmp_path: Path) -> None:
    program_saying(tmp_path / "new" / "helm", "v4.1.0")
    old = program_saying(tmp_path / "old" / "helm", "v3.18.0")
    assert look(HELM, places=checkout, path=f"{tmp_path / 'new'}:{tmp_path / 'old'}").path == old


@pytest.mark.parametrize(("text", "code"), [("(devel)", 0), ("", 0), ("v3.20.0", 1)])
def test_a_version_that_cannot_be_read_is_not_a_version(checkout: Places, tmp_path: Path, text: str, code: int) -> None:
    program_saying(tmp_path / "bin" / "helm", text, code)
    located = look(HELM, places=checkout, path=str(tmp_path / "bin"))
    assert (located.finding, located.version) == (Finding.UNREADABLE, None)
    assert f"exit code {code}" in located.why


def test_a_file_that_is_no_program_is_unreadable(checkout: Places, tmp_path: Path) -> None:
    script(tmp_path / "bin" / "helm", "\x7fELF, they said")
    assert look(HELM, places=checkout, path=str(tmp_path / "bin")).finding is Finding.UNREADABLE


def test_a_file_that_may_not_be_run_is_not_a_program(checkout: Places, tmp_path: Path) -> None:
    program_saying(tmp_path / "bin" / "helm", "v3.20.0").chmod(0o644)
    assert look(HELM, places=checkout, path=str(tmp_path / "bin")).finding is Finding.MISSING


def test_a_program_without_a_question_tells_its_version_by_what_go_linked_into_it(
    checkout: Places, tmp_path: Path
) -> None:
    linked = "\x00 path\tgithub.com/backube/volsync/cmd\nmod\tgithub.com/backube/volsync\tv0.16.2\th1:x=\ndep\ta\tv9.9.9\n\x00"
    path = script(tmp_path / "bin" / "volsync", linked)
    located = look(named("volsync"), places=checkout, path=str(tmp_path / "bin"))
    assert (located.finding, located.version, located.path) == (Finding.FITS, Version(0, 16, 2), path)


@pytest.mark.parametrize("content", ["", "nothing of the kind", "\nmod\tgithub.com/backube/volsync\t(devel)\t\n"])
def test_a_program_without_a_question_and_without_a_version_is_unreadable(
    checkout: Places, tmp_path: Path, content: str
) -> None:
    script(tmp_path / "bin" / "volsync", content)
    located = look(named("volsync"), places=checkout, path=str(tmp_path / "bin"))
    assert located.finding is Finding.UNREADABLE


def test_the_survey_has_one_row_per_program_and_ours_on_path_is_still_ours(checkout: Places) -> None:
    _built(checkout, "helm", "v3.22.0")
    rows = survey(places=checkout, path=os.pathsep.join([str(checkout.programs), ""]))
    assert [row.program for row in rows] == list(PROGRAMS)
    assert {row.program.name: row.place for row in rows if row.usable} == {"helm": Place.CHECKOUT}


def test_a_needed_program_is_given_by_its_path(checkout: Places) -> None:
    path = _built(checkout, "helm", "v3.22.0")
    assert need("helm", places=checkout, path="") == path


def test_a_missing_program_is_told_in_one_sentence_with_the_command_that_makes_it(checkout: Places) -> None:
    with pytest.raises(ProgramMissing) as told:
        need("etcd", places=checkout, path="")
    assert str(told.value) == (
        "etcd (the store behind the lab's API servers) can't be used: it is neither in .tools/bin nor on PATH; "
        "`invoke tools.build` builds it."
    )
    with pytest.raises(ProgramMissing, match=r"invoke tools\.build --run"):
        need("sops", places=checkout, path="")


def test_a_missing_program_that_is_never_built_is_to_be_installed(checkout: Places) -> None:
    with pytest.raises(ProgramMissing) as told:
        need("op", places=checkout, path="")
    assert "it is not on PATH" in told.value.what
    assert told.value.hint.startswith("install it")
    assert "build" not in told.value.next_command
