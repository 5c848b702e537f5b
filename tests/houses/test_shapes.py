"""Our reader, a counter of its own that shares nothing with it, and a count by hand agree on every shape of house."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.many_apps import write
from house.repository.whole import Repository
from tests.house.reading import read_repository
from tests.houses.counting import Pulled, count
from tests.houses.elsewhere import NO_HOUSE
from tests.houses.rows import Row
from tests.houses.shapes import ENTRY, SHAPES
from tools.locate import need

_SHARED = "shared/real-houses/qnimbus-home-ops"
REAL = next((above / _SHARED for above in Path(__file__).resolve().parents if (above / _SHARED).is_dir()), Path(_SHARED))
SYNC = """apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec: {sync: {kind: GitRepository, url: https://127.10.0.22/home-ops.git, ref: refs/heads/main, path: %s}}
"""


def rows(repository: Repository) -> set[Row]:
    return {("restic", one.namespace, one.claim, one.repository_secret) for one in repository.declared.backups}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_every_shape_is_read_as_flux_reads_it(shape: str, tmp_path: Path) -> None:
    files, by_hand = SHAPES[shape]
    root = tmp_path / "house"
    for name, text in {**files, "bootstrap/flux.yaml": SYNC % ENTRY}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    repository = read_repository(root)
    assert rows(repository) == by_hand
    (work := tmp_path / "work").mkdir()
    assert count(root, ENTRY, work, need("kubectl"), Pulled(url="https://127.10.0.22/home-ops.git")).backups == by_hand
    assert repository.unread == ()


def test_a_real_house_is_read_as_flux_reads_it(tmp_path: Path) -> None:
    if not REAL.is_dir():
        pytest.skip(NO_HOUSE)
    repository = read_repository(REAL)
    counted = count(REAL, "kubernetes/flux/cluster", tmp_path, need("kubectl"))
    assert rows(repository) == {row for row in counted.backups if row[0] == "restic"}
    assert {app.key for app in repository.apps} == counted.kustomizations
    assert len(rows(repository)) > 0


def test_a_generated_house_has_as_many_kustomizations_as_were_asked_for(tmp_path: Path) -> None:
    folders = write(tmp_path / "house", 9)
    repository = read_repository(tmp_path / "house")
    assert len(folders) == 1 + len(repository.apps) == 10
    assert len(rows(repository)) == 3
    assert repository.unread == ()
