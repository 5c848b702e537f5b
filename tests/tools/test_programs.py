"""The real programs of this checkout start and tell the manifest's version: what a stamp says is what a program says."""

from __future__ import annotations

import pytest

from tools.crds import files
from tools.golang import find_go, module_folder
from tools.locate import Finding, Place, look
from tools.manifest import DEFINITIONS, Program, named, needed_by
from tools.places import Places
from tools.versions import parse

pytestmark = pytest.mark.programs


_COMPILED = [program for program in needed_by(None) if program.source and not program.source.script]


@pytest.mark.parametrize("program", _COMPILED, ids=lambda program: program.name)
def test_a_built_program_starts_and_is_of_the_manifests_version(program: Program, checkout: Places) -> None:
    ours = Places().program(program.name)
    if not ours.exists():
        pytest.skip(f"{program.name} is not built: invoke tools.build")
    # Through PATH of a checkout that has built nothing: the program itself is asked, not its stamp.
    located = look(program, places=checkout, path=str(Places().programs))
    assert (located.finding, located.place) == (Finding.FITS, Place.PATH), located.why
    assert program.source is not None
    assert located.version == parse(program.source.version)


def test_the_movers_script_is_the_one_of_the_module_that_volsync_is_built_from() -> None:
    mover, source = Places().program("volsync-mover"), named("volsync-mover").source
    if not mover.exists():
        pytest.skip("volsync-mover is not built: invoke tools.build")
    assert source is not None
    theirs = module_folder(find_go(), Places().module(source), source.module) / source.script
    assert mover.read_bytes() == theirs.read_bytes()


def test_every_definition_is_in_the_module_cache() -> None:
    if not all(Places().program(definitions.folder).exists() for definitions in DEFINITIONS):
        pytest.skip("the controllers are not built: invoke tools.build")
    go = find_go()
    found = {one.name: len(files(one.name, go=go)) for one in DEFINITIONS}
    assert found == {
        "volsync": 2,
        "snapshots": 3,
        "source-controller": 6,
        "kustomize-controller": 1,
        "helm-controller": 1,
    }
