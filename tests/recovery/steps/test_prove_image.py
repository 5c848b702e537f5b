"""recovery.prove: the image is compared with the snapshot's own list; every difference keeps the claim held."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.hold.results import HoldState
from adapters.volsync.results import FileEntry
from engine.errors import PermanentError
from engine.probe import Condition
from lab.world.cluster.volumes import Image
from lab.world.store import a_file
from tests.hands import do, see
from tests.recovery.conftest import Restoring
from tests.scenario.running import DATA

STEP = "recovery.prove/apps/notes"


@pytest.fixture
def restored(held: Restoring) -> Restoring:
    """The pinned snapshot is in an image; nothing is compared."""
    held.up_to("pin", "restore")
    return held


def image(house: Restoring) -> Image:
    """The image that VolSync would fill the claim from."""
    assert house.destination.image is not None
    return house.destination.image


def test_what_is_the_same_is_proven_for_exactly_this_image_with_its_depth(restored: Restoring) -> None:
    assert see(restored, restored.restore, STEP).condition is Condition.MISSING
    do(restored, restored.restore, STEP)
    entry = restored.entry
    assert (entry.state, entry.image) == (HoldState.PROVEN, image(restored).name)
    assert entry.depth == (
        "every byte of 2 files; compared too: modes, owners, hard links;"
        " not compared: times, extended attributes; 0 B downloaded"
    )
    assert entry.proof
    seen = see(restored, restored.restore, STEP)
    assert (seen.condition, seen.detail) == (Condition.SATISFIED, f"proven: {entry.depth}")


@pytest.mark.parametrize(
    ("came_back", "difference"),
    [
        (DATA[:1], "missing: notes/two.md"),
        ((*DATA, a_file("stranger", "x")), "not in the snapshot: stranger"),
        ((DATA[0], a_file("notes/two.md", "changed")), "size"),
        ((DATA[0], replace(DATA[1], mode=0o600)), "mode (0644, came back as 0600): notes/two.md"),
        ((DATA[0], replace(DATA[1], uid=0)), "owner (1000:1000, came back as 0:1000): notes/two.md"),
        ((), "missing: notes/one.md"),
    ],
)
def test_every_difference_is_named_and_keeps_the_claim_held(
    restored: Restoring, came_back: tuple[FileEntry, ...], difference: str
) -> None:
    image(restored).entries = came_back
    with pytest.raises(PermanentError, match="did not come back as it was backed up") as failed:
        do(restored, restored.restore, STEP)
    assert any(line.startswith(difference) for line in failed.value.evidence), failed.value.evidence
    assert (restored.entry.state, restored.entry.image) == (HoldState.HELD, image(restored).name)


FOLDER = FileEntry("data", "dir", 0, 0o755, 1000, 1000)


def saved(house: Restoring, *entries: FileEntry) -> None:
    """The pinned snapshot holds these."""
    repository = house.home.store.repositories[house.address]
    repository.snapshots[:] = [replace(snapshot, entries=entries) for snapshot in repository.snapshots]


def test_a_volume_with_a_folder_named_data_is_proven(restored: Restoring) -> None:
    """The mover saves the volume from inside: nothing in a snapshot's list stands before what is in the volume."""
    volume = (a_file("a", "one"), FOLDER, a_file("data/a", "two"), a_file("data/data", "three"))
    saved(restored, *volume)
    image(restored).entries = volume
    do(restored, restored.restore, STEP)
    assert restored.entry.state is HoldState.PROVEN


def test_a_volume_that_lost_its_folder_named_data_is_refuted(restored: Restoring) -> None:
    saved(restored, a_file("a", "one"), FOLDER, a_file("data/a", "one"), a_file("data/b", "two"))
    image(restored).entries = (a_file("a", "one"), a_file("b", "two"))
    with pytest.raises(PermanentError, match="4 differences"):
        do(restored, restored.restore, STEP)
    assert restored.entry.state is HoldState.HELD


def test_half_a_list_speaks_against_no_image(restored: Restoring) -> None:
    restored.home.store.repositories[restored.address].half_listing = True
    with pytest.raises(PermanentError, match="did not come back"):
        do(restored, restored.restore, STEP)
    assert (restored.entry.state, restored.entry.image) == (HoldState.HELD, "")


def test_many_differences_are_counted(restored: Restoring) -> None:
    image(restored).entries = (*DATA, *(a_file(f"stranger-{n:02}", "x") for n in range(30)))
    with pytest.raises(PermanentError, match="30 differences") as failed:
        do(restored, restored.restore, STEP)
    assert failed.value.evidence[-1] == "and 10 more"


def test_another_image_since_the_proof_is_drift_and_is_compared_again(restored: Restoring) -> None:
    do(restored, restored.restore, STEP)
    restored.destination.image = Image("volsync-restored-again", DATA)
    seen = see(restored, restored.restore, STEP)
    assert (seen.condition, seen.evidence) == (Condition.DRIFTED, ("image",))
    do(restored, restored.restore, STEP)
    assert restored.entry.image == "volsync-restored-again"


def test_no_image_is_nothing_to_compare(held: Restoring) -> None:
    held.up_to("pin")
    with pytest.raises(PermanentError, match="no image to compare"):
        do(held, held.restore, STEP)
