"""A kustomization that changes what lies elsewhere is built: Flux fetches that, and nothing that stands here with it is lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from house.flux.building import NotBuilt
from house.flux.reads import Reads, reads_of
from house.flux.standins import built_beside
from house.loader import Part
from house.repository.tree import Tree
from tests.house.reading import BUILDER, load, read_repository
from tests.house.small_house import write_repository

APP = "kubernetes/apps/apps/photos/app"
URL = "https://example.org/releases/v1.6.1/install.yaml"
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: operator.main, namespace: system}\nspec: {replicas: 0}\n"
POLICY = "$patch: delete\napiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingAdmissionPolicy\nmetadata: {name: a.b.c}\n"
FIRST, SECOND = json.dumps(PATCH), json.dumps(POLICY)
CHANGES = {
    "a patch": f"patches: [{{patch: {FIRST}}}]",
    "a patch that deletes": f"patches: [{{patch: {SECOND}}}]",
    "two patches": f"patches: [{{patch: {FIRST}}}, {{patch: {SECOND}}}]",
    "two patches in a file": "patches: [{path: patch.yaml}]",
    "a patch in the older words": f"patchesStrategicMerge: [{FIRST}]",
    "a number of replicas": "replicas: [{name: operator, count: 2}]",
    "a map that is merged": "configMapGenerator: [{name: settings, behavior: merge, literals: [a=b]}]",
    "a map that is replaced": "namespace: media\nconfigMapGenerator: [{name: settings, behavior: replace, literals: [a=b]}]",
}
HERE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: here}\n"


def reads(root: Path, change: str, *, below: bool = False, resource: str = URL, spec: str = "") -> Reads:
    """What building a folder reads that names something elsewhere and changes it; `below`: a folder below names it."""
    (root / "app/below").mkdir(parents=True)
    (root / "app/here.yaml").write_text(HERE)
    (root / "app/patch.yaml").write_text(f"{PATCH}---\n{POLICY}")
    (root / "app/below/kustomization.yaml").write_text(f"resources: ['{resource}']\n")
    named = "below" if below else resource
    (root / "app/kustomization.yaml").write_text(f"resources: [here.yaml, '{named}']\n{change}\n")
    return reads_of(Tree(root), root / "app", {"patches": [{"patch": spec}]} if spec else {}, "ks.yaml", 1)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("below", [False, True], ids=["beside it", "above it"])
def test_what_stands_here_is_built_and_nothing_of_what_stands_in(change: str, below: bool, tmp_path: Path) -> None:
    text = built_beside(BUILDER.kustomize, reads(tmp_path, change, below=below))
    assert text.count("kind: ") == 1
    assert "name: here" in text


def test_so_is_what_a_flux_kustomization_changes_of_it(tmp_path: Path) -> None:
    assert "name: here" in built_beside(BUILDER.kustomize, reads(tmp_path, "", below=True, spec=PATCH))


def test_a_patch_of_what_stands_here_still_counts(tmp_path: Path) -> None:
    own = f"patches: [{{patch: {json.dumps(HERE + 'data: {a: b}')}}}, {{patch: {FIRST}}}]"
    assert "a: b" in built_beside(BUILDER.kustomize, reads(tmp_path, own))


def test_with_nothing_elsewhere_it_is_refused_as_flux_does(tmp_path: Path) -> None:
    with pytest.raises(NotBuilt):
        built_beside(BUILDER.kustomize, reads(tmp_path, CHANGES["a patch"], resource="gone.yaml"))


BEYOND = "replacements: [{source: {kind: Deployment, name: gone, fieldPath: spec.x}, targets: [{select: {kind: ConfigMap}}]}]"


@pytest.mark.parametrize("backups", [True, False], ids=["with backups", "without"])
def test_what_cannot_be_built_without_it_is_not_followed_and_never_said_to_be_refused_by_flux(
    backups: bool, tmp_path: Path
) -> None:
    settings = write_repository(tmp_path)
    app = tmp_path / APP
    if not backups:
        (app / "backup.yaml").write_text(HERE)
    (app / "kustomization.yaml").write_text(f"resources: [backup.yaml, '{URL}']\n{BEYOND}\n")
    found = read_repository(tmp_path)
    assert found.unread == ()
    (lost,) = [one for one in found.rendered.not_followed if one.subject != URL]
    assert lost.subject == "Kustomization apps/photos"
    assert lost.why.startswith(f"cannot be built without {URL}, which lies elsewhere (kustomize: nothing selected by ")
    assert lost.makes_backups is backups
    text = settings.read_text()
    settings.write_text(text.replace("    media/photos:\n      data: may-be-empty\n      max_age: any\n", ""))
    told = [line for line in load(settings, Part.BACKUPS).notes if line.startswith(f"{APP}/kustomization.yaml:1: Kustomization")]
    assert [line.rpartition(", and ")[2] for line in told] == ["is not followed; backups declared there are not seen"]
