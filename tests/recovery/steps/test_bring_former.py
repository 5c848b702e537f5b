"""The place of a former state: only what is a file of it may lie there already."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from adapters.backups.results import Repository
from adapters.versions.results import Version
from engine.errors import PermanentError
from engine.probe import Condition
from recovery.steps.repository.bring_former import BringFormer
from tests.builders import a_claim, a_house

CLAIM = a_claim()
INTO = f"{CLAIM.open_as}-as-of-then"
STATE = (Version("config", "v1", 1.0, 155), Version("data/ab/ab", "v2", 2.0, 9))


def step_and_look(*there: Version) -> tuple[BringFormer, Any]:
    def history(repository: Repository) -> tuple[Version, ...]:
        return there if repository.address == INTO else STATE

    look = SimpleNamespace(versions=SimpleNamespace(history=history))
    return BringFormer(a_house(claims=(CLAIM,)), CLAIM, 5.0, INTO), cast("Any", look)


@pytest.mark.parametrize(("there", "lacking"), [((), 2), (STATE[1:], 1)])
def test_what_is_there_of_it_is_counted_and_the_rest_is_to_come(there: tuple[Version, ...], lacking: int) -> None:
    step, look = step_and_look(*there)
    assert step.probe(look).detail == f"{lacking} file{'s' if lacking > 1 else ''} of 2 not at {INTO}"


def test_all_of_it_is_enough() -> None:
    step, look = step_and_look(*STATE)
    assert step.probe(look).condition is Condition.SATISFIED


@pytest.mark.parametrize("strange", [
    Version("data/cd/cd", "v1", 1.0, 9), Version("config", "v1", 1.0, 77), Version("note.txt", "v1", 1.0, 9),
])  # fmt: skip
def test_another_name_and_another_size_are_somebody_elses(strange: Version) -> None:
    step, look = step_and_look(strange)
    with pytest.raises(PermanentError, match="something else lies at") as caught:
        step.probe(look)
    assert caught.value.evidence == (strange.name,)
