"""preflight.destination: what VolSync could never restore through is refused from the repository, before anything is begun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import PermanentError
from engine.plan import Planned
from engine.probe import Condition
from house.model import BackedUpClaim
from recovery.course import course
from tests.hands import see
from tests.recovery.conftest import Restoring

CHECK = "preflight.destination/apps/notes"


def declaring(house: Restoring, **changes: str) -> tuple[BackedUpClaim, ...]:
    """The house's claim, declared otherwise."""
    claims = tuple(replace(claim, **changes) for claim in house.house.claims)  # type: ignore[arg-type]  # fields by name
    house.house = replace(house.house, claims=claims)
    return claims


def test_one_that_restores_to_a_snapshot_will_do(held: Restoring) -> None:
    assert see(held, held.restore, CHECK).condition is Condition.SATISFIED


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"destination": "", "copy_method": ""}, "no ReplicationDestination of the repository restores it"),
        ({"copy_method": "Direct"}, "copyMethod of notes-bootstrap is Direct"),
        ({"copy_method": ""}, "copyMethod of notes-bootstrap is not set"),
    ],
)
def test_what_could_never_come_back_is_refused_by_the_plan_and_nothing_is_begun(
    held: Restoring, changes: dict[str, str], told: str
) -> None:
    back = course(held.house, declaring(held, **changes))
    line = held.plan(back)[CHECK]
    assert (line.verdict, told in line.detail) == (Planned.REFUSED, True), line
    report = held.apply(back)
    assert [step.id for step in report.root_causes] == [CHECK]
    assert "copyMethod: Snapshot" in str(getattr(report.root_causes[0].error, "hint", ""))
    assert held.entry.pin == ""


def test_a_variable_that_git_does_not_fill_is_left_to_the_cluster(held: Restoring) -> None:
    declaring(held, copy_method="${VOLSYNC_COPYMETHOD}")
    assert see(held, held.restore, CHECK).condition is Condition.SATISFIED
    held.up_to("pin")
    held.destination.copy_method = "Direct"
    with pytest.raises(PermanentError, match="ends in no image: copyMethod of notes-bootstrap is Direct"):
        see(held, held.restore, "recovery.restore/apps/notes")
