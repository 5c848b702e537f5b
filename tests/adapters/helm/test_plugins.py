"""Which plugins helm finds where a run starts it: those of the folder that the settings name, and none of whoever runs it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from adapters.helm.helmfile import Helmfile
from adapters.process.keeper import Keeper
from engine.waiting import SystemClock
from tests.builders import a_house
from tests.contract.apiserver import needed
from tools.places import CHECKOUT

pytestmark = pytest.mark.programs
PLUGIN = "name: demo\nversion: 0.1.0\nusage: none\ndescription: none\ncommand: /bin/true\n"
PLUGIN_4 = "apiVersion: v1\ntype: cli/v1\nname: demo\nversion: 0.1.0\nruntime: subprocess\nruntimeConfig: {command: /bin/true}\n"


def test_helm_finds_those_of_the_named_folder_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed("helm")
    mine = tmp_path / "plugins"
    (mine / "demo").mkdir(parents=True)
    (mine / "demo" / "plugin.yaml").write_text(PLUGIN)
    monkeypatch.setenv("HELM_PLUGINS", str(mine))
    house = a_house()
    with Keeper(tmp_path / "programs", search=(CHECKOUT / ".tools" / "bin",)) as keeper:
        assert Helmfile(keeper, house, SystemClock()).plugins() == frozenset()
        named = replace(house, helmfile_environment=(("HELM_PLUGINS", str(mine)),))
        assert Helmfile(keeper, named, SystemClock()).plugins() == {"demo"}
