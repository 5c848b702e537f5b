"""Our reader, a counter of its own that shares nothing with it, and a count by hand agree on every shape of house."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from house.repository import Repository
from tests.house.reading import read_repository
from tests.houses.counter import Row, count
from tests.houses.shapes import ENTRY, SHAPES

_SHARED = "shared/real-houses/qnimbus-home-ops"
REAL = next((above / _SHARED for above in Path(__file__).resolve().parents if (above / _SHARED).is_dir()), Path(_SHARED))
SYNC = """apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec: {sync: {kind: GitRepository, url: https://127.10.0.22/home-ops.git, ref: refs/heads/main, path: %s}}
"""


def rows(repository: Repository) -> set[Row]:
    return {(one.namespace, one.claim, one.repository_secret) for one in repository.declared.backups}


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
    assert count(root, ENTRY, tmp_path / "copy", "https://127.10.0.22/home-ops.git") == by_hand
    assert repository.unread == ()


def test_a_real_house_is_read_as_flux_reads_it(tmp_path: Path) -> None:
    if not REAL.is_dir():
        pytest.skip("no real house is here")
    root = tmp_path / "house"
    shutil.copytree(REAL, root)
    for file in root.rglob("kustomization.yaml"):
        file.write_text(without_what_is_left_out(file))
    repository = read_repository(REAL)
    assert rows(repository) == count(root, "kubernetes/flux/cluster", tmp_path / "copy")
    assert len(rows(repository)) > 0


def without_what_is_left_out(file: Path) -> str:
    """A kustomization without the lines that name a remote file, or one that the sample leaves out."""
    kept = []
    for line in file.read_text().splitlines(keepends=True):
        entry = re.match(r"\s*- (?:\S+=)?(\S+)\s*$", line)
        named = entry is not None and ("/" in entry[1] or "." in entry[1]) and ":" not in entry[1].replace("://", "")
        if entry is None or not named or (file.parent / entry[1].rpartition("=")[2]).exists():
            kept.append(line)
    return "".join(kept)
