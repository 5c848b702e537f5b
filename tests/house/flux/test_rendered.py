"""What Flux applies, object by object: in its namespace, with its variables, and where it is written."""

from __future__ import annotations

from pathlib import Path

from tests.house.reading import read_repository
from tests.house.small_house import write_repository


def test_an_object_carries_its_place_its_kustomization_and_its_variables(tmp_path: Path) -> None:
    write_repository(tmp_path)
    rendered = read_repository(tmp_path).rendered
    [claim] = rendered.of_kind("", "PersistentVolumeClaim")
    assert (claim.namespace, claim.name, claim.kustomization) == ("apps", "notes-data", "apps/notes")
    assert claim.declared_in == "kubernetes/components/volsync/claim.yaml:1"
    assert claim.spec["dataSourceRef"]["name"] == "notes-data-bootstrap"
