"""From held claims to applications with their data, proven: every check and step in the order a person would tell it."""

from __future__ import annotations

from collections.abc import Mapping

from cluster import running
from cluster.backups import backup_check
from cluster.course import Course
from cluster.hold import held_check
from cluster.steps import declare_held, lift_reservation, start_nas
from cluster.storage.nas.check import source_checks
from cluster.storage.nas.starting import may_start, to_start
from engine.step import if_any
from house.model import BackedUpClaim, House
from house.values.databases import RestorableDatabase
from recovery.checks import admitted, in_place, mounted, restorable, snapshot_class, usable
from recovery.steps.claims import (
    accept_empty,
    delete_claim,
    pin_claim,
    populate_claim,
    prove_image,
    restore_image,
    start_app,
    stop_app,
)
from recovery.steps.databases import pin_database, prove_database, restore_database
from recovery.steps.hold import first_backup, hold_again, release_claim
from recovery.steps.volumes import keep_old, probe_write

RESTORED = (
    if_any("recovery.accept-empty/*"), if_any("recovery.first-backup/*"), if_any("dr.database-prove/*"), if_any("undo.release/*"),
)


def course(
    house: House,
    claims: tuple[BackedUpClaim, ...],
    *,
    again: tuple[BackedUpClaim, ...] = (),
    never_backed_up: tuple[BackedUpClaim, ...] = (),
    as_of: float = 0.0,
    known: dict[str, str] | None = None,
    written: Mapping[str, tuple[str, ...]] | None = None,
    databases: tuple[RestorableDatabase, ...] = (),
) -> Course:
    """Restore `claims` as of a time (seconds since the epoch, 0.0 for now); those that are bound and alive stand in `again` too.

    `known` maps claim keys to the repository ids of the lock file; `written` storage classes that are written to first to the
    checks that come before that.
    """
    known = known or {}
    nas = to_start(house, claims)
    return Course(
        checks=(
            *may_start(house, nas),                    # a NAS that is a VM: the token may start it
            *backup_check.checks(house, claims, known, as_of),  # every repository opens and is the one the lock file knows
            *source_checks(house, claims),             # a NAS that a backup lies on is whole, as far as that restore uses it
            *restorable.checks(house, claims),         # each has a destination, and its restores end in an image
            *snapshot_class.checks(house, claims),     # and the class of its snapshots is there
            *mounted.checks(house, claims),            # what mounts its repository into its mover can do so here
            *admitted.checks(house, claims),           # Git's own namespace lets its mover in
            in_place.InPlace(house),                   # the hold bites on every API server
            *usable.checks(house, claims),             # what comes back is its application's to read and write, or that is said
            *running.checks(house, claims),            # later: the application runs
            held_check.HeldClaims(RESTORED),           # at the end: what is held still
        ),
        steps=(
            *(lift_reservation.steps(house) if nas else ()),  # what a dead run left of the hosts
            *start_nas.steps(house, nas),              # the VM of a NAS that a backup lies on
            *declare_held.steps((*claims, *never_backed_up)),  # what has been lost since it was let go is held anew
            *probe_write.steps(written or {}),             # where only a write tells whether a storage takes one
            *accept_empty.steps(house, never_backed_up),   # by approval only
            *hold_again.steps(house, again, as_of, known),  # bound and alive: held again, by approval only
            *pin_claim.steps(house, claims, as_of, known),  # one restore point per claim, chosen once
            *restore_image.steps(house, claims),       # by VolSync, from exactly that snapshot
            *prove_image.steps(house, claims),         # compared with the snapshot's own list
            *stop_app.steps(again),                    # only now, with the replacement proven
            *keep_old.steps(again),                    # the old volume stays until a person lets it go
            *delete_claim.steps(again),                # exactly the claim that the approval named
            *start_app.steps(again),                   # Flux makes it anew
            *populate_claim.steps(house, claims),      # the claim is filled from that image
            *release_claim.steps(house, claims),       # backups may be written again
            *first_backup.steps(house, claims),        # and one was, complete
            *pin_database.steps(house, databases, as_of),  # one point of each archive, and a recovery for review
            *restore_database.steps(house, databases),  # by its operator: Git's recovery, or by consent ours
            *prove_database.steps(house, databases),   # timeline, place in the log, and what the settings ask
        ),
    )  # fmt: skip
