"""The course of `dr.checkpoint`, but for etcd: applications at rest, each claim saved, and proven at a depth. Knows no terminal."""

from __future__ import annotations

from collections.abc import Mapping

from adapters.backups.results import WHOLE, Depth, Part
from cluster.course import Course
from cluster.steps import rest_app
from engine.step import if_any
from house.model import House
from recovery.checks import log_archived, quiet, saved_well
from recovery.steps.claims import save_claim
from recovery.steps.databases import save_database


def checkpoint_course(
    house: House, known: Mapping[str, str], *, depth: Depth = Depth.TREE, part: Part = WHOLE, and_then: tuple[str, ...] = ()
) -> Course:
    """`known` maps claims (`source_key`) to the repository ids of the lock file; `and_then`: what else must be done."""
    consented = ("checkpoint.may-rest", "checkpoint.left-out")
    saved = ("checkpoint.save/*", "checkpoint.proven/*", "checkpoint.database/*", "checkpoint.archived/*")
    all_of_it = (if_any("stop.app/*"), *map(if_any, saved), *and_then)
    return Course(
        checks=(
            quiet.MayRest(house),                              # by consent, which names what stops
            quiet.LeftOut(house),                              # and what this does not save, if anything has data
            *saved_well.checks(house, depth, part, known),     # what was saved stands a look
            *log_archived.checks(house),                       # a database's log to its end
            saved_well.SafeToWipe(house, (*consented, *all_of_it)),  # at the end: nothing was written since
        ),
        steps=(
            *rest_app.steps(house, house.claims, consented),   # whoever waits for another one first
            *save_database.steps(house, (*consented, if_any("stop.app/*"))),  # ended, as those write no more
            *save_claim.steps(house),                          # a backup of each, begun after that
        ),
    )  # fmt: skip
