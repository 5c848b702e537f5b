"""What Flux refuses as it is in Git hides backups: they are counted by the names that they would have, never as none."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.loader import Part
from house.settings.values import FILL_IN
from tests.house.reading import load, read_repository, write_settings
from tests.house.small_house import write_repository

APPS = "kubernetes/apps/apps"
ALIAS = "x: *nobody\n"


def refused(root: Path, where: str, text: str = ALIAS) -> Path:
    """The small house, with a file of it that kustomize refuses."""
    settings = write_repository(root)
    with (root / where).open("a") as file:
        file.write(text)
    return settings


def behind(root: Path) -> set[str]:
    found = read_repository(root).declared.unsupported
    return {f"{one.namespace}/{one.name} {one.engine}" for one in found if "behind" in one.engine}


@pytest.mark.parametrize("where", [f"{APPS}/notes/app/deployment.yaml", "kubernetes/components/volsync/claim.yaml"])
def test_what_one_kustomization_hides_is_counted_by_its_own_variables(where: str, tmp_path: Path) -> None:
    refused(tmp_path, where)
    assert behind(tmp_path) == {"apps/notes-data restic, behind what Flux refuses"}
    assert [one.claim for one in read_repository(tmp_path).declared.backups] == ["photos", "vault"]


def test_behind_the_entry_all_children_are_followed_by_what_they_say_themselves(tmp_path: Path) -> None:
    refused(tmp_path, f"{APPS}/odd/ks.yaml", "---\nkind: Kustomization\nmetadata: *nobody\n")
    assert read_repository(tmp_path).declared.backups == ()
    assert behind(tmp_path) >= {
        "apps/notes-data restic, behind what Flux refuses", "media/photos restic, behind what Flux refuses",
        "apps/vault restic, behind what Flux refuses",
    }  # fmt: skip


def test_a_child_that_puts_things_nowhere_leaves_them_where_they_say_that_they_are(tmp_path: Path) -> None:
    refused(tmp_path, f"{APPS}/odd/ks.yaml", "---\nkind: Kustomization\nmetadata: *nobody\n")
    for file in (tmp_path / APPS).rglob("ks.yaml"):
        file.write_text(file.read_text().replace("targetNamespace: media", "prune: true"))
    backup = tmp_path / f"{APPS}/photos/app/backup.yaml"
    backup.write_text(backup.read_text().replace("{name: photos}", "{name: photos, namespace: albums}"))
    assert "albums/photos restic, behind what Flux refuses" in behind(tmp_path)


def test_a_first_file_does_not_say_that_there_is_none(tmp_path: Path) -> None:
    refused(tmp_path, f"{APPS}/odd/ks.yaml", "---\nmetadata: *nobody\n").unlink()
    settings = write_settings(tmp_path).file
    text = settings.read_text()
    assert "backups not audited (restic, behind what Flux refuses)" in text
    assert "backs up: none" not in text
    settings.write_text(text.replace(FILL_IN, "env:NOT_SET"))
    house = load(settings, Part.BACKUPS)
    assert house.unread and house.claims == () and len(house.unaudited) >= 3


@pytest.mark.parametrize("variable", ["${APP-d}", "${arr[@]}"])
def test_so_is_what_flux_refuses_to_substitute(variable: str, tmp_path: Path) -> None:
    refused(tmp_path, f"{APPS}/notes/app/deployment.yaml", f"spec: {{x: '{variable}'}}\n")
    assert behind(tmp_path) == {"apps/notes-data restic, behind what Flux refuses"}


def test_what_is_named_by_nobody_is_not_counted(tmp_path: Path) -> None:
    refused(tmp_path, f"{APPS}/notes/app/deployment.yaml")
    text = (tmp_path / f"{APPS}/photos/app/backup.yaml").read_text()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/backup.yaml").write_text(text.replace("photos", "letters"))
    assert behind(tmp_path) == {"apps/notes-data restic, behind what Flux refuses"}
