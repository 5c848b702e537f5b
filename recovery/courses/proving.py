"""The course that proves snapshots, one storage class after the other."""

from __future__ import annotations

from collections.abc import Iterable

from cluster.course import Course
from recovery.steps.volumes import prove_snapshots


def proving_course(classes: Iterable[str]) -> Course:
    """A step for each of these classes."""
    return Course((), tuple(prove_snapshots.steps(classes)))
