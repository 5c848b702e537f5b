"""recovery.accept-empty: a claim starts empty only by consent, and never while there is any sign of a backup."""

from __future__ import annotations

import pytest

from adapters.hold.results import HoldState
from cluster.course import Course
from engine.errors import PermanentError
from engine.probe import Condition
from engine.step import Hazard
from lab.world.store import Trouble
from recovery.course import course
from tests.hands import do, see, step
from tests.recovery.conftest import Restoring

STEP = "recovery.accept-empty/apps/notes"
NEVER = "apps/notes was never backed up: nothing is at s3:https://127.10.0.30:9000/backups/notes"


def accepting(house: Restoring) -> Course:
    """The course that accepts the claim as empty."""
    return course(house.house, (), never_backed_up=house.house.claims)


def test_without_any_repository_it_is_accepted_and_goes_on(held: Restoring) -> None:
    held.home.store.repositories.clear()
    assert see(held, accepting(held), STEP).condition is Condition.MISSING
    do(held, accepting(held), STEP)
    assert held.entry.state is HoldState.ACCEPTED_EMPTY
    assert see(held, accepting(held), STEP).condition is Condition.SATISFIED
    held.clock.sleep(60)
    assert held.home.kube.objects().claims[("apps", "notes")].app_ready


@pytest.mark.parametrize("sign", ["a backup", "an empty repository", *(trouble.value for trouble in Trouble)])
def test_any_sign_of_a_backup_refuses_it(held: Restoring, sign: str) -> None:
    repository = held.home.store.repositories[held.address]
    if sign == "an empty repository":
        repository.snapshots.clear()
    elif sign != "a backup":
        repository.trouble = Trouble(sign)
    with pytest.raises(PermanentError, match="there is a sign of a backup"):
        do(held, accepting(held), STEP)
    assert held.entry.state is HoldState.HELD


def test_it_destroys_by_name(held: Restoring) -> None:
    found, seen = step(accepting(held), STEP), see(held, accepting(held), STEP)
    assert (found.hazard(seen), str(found.identity(seen))) == (Hazard.DESTROYS, NEVER)


def test_before_flux_has_made_the_claim_it_is_accepted_all_the_same(held: Restoring) -> None:
    held.home.store.repositories.clear()
    objects = held.home.kube.objects()
    objects.claims.clear()
    objects.destinations.clear()
    do(held, accepting(held), STEP)
    assert held.entry.state is HoldState.ACCEPTED_EMPTY


def test_without_an_entry_nothing_can_be_said(held: Restoring) -> None:
    held.home.kube.objects().record = {}
    assert see(held, accepting(held), STEP).condition is Condition.UNKNOWN
