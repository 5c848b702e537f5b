"""Without kubectl no house is read: one problem that says how to get it, and nothing that is silently less."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.kustomize.adapter import Kubectl
from engine.errors import SettingsInvalid
from house.first.writing import write_settings
from house.flux.building import Builder, NoKustomize
from house.loader import Part, load, talconfig_named
from tests.house.small_house import write_repository

ENTRY = "kubernetes/flux/cluster"


def _nowhere() -> Path:
    raise NoKustomize("kubectl is not on PATH", hint="`invoke tools.build --run` builds it")


NOTHING = Builder(Kubectl(_nowhere))
SAID = f"{ENTRY}: cannot be read: kubectl is not on PATH; `invoke tools.build --run` builds it"


@pytest.mark.parametrize("part", list(Part))
def test_it_is_the_one_problem_of_a_house(part: Part, tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    with pytest.raises(SettingsInvalid) as caught:
        load(settings, NOTHING, part)
    assert caught.value.evidence == (SAID,)


def test_a_first_settings_file_is_not_written(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    settings.unlink()
    with pytest.raises(SettingsInvalid) as caught:
        write_settings(tmp_path, NOTHING)
    assert caught.value.evidence == (SAID,)
    assert not settings.exists()


def test_the_versions_of_a_house_are_read_all_the_same(tmp_path: Path) -> None:
    talconfig = talconfig_named(write_repository(tmp_path))
    assert talconfig is not None
    assert talconfig.talos_version == "v1.13.9"
