"""The hold is looked at again right before an act that counts on it, and what is said after a failure was seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.hold.holding import what_holds
from engine.errors import PermanentError
from engine.probe import missing
from lab.world.store import a_file
from lab.world.volumes import Image
from tests.hands import Notebook, only, see, step
from tests.recovery.conftest import Restoring


@pytest.fixture
def held(tmp_path: Path) -> Restoring:
    return Restoring.bootstrapped(tmp_path / "state")


@pytest.mark.parametrize(
    ("before", "verb", "told"),
    [
        (("pin",), "restore", "is not restored"),
        (("pin", "restore", "prove"), "populate", "is not filled"),
        (("pin", "restore", "prove", "populate"), "release", "is not released"),
    ],
)
def test_policies_that_a_hand_deletes_in_the_middle_stop_what_comes_next(
    held: Restoring, before: tuple[str, ...], verb: str, told: str
) -> None:
    held.up_to(*before)
    entry = held.entry
    held.home.kube.objects().policies_bite_at = None
    found = step(held.restore, f"recovery.{verb}/apps/notes")
    with pytest.raises(PermanentError, match=f"{told}: the hold is not in place any more") as error:
        found.apply(held.home.act("by-hand"), missing("to be done"), Notebook())
    assert "dr.hold CLAIM" in error.value.hint
    assert held.entry == entry


def test_after_a_failed_proof_nothing_is_promised_that_was_not_seen(held: Restoring) -> None:
    held.up_to("pin", "restore")
    image = held.destination.image
    assert image is not None
    held.destination.image = Image(image.name, (a_file("other", "than the snapshot"),))
    for biting, words in ((True, "no backup of it is written"), (False, "a backup of it may be written")):
        if not biting:
            held.home.kube.objects().policies_bite_at = None
        with pytest.raises(PermanentError) as error:
            step(held.restore, "recovery.prove/apps/notes").apply(
                held.home.act("by-hand"), see(held, held.restore, "recovery.prove/apps/notes"), Notebook()
            )
        assert words in error.value.hint
        assert what_holds(held.home.look().hold) == error.value.hint


def test_the_whole_line_still_ends_well(held: Restoring) -> None:
    assert held.apply(only(held.restore, "preflight.", "hold.", "recovery.")).exit_code == 0
