"""hold.accept: one database may be made empty by hand, and Flux is asked, by the same again as well if a run was cut off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import PermanentError
from engine.probe import Condition
from house.values.databases import Database
from lab.ports.faulty import faulty
from lab.world.faults import Death, Fault
from recovery.courses.releasing import refuse_nothing_held, release_course
from tests.hands import Notebook, is_a_command, see, step
from tests.recovery.conftest import Restoring

STEP = "hold.accept/apps/postgres"
DATABASE = Database("apps", "postgres", "apps/notes", archives=True, recovers=False, declared_in="db.yaml:1")


def asked(house: Restoring) -> float:
    return house.home.kube.objects().kustomizations["apps/notes"].asked


def test_the_record_says_so_and_flux_is_asked(held: Restoring) -> None:
    course = release_course(held.house, DATABASE, "a trial")
    assert see(held, course, STEP).detail.startswith("it is refused when made")
    report = held.apply(course)
    assert report[STEP].detail == (
        "may be made empty beside its own backups: by hand, unproven: a trial; Flux was asked to make it"
    )
    assert asked(held) >= held.home.look().hold.record().databases[0].since > 0


def test_cut_off_before_flux_was_asked_the_same_again_asks(held: Restoring) -> None:
    course = release_course(held.house, DATABASE, "a trial")
    held.home.world.faults.arm("flux.request/*", Fault.DIE_BEFORE)
    with pytest.raises(Death):
        step(course, STEP).apply(
            faulty(held.home.act("first"), held.home.world, held.clock), see(held, course, STEP), Notebook()
        )
    held.clock.new_life()
    seen = see(held, course, STEP)
    assert (seen.condition, seen.detail) == (
        Condition.MISSING, "may be made empty beside its own backups, and Flux was not asked since",
    )  # fmt: skip
    assert held.apply(course).converged
    assert asked(held) >= held.home.look().hold.record().databases[0].since


def test_what_was_accepted_long_ago_is_asked_for_once_more_and_keeps_its_reason(held: Restoring) -> None:
    assert held.apply(release_course(held.house, DATABASE, "first")).converged
    held.clock.sleep(600)
    began = held.clock.now()
    report = held.apply(release_course(held.house, DATABASE, "second", asked_since=began))
    assert report[STEP].detail == "was accepted already: by hand, unproven: first; Flux was asked to make it"
    assert asked(held) >= began


def test_a_clock_that_was_ahead_when_it_was_accepted_keeps_nobody_waiting(held: Restoring) -> None:
    held.apply(release_course(held.house, DATABASE, "first"))
    objects = held.home.kube.objects()
    objects.databases[("apps", "postgres")] = replace(objects.databases[("apps", "postgres")], since=held.clock.now() + 300)
    assert held.apply(release_course(held.house, DATABASE, "second", asked_since=held.clock.now())).converged


def test_what_is_not_refused_has_nothing_to_lift(held: Restoring) -> None:
    recovers = Database("apps", "pg", "apps/notes", archives=True, recovers=True, declared_in="db.yaml:1")
    with pytest.raises(PermanentError, match="apps/pg is not held: it is made by recovery"):
        refuse_nothing_held(held.home.look(), release_course(held.house, recovers, "why"))


def test_by_hand_it_is_one_command(held: Restoring) -> None:
    assert is_a_command(step(release_course(held.house, DATABASE, "a trial"), STEP).by_hand())
