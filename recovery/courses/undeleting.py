"""The course of `dr.undelete`: what a claim's repository was at a moment, brought to a place of its own, and checked there."""

from __future__ import annotations

from adapters.backups.stores.places import s3_address
from cluster.course import Course
from engine.errors import SettingsInvalid
from house.model import BackedUpClaim, House
from recovery.checks.brought import Brought
from recovery.kopia import of_kopia
from recovery.points.former import stamp
from recovery.selection import named
from recovery.steps.repository import bring_former


def to_undelete(house: House, words: str) -> BackedUpClaim:
    """The one claim of these words. SettingsInvalid for none, several, and one whose backup lies in no bucket."""
    if others := of_kopia(house, words):
        raise SettingsInvalid(
            f"{others[0].key} is backed up by kopia: a former state of its repository is not brought back from here",
            hint="many claims share it, and kopia can keep its own by `kopia repository set-parameters --retention-mode`",
        )
    if not words.strip() or "," in words:
        raise SettingsInvalid(
            "one claim at a time is undeleted", evidence=tuple(claim.key for claim in house.claims),
            hint="right would be one NAMESPACE/NAME",
        )
    claim = named(house, words)[0]
    if s3_address(claim.open_as) is None:
        raise SettingsInvalid(
            f"the backup of {claim.key} lies in no bucket: {claim.open_as or 'its place is not told'}",
            hint="a NAS keeps snapshots of a dataset: its web page clones one, and a rule of backups.open_as can name the clone",
        )
    return claim


def place_of(claim: BackedUpClaim, moment: float) -> str:
    """Where the state of that moment is brought to: beside the repository, or in a folder of the bucket that it has for itself."""
    address = claim.open_as.rstrip("/")
    known = s3_address(address)
    word = f"as-of-{stamp(moment).replace(':', '').replace('-', '')}"
    return f"{address}-{word}" if known is not None and known.prefix else f"{address}/{word}"


def undelete_course(house: House, claim: BackedUpClaim, moment: float) -> Course:
    """The step and the check behind it."""
    step = bring_former.BringFormer(house, claim, moment, place_of(claim, moment))
    return Course(checks=(Brought(step),), steps=(step,))
