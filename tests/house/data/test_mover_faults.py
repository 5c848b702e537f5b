"""What VolSync takes and no mover can be made with: it backs nothing up, or restores nothing, and is not counted as if it did."""

from __future__ import annotations

from pathlib import Path

import pytest

from house.data.joining import declared_data
from house.data.mover_faults import mover_fault
from tests.house.data.test_data import rendered
from tests.house.data.test_paused import source
from tests.house.reading import load
from tests.house.small_house import FILES, write_repository

RUNS = "and no pod is taken that runs so: 0 to 2147483647"
FAULTS = {
    "restic: {moverSecurityContext: {runAsUser: 2147483648}}": f"restic.moverSecurityContext.runAsUser is 2147483648, {RUNS}",
    "restic: {moverSecurityContext: {runAsUser: 1000, fsGroup: -1}}": f"restic.moverSecurityContext.fsGroup is -1, {RUNS}",
    "kopia: {moverSecurityContext: {runAsGroup: 9999999999}}": f"kopia.moverSecurityContext.runAsGroup is 9999999999, {RUNS}",
    "restic: {moverSecurityContext: {supplementalGroups: [1, 4294967295]}}":
        f"restic.moverSecurityContext.supplementalGroups[1] is 4294967295, {RUNS}",
    "restic: {capacity: -5Gi}": "restic.capacity is -5Gi, and no volume is made of that",
    "restic: {capacity: 0}": "restic.capacity is 0, and no volume is made of that",
    "restic: {cacheCapacity: '0e3'}": "restic.cacheCapacity is 0e3, and no volume is made of that",
}  # fmt: skip
GOOD = (
    "restic: {moverSecurityContext: {runAsUser: 0, runAsGroup: 2147483647}, capacity: 1, cacheCapacity: 500m}",
    "restic: {capacity: '${SIZE}', moverSecurityContext: {runAsUser: '${UID}'}}",
    "restic: {capacity: banana}", "rclone: {capacity: 0}",
)


@pytest.mark.parametrize("spec", list(FAULTS))
def test_it_is_no_backup(spec: str) -> None:
    told = f"its {FAULTS[spec]}"
    (found,) = declared_data(rendered(source("a", f"sourcePVC: films, {spec}")), (), (), {}).paused
    assert (found.word, found.by) == ("refused", f"ReplicationSource tools/a ({told})")


@pytest.mark.parametrize("spec", GOOD)
def test_what_works_or_is_another_s_matter_is_none(spec: str) -> None:
    (one,) = rendered(source("a", f"sourcePVC: films, {spec}")).objects
    assert mover_fault(one) == ""


def test_it_is_noted_of_a_destination_and_so_is_a_repository_that_is_no_text(tmp_path: Path) -> None:
    settings = write_repository(tmp_path)
    place = "kubernetes/apps/apps/odd/app/more.yaml"
    (tmp_path / place).write_text(source("d", "restic: {capacity: -5Gi}").replace("ReplicationSource", "ReplicationDestination"))
    (file,) = (name for name, text in FILES.items() if "${BUCKET}/photos" in text)
    (tmp_path / file).write_text(FILES[file].replace("s3:https://127.10.0.30:9000/${BUCKET}/photos", " "))
    notes = load(settings).notes
    assert f"{place}:1: d restores nothing: its restic.capacity is -5Gi, and no volume is made of that; correct it" in notes
    (told,) = (note for note in notes if "is backed up to nowhere" in note)
    assert "media/photos is backed up to nowhere: Secret at " in told and "has an empty RESTIC_REPOSITORY" in told
