"""kubectl kustomize, run: objects, its own words when it refuses, and one clear answer when there is none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from adapters.kustomize.adapter import Kubectl
from house.flux.building import NoKustomize, NotBuilt
from tests.house.reading import BUILDER


def test_a_folder_is_built_with_files_from_beside_it(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "kustomization.yaml").write_text("namespace: apps\nresources: [../beside.yaml]\n")
    (tmp_path / "beside.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n")
    assert BUILDER.kustomize.build(tmp_path / "app").decode().endswith("  name: beside\n  namespace: apps\n")


def test_a_folder_that_is_refused_is_told_in_its_own_words(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resource: []\n")
    with pytest.raises(NotBuilt) as caught:
        BUILDER.kustomize.build(tmp_path)
    assert caught.value.evidence == ('invalid Kustomization: json: unknown field "resource"',)


def test_a_program_that_is_not_there_or_does_not_start_is_told(tmp_path: Path) -> None:
    gone = Kubectl(lambda: tmp_path / "kubectl")
    with pytest.raises(NoKustomize):
        gone.identity()
    (tmp_path / "kubectl").write_text("no program")
    with pytest.raises(NoKustomize, match="cannot be run"):
        gone.build(tmp_path)


def test_another_program_has_another_identity(tmp_path: Path) -> None:
    one = shutil.which("true") or "/bin/true"
    other = shutil.which("false") or "/bin/false"
    assert Kubectl(lambda: Path(one)).identity() != Kubectl(lambda: Path(other)).identity()
