"""One drill, every step in the order a person would tell it; and the course that only clears up."""

from __future__ import annotations

from cluster.course import Course
from rehearsal.checks import HouseFree
from rehearsal.drill import Drill
from rehearsal.steps import (
    clear_scratch,
    compare_scratch,
    conclude,
    find_canary,
    pin_scratch,
    plant_control,
    probe_scratch,
    raise_fence,
    restore_scratch,
    send_canary,
)


def course(drill: Drill, in_flight: tuple[str, ...] = ()) -> Course:
    """The whole drill. `in_flight` are steps of the house's own journal that a run left open."""
    return Course(
        checks=(HouseFree(in_flight),),                # no recovery is going on
        steps=(
            *raise_fence.steps(drill),                 # a scratch namespace without a way out, each wall of it tried
            *send_canary.steps(drill),                 # a fresh word of ours, backed up by VolSync itself ...
            *find_canary.steps(drill),                 # ... and exactly that must be what the store gives back
            *pin_scratch.steps(drill),                 # one restore point per claim, as a restore would choose it
            *restore_scratch.steps(drill),             # into scratch claims, by pods of our own
            *compare_scratch.steps(drill),             # every byte and every entry against the snapshot
            *probe_scratch.steps(drill),               # what the settings demand of the data themselves
            *plant_control.steps(drill),               # a fault of our own, which must come out by its name
            *conclude.steps(drill),                    # the verdict, whatever happened
            *clear_scratch.steps(),                    # nothing of it stays
        ),
    )  # fmt: skip


def clearing(limit_s: float = clear_scratch.LIMIT_S) -> Course:
    """What an earlier drill left, cleared away within so many seconds."""
    return Course(checks=(), steps=tuple(clear_scratch.steps(limit_s)))
