"""Volumes that were kept of a claim: which one comes back, and what must be true before another step may rely on one."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.hold.results import HeldClaim, HoldState
from adapters.kept.port import KeptView
from adapters.kept.results import KeptState, KeptVolume
from engine.errors import PermanentError

NOBODY = "none"
"""What an undo's entry replaces where no living claim stands there: nothing is deleted then."""


def kept_of(kept: KeptView, key: str) -> tuple[KeptVolume, ...]:
    """The volumes that are kept of the claim `namespace/name`, the newest first."""
    return tuple(one for one in kept.volumes() if one.key == key)


def to_come_back(found: Iterable[KeptVolume], entry: HeldClaim | None) -> KeptVolume | None:
    """The one that an undo brings back: what one that was cut off has named, else the newest that no claim has; None for none."""
    named = next((one for one in found if entry is not None and one.name == entry.undo), None)
    if named is not None and (on_its_way(entry) or named.state is not KeptState.FREE):
        return named
    return next((one for one in found if one.state is KeptState.FREE), None)


def on_its_way(entry: HeldClaim | None) -> bool:
    """Whether an undo of this claim was begun and is not at its end."""
    return entry is not None and bool(entry.undo) and entry.state in (HoldState.HELD, HoldState.PROVEN)


def staying(kept: KeptView, uid: str) -> KeptVolume | None:
    """The volume of the claim of this uid that stays when the claim goes; None when none does, or for no uid."""
    return next((one for one in kept.volumes() if uid and one.uid == uid and one.stays), None)


def demand_kept(kept: KeptView, uid: str, key: str) -> None:
    """PermanentError when the volume of the claim of this uid is not kept: deleted with its claim its data would be gone."""
    if staying(kept, uid) is None:
        raise PermanentError(
            f"{key} is not deleted: its volume is not kept, and would go with it",
            evidence=(f"claim uid {uid}",),
            hint="a hand has taken our mark off the volume, or given it another policy: the same again keeps it first",
        )


def refuse_undoing(entry: HeldClaim) -> None:
    """PermanentError while an undo of the claim is on its way: a restore would delete what that brings back."""
    if on_its_way(entry):
        raise PermanentError(
            f"an undo of {entry.key} was begun and is not at its end: it is not restored meanwhile",
            evidence=(f"volume {entry.undo} comes back",),
            hint="go on with it first; or let the claim go as it is by dr.release, and restore it then",
            next_command=f"invoke dr.undo {entry.key}",
        )


def demand_volume(kept: KeptView, volume: str, key: str) -> KeptVolume:
    """The kept volume of this name; PermanentError when it is not kept (any more): it may be gone."""
    found = next((one for one in kept.volumes() if one.name == volume and one.key == key), None)
    if found is None:
        raise PermanentError(
            f"volume {volume}, which was to come back as {key}, is not kept any more",
            hint="somebody has deleted it or taken our mark off; nothing was put in its place",
            next_command="invoke dr.hold",
        )
    return found
