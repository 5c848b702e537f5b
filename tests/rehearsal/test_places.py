"""A claim with several places is drilled from the one that a restore would take; what is wrong with the others is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.world.store import Trouble
from rehearsal.controls import Kind
from rehearsal.outcome import DrillOutcome, DrillVerdict
from tests.crash.apart import Built
from tests.rehearsal.drilling import Drilling, data, probed
from tests.rehearsal.stage import DrilledHouse
from tests.scenario.restore.test_sources import BUCKET, NAS, two_places


class TwoPlaces(DrilledHouse):
    """Its one claim has a bucket, and a NAS that is backed up to as well."""

    given = staticmethod(lambda: probed(two_places()))

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        now = self.clock.now()
        for age, entries in ((90000.0, data("notes")[:1]), (5.0, data("notes"))):
            self.drilling.home.store.back_up(NAS, entries, now - age)
        self.before = self.told()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built[TwoPlaces]:
    return Built(lambda folder: TwoPlaces(folder, 1), tmp_path_factory.mktemp("places") / "house")


def drilled(
    built: Built[TwoPlaces], rig: Callable[[Drilling], object], control: Kind = Kind.BYTE_FLIPPED
) -> tuple[DrillOutcome, str]:  # fmt: skip
    """The outcome, and the address of the repository that the claim was restored from ("" for none)."""

    def play(there: TwoPlaces) -> tuple[DrillOutcome, str]:
        rig(there.drilling)
        outcome = there.drilling.drill(control)
        wanted, repositories = outcome.claims[0].snapshot, there.drilling.home.store.repositories
        held = [at for at, one in repositories.items() if wanted and wanted in {each.snapshot_id for each in one.snapshots}]
        return outcome, held[0] if held else ""

    return built.visit(play)


def spoilt(address: str, trouble: Trouble) -> Callable[[Drilling], object]:
    return lambda there: setattr(there.home.store.repositories[address], "trouble", trouble)


@pytest.mark.parametrize("control", [Kind.BYTE_FLIPPED, Kind.WRONG_PASSWORD, Kind.WRONG_REPOSITORY, Kind.OLDER_SNAPSHOT])
def test_the_fresher_place_is_drilled_and_every_control_is_planted_there(built: Built[TwoPlaces], control: Kind) -> None:
    outcome, at = drilled(built, lambda there: None, control)
    assert (outcome.verdict, outcome.reasons, at) == (DrillVerdict.PASS, (), NAS), outcome
    assert outcome.control.name == control.value
    assert outcome.warnings == ()


@pytest.mark.parametrize("trouble", [Trouble.DAMAGED, Trouble.REFUSED])
def test_where_the_fresher_place_cannot_be_had_the_other_is_drilled_and_that_is_said(
    built: Built[TwoPlaces], trouble: Trouble
) -> None:  # fmt: skip
    outcome, at = drilled(built, spoilt(NAS, trouble))
    assert (outcome.verdict, at) == (DrillVerdict.PASS, BUCKET), outcome
    assert any("passed over: notes-nas (sftp:" in one for one in outcome.warnings), outcome.warnings


def test_where_no_place_can_be_restored_from_the_drill_fails(built: Built[TwoPlaces]) -> None:
    def both(there: Drilling) -> None:
        for address in (NAS, BUCKET):
            spoilt(address, Trouble.DAMAGED)(there)

    outcome, _ = drilled(built, both)
    assert outcome.verdict is not DrillVerdict.PASS
    assert "none of 2 places can be restored from" in " ".join(outcome.reasons), outcome.reasons
