"""What Git names and has not is never told as nothing: whatever would be declared there, nobody has looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import SettingsInvalid
from house.loader import Part
from tests.house.reading import load, read_repository
from tests.house.reading import write_settings as first_settings
from tests.house.small_house import write_repository

NOTES = "kubernetes/apps/apps/notes"
PHOTOS = "kubernetes/apps/apps/photos"
BACKUP = f"{PHOTOS}/app/backup.yaml"


def changed(root: Path, name: str, old: str, new: str) -> Path:
    settings = write_repository(root)
    text = (root / name).read_text()
    assert old in text, "the change changes nothing"
    (root / name).write_text(text.replace(old, new, 1))
    return settings


ABSENT = {
    "path": (f"{PHOTOS}/ks.yaml", "photos/app", "phtoos/app", f"{PHOTOS}/ks.yaml:2: path ./kubernetes/apps/apps/phtoos/app of "
             "apps/photos is not there; correct spec.path"),
    "file for a path": (f"{PHOTOS}/ks.yaml", "photos/app", "photos/app/backup.yaml", f"{PHOTOS}/ks.yaml:2: path "
                        "./kubernetes/apps/apps/photos/app/backup.yaml of apps/photos is not there; correct spec.path"),
    "component": (f"{NOTES}/ks.yaml", "components/volsync", "components/volsink",
                  f"{NOTES}/ks.yaml:2: ../../../../components/volsink is not there; add it, or take the entry out"),
    "resource": (f"{NOTES}/app/kustomization.yaml", "./deployment.yaml", "./deploiment.yaml",
                 f"{NOTES}/app/kustomization.yaml:2: ./deploiment.yaml is not there; add it, or take the entry out"),
    "outside": (f"{NOTES}/app/kustomization.yaml", "./deployment.yaml", "../../../../../..",
                f"{NOTES}/app/kustomization.yaml:2: ../../../../../.. lies outside the repository; keep resources inside it"),
    "source": (BACKUP, "kind: ReplicationSource", "kind: ReplicationSorce", f"{BACKUP}:7: photos is a ReplicationSorce of "
               "volsync.backube, and VolSync has no such kind; the nearest known one is ReplicationSource"),
    "destination": (BACKUP, "kind: ReplicationDestination", "kind: replicationdestination",
                    f"{BACKUP}:14: photos-dst is a replicationdestination of volsync.backube, and VolSync has no such kind; "
                    "the nearest known one is ReplicationDestination"),
    "group": (BACKUP, "volsync.backube/v1alpha1\nkind: ReplicationSource", "volsync.backub/v1alpha1\nkind: ReplicationSource",
              f"{BACKUP}:7: photos is a ReplicationSource of volsync.backub, which is not VolSync's group; "
              "right would be volsync.backube/v1alpha1"),
    "kind of Flux's": (f"{PHOTOS}/ks.yaml", "kind: Kustomization", "kind: Kustomisation", f"{PHOTOS}/ks.yaml:2: photos is a "
                       "Kustomisation of kustomize.toolkit.fluxcd.io, and Flux has no such kind; "
                       "the nearest known one is Kustomization"),
    "group of Flux's": (f"{PHOTOS}/ks.yaml", "kustomize.toolkit.fluxcd.io", "kustomise.toolkit.fluxcd.io", f"{PHOTOS}/ks.yaml:2: "
                        "photos is a Kustomization of kustomise.toolkit.fluxcd.io, which is not Flux's group; "
                        "right would be kustomize.toolkit.fluxcd.io/v1"),
    "group of kustomize's": (f"{PHOTOS}/ks.yaml", "kustomize.toolkit.fluxcd.io/v1", "kustomize.config.k8s.io/v1beta1",
                             f"{PHOTOS}/ks.yaml:2: photos is a Kustomization of kustomize.config.k8s.io, "
                             "which is not Flux's group; right would be kustomize.toolkit.fluxcd.io/v1"),
}  # fmt: skip


@pytest.mark.parametrize("what", list(ABSENT))
def test_it_is_unread_where_it_is_named_and_stops_what_is_built(tmp_path: Path, what: str) -> None:
    name, old, new, told = ABSENT[what]
    settings = changed(tmp_path, name, old, new)
    assert [str(problem) for problem in read_repository(tmp_path).unread] == [told]
    with pytest.raises(SettingsInvalid) as refused:
        load(settings)
    assert told in refused.value.evidence
    settings.unlink()
    assert told in first_settings(tmp_path).problems


def test_an_audit_of_the_others_goes_on_and_counts_it(tmp_path: Path) -> None:
    name, old, new, told = ABSENT["component"]
    settings = changed(tmp_path, name, old, new)
    house = load(settings, Part.BACKUPS)
    assert (house.unread, told in house.notes) == ((told,), True)
    assert "apps/notes-data" not in [claim.key for claim in house.claims]


def test_settings_that_name_a_claim_of_it_are_told_the_line_that_hides_it(tmp_path: Path) -> None:
    name, old, new, told = ABSENT["path"]
    settings = changed(tmp_path, name, old, new)
    with pytest.raises(SettingsInvalid) as refused:
        load(settings, Part.BACKUPS)
    assert any("is seen to back up: 1 part of it could not be read" in line for line in refused.value.evidence)
    assert told in refused.value.evidence


def test_a_file_of_sops_that_a_copy_lacks_hides_no_backup(tmp_path: Path) -> None:
    write_repository(tmp_path)
    assert read_repository(tmp_path).unread == ()
