"""The graph of a repository's Kustomizations: what can be followed is, what cannot is named, what hides backups stops a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from house.model import House
from tests.house.reading import load
from tests.house.small_house import SETTINGS, write_repository

NOTES_KS = "kubernetes/apps/apps/notes/ks.yaml"
PHOTOS = "kubernetes/apps/apps/photos/app/backup.yaml"
PHOTOS_KS = "kubernetes/apps/apps/photos/ks.yaml"
OWN_REF = "sourceRef: {kind: GitRepository, name: flux-system}"
ENTRY = "kubernetes/flux/cluster/ks.yaml"
USUAL = ("apps/notes-data", "media/photos", "apps/vault")


def changed(root: Path, name: str, old: str, new: str, settings: str = SETTINGS) -> House:
    """The small house after one change of one of its files."""
    file = write_repository(root, settings)
    text = (root / name).read_text()
    assert old in text, "the change changes nothing"
    (root / name).write_text(text.replace(old, new, 1))
    return load(file)


def keys(house: House) -> tuple[str, ...]:
    return tuple(claim.key for claim in house.claims)


def own_notes(house: House, file: str) -> list[str]:
    return [note for note in house.notes if note.startswith(f"{file}:")]


def test_a_list_stands_for_its_items(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    house = load(settings)
    documents = [part.strip() for part in (tmp_path / PHOTOS).read_text().split("---") if part.strip()]
    items = "".join("  - " + part.replace("\n", "\n    ") + "\n" for part in documents)
    (tmp_path / PHOTOS).write_text("apiVersion: v1\nkind: List\nitems:\n" + items)
    found = load(settings)
    assert [(c.key, c.mover_repository) for c in found.claims] == [(c.key, c.mover_repository) for c in house.claims]
    assert found.claims[1].declared_in == f"{PHOTOS}:8"


def test_a_path_from_the_root_of_the_repository_is_followed(tmp_path: Path) -> None:
    assert keys(changed(tmp_path, PHOTOS_KS, "path: ./kubernetes", "path: /kubernetes")) == USUAL


WITHOUT_PHOTOS = SETTINGS.replace("    media/photos:\n      data: may-be-empty\n      max_age: any\n", "")


def test_what_is_pulled_from_another_source_is_not_looked_for_here_and_named(tmp_path: Path) -> None:
    source = "sourceRef: {kind: OCIRepository, name: other}"
    house = changed(tmp_path, PHOTOS_KS, OWN_REF, source, WITHOUT_PHOTOS)
    assert keys(house) == ("apps/notes-data", "apps/vault")
    assert own_notes(house, PHOTOS_KS) == [
        f"{PHOTOS_KS}:2: Kustomization apps/photos is pulled from OCIRepository other, not from this repository,"
        " and is not followed; backups declared there are not seen"
    ]


def test_a_second_name_of_this_repository_is_followed(tmp_path: Path) -> None:
    url = "ssh://git@127.10.0.22:22/Home-Ops"
    source = f"""---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: home-ops, namespace: apps}}
spec: {{url: {url}, ref: {{branch: main}}}}
"""
    folder = tmp_path / "kubernetes/flux/cluster"
    folder.mkdir(parents=True)
    (folder / "second.yaml").write_text(source)
    assert keys(changed(tmp_path, PHOTOS_KS, OWN_REF, "sourceRef: {kind: GitRepository, name: home-ops}")) == USUAL


OWN_URL = "https://127.10.0.22/home-ops.git"


def second(root: Path, ref: str, name: str = "home-ops", namespace: str = "apps") -> None:
    folder = root / "kubernetes/flux/cluster"
    folder.mkdir(parents=True)
    head = f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
    (folder / "second.yaml").write_text(f"{head}spec: {{url: {OWN_URL}, ref: {ref}}}\n")


@pytest.mark.parametrize(
    ("ref", "pinned"),
    [
        ("{tag: v1}", "tag v1"), ("{semver: '>=1.0'}", "semver >=1.0"), ("{commit: 0123abc}", "commit 0123abc"),
        ("{branch: main, commit: 0123abc}", "commit 0123abc"), ("{name: refs/tags/v1}", "name refs/tags/v1"),
        ("{name: refs/heads/other}", "name refs/heads/other"), ("{branch: main, tag: v1}", "tag v1"),
        ("{name: refs/pull/4/head, tag: v1}", "name refs/pull/4/head"), ("{branch: other}", "branch other"),
    ],
)  # fmt: skip
def test_another_revision_of_this_repository_is_not_taken_as_read(tmp_path: Path, ref: str, pinned: str) -> None:
    second(tmp_path, ref)
    house = changed(
        tmp_path, PHOTOS_KS, OWN_REF, "sourceRef: {kind: GitRepository, name: home-ops}", WITHOUT_PHOTOS
    )
    assert keys(house) == ("apps/notes-data", "apps/vault")
    assert [(one.subject, one.why) for one in house.not_followed] == [(
        "Kustomization apps/photos", f"is pulled from GitRepository home-ops, which is at {pinned}: another revision than this tree"
    )]  # fmt: skip


@pytest.mark.parametrize(
    "ref", ["{branch: main}", "{name: refs/heads/main}", "{tag: null, branch: main}", "{tag: '', commit: ''}", "{}", "null"]
)
def test_the_same_revision_is_followed(tmp_path: Path, ref: str) -> None:
    second(tmp_path, ref)
    assert keys(changed(tmp_path, PHOTOS_KS, OWN_REF, "sourceRef: {kind: GitRepository, name: home-ops}")) == USUAL


@pytest.mark.parametrize("form", ["instance", "classic"])
def test_a_house_whose_own_source_is_pinned_is_read_and_that_is_counted(tmp_path: Path, form: str) -> None:
    values = "kubernetes/apps/flux-system/flux-instance/values.yaml"
    if form == "classic":
        second(tmp_path, "{tag: v1}", "flux-system", "flux-system")
    settings = write_repository(tmp_path)
    old, new = ("instance:", "other:") if form == "classic" else ("refs/heads/main", "refs/tags/v1")
    (tmp_path / values).write_text((tmp_path / values).read_text().replace(old, new))
    house = load(settings, Part.BACKUPS)
    assert keys(house) == USUAL
    told = "tag v1" if form == "classic" else "refs/tags/v1"
    assert [(one.subject, one.why) for one in house.not_followed] == [
        ("GitRepository flux-system/flux-system", f"is at {told}, and this tree is read in its place")
    ]


@pytest.mark.parametrize("declared", ["", "https://127.10.0.22/vendor.git", "https://127.10.0.23/home-ops.git"])
@pytest.mark.parametrize("path", ["  path: ./kubernetes/apps/apps/photos/app\n", "  path: ./\n", ""])
def test_another_repository_is_never_looked_for_in_this_one(declared: str, path: str, tmp_path: Path) -> None:
    if declared:
        folder = tmp_path / "kubernetes/flux/cluster"
        folder.mkdir(parents=True)
        head = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: vendor, namespace: apps}\n"
        (folder / "vendor.yaml").write_text(f"{head}spec: {{url: {declared}, ref: {{tag: v1}}}}\n")
    text = f"  sourceRef: {{kind: GitRepository, name: vendor}}\n{path}"
    old = f"  path: ./kubernetes/apps/apps/photos/app\n  interval: 1h\n  prune: true\n  {OWN_REF}\n"
    house = changed(tmp_path, PHOTOS_KS, old, text, WITHOUT_PHOTOS)
    assert keys(house) == ("apps/notes-data", "apps/vault")
    assert [one.subject for one in house.not_followed] == ["Kustomization apps/photos"]


def test_two_kustomizations_of_one_name_are_named(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    again = "kubernetes/flux/cluster/again.yaml"
    (tmp_path / again).write_text((tmp_path / NOTES_KS).read_text())
    assert [note for note in own_notes(load(settings), NOTES_KS) if "depends on" not in note] == [
        f"{NOTES_KS}:2: Kustomization apps/notes is also at {again}:2, and only that one is followed; give each a name of its own"
    ]


def test_a_resource_set_is_named(tmp_path: Path) -> None:
    text = "---\napiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {name: apps}\n---\n"
    house = changed(tmp_path, PHOTOS, "---\n", text)
    assert own_notes(house, PHOTOS) == [
        f"{PHOTOS}:2: ResourceSet media/apps makes its objects in the cluster, and is not followed;"
        " backups declared there are not seen"
    ]


def test_a_json_patch_of_kustomizations_is_followed(tmp_path: Path) -> None:
    patch = '  patches:\n    - patch: "- {op: add, path: /spec/suspend, value: true}"\n      target: {kind: Kustomization}\n'
    house = changed(tmp_path, ENTRY, "  patches:\n", patch)
    assert [app.name for app in house.flux_apps if not app.suspended] == ["cluster-apps"]


@pytest.mark.parametrize(
    ("target", "suspended"),
    [
        ("target: {kind: Kustomization, name: no.*}", ["notes"]),
        ("target: {kind: Kustomization, namespace: elsewhere}", []),
        ("", ["vault"]),
    ],
)
def test_a_patch_is_laid_over_the_kustomizations_that_it_means(target: str, suspended: list[str], tmp_path: Path) -> None:
    body = "{apiVersion: kustomize.toolkit.fluxcd.io/v1, kind: Kustomization, metadata: {name: vault, namespace: apps}, "
    body += "spec: {suspend: true}}"
    house = changed(tmp_path, ENTRY, "  patches:\n", f'  patches:\n    - patch: "{body}"\n      {target}\n')
    # photos and the patch's own parent are suspended or not by themselves
    assert [app.name for app in house.flux_apps if app.suspended and app.name != "photos"] == suspended


BROKEN = "kubernetes/apps/apps/kustomization.yaml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "kustomization.yaml is empty"),
        ("- a\n", "cannot unmarshal array"),
        ("kind: Kustomization\nresources: ./notes/ks.yaml\n", "cannot unmarshal string"),
        ("kind: Kustomization\nresource: []\n", 'unknown field "resource"'),
        ("a: &x [*x]\n", "anchor 'x' value contains itself"),
    ],
)
def test_a_kustomization_that_hides_backups_stops_a_run_and_an_audit_says_so(text: str, said: str, tmp_path: Path) -> None:
    head, _, _ = SETTINGS.partition("  claims:\n")
    settings = write_repository(tmp_path, head)
    (tmp_path / BROKEN).write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        load(settings)
    told = [line for line in caught.value.evidence if line.startswith(f"{BROKEN}: kustomize refuses it: ")]
    assert len(told) == 1
    assert said in told[0]
    house = load(settings, Part.BACKUPS)
    assert (house.claims, set(house.unread)) == ((), set(caught.value.evidence))


def test_a_claim_that_is_not_known_is_told_with_what_hides_it(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    (tmp_path / BROKEN).write_text("")
    with pytest.raises(SettingsInvalid) as caught:
        load(settings, Part.BACKUPS)
    assert any(line.startswith(f"{BROKEN}: kustomize refuses it: kustomization.yaml is empty") for line in caught.value.evidence)
