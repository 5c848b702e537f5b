"""Volumes that outlived their cluster in courses: looked at, and brought back where they win. Knows no terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from adapters.context import LookContext
from adapters.kept.results import KeptVolume
from cluster.course import Course
from cluster.steps import declare_held
from house.model import BackedUpClaim, House
from recovery.checks import in_place, survived
from recovery.courses.undoing import cut_off_course, undo_course
from recovery.points.survivors import Survivor, There, outlived
from recovery.steps.volumes import bring_survivor, look_survivor


def looking_course(house: House, survivors: tuple[Survivor, ...], known: Mapping[str, str]) -> Course:
    """Write these volumes again, look at each, and note what it is. `known` maps claims to repository ids of the lock file."""
    return Course(
        checks=(in_place.InPlace(house),),                                 # nothing fills or backs up the claims meanwhile
        steps=(
            *declare_held.steps(one.claim for one in survivors),           # they wait, held, for what wins
            *bring_survivor.steps(survivors),                              # as objects: nothing is mounted
            *look_survivor.steps(house, survivors, known),                 # every byte, against the newest backup
        ),
    )  # fmt: skip


def with_survivors(
    course: Course, look: LookContext, house: House, claims: Collection[BackedUpClaim], won: Mapping[str, KeptVolume],
    begun: Collection[str], as_of: float,
) -> Course:  # fmt: skip
    """The course of a restore that also brings back the volumes that `won`, by claim, and says of each claim with a volume of
    before which of the two restore points it goes back to. `begun`: steps in flight by the journal."""
    brought = {one.key: one for one in look.kept.volumes() if one.brought}
    there = [one for one in outlived(look, house, claims) if one.where.there is not There.NO]
    rows = survived.checks(house, claims, there, brought, as_of)
    whole = course.with_checks(rows)
    for claim in claims:
        if claim.key in won:
            whole = _joined(whole, undo_course(house, claim, won[claim.key].name))
        elif (left := cut_off_course(look, house, claim, begun)) is not None:
            whole = _joined(whole, left)
    return whole


def _joined(whole: Course, part: Course) -> Course:
    """Both, and once what both have."""
    checked = {check.id for check in whole.checks}
    checks = (*whole.checks, *(check for check in part.checks if check.id not in checked))
    return replace(whole, checks=checks, steps=(*whole.steps, *part.steps))

