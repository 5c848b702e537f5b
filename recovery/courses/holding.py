"""Which claims `dr.hold` holds, and its course: one step for each, beside the hold's own policies. Knows no terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from adapters.hold.results import HeldClaim, HoldRecord
from cluster.course import Course
from cluster.hold import held_check
from cluster.steps import install_hold
from engine.errors import SettingsInvalid
from engine.step import if_any
from house.model import BackedUpClaim, House
from recovery.checks import in_place
from recovery.lifting import undeclared
from recovery.steps.hold import hold_now


def to_hold(house: House, words: str, record: Callable[[], HoldRecord]) -> tuple[BackedUpClaim | HeldClaim, ...]:
    """The claims of these words: `namespace/name` or the name alone, comma between several. SettingsInvalid unless each is one.

    The house's own word comes first; what it does not declare (any more) is looked for in the record.
    """
    chosen: list[BackedUpClaim | HeldClaim] = []
    for word in map(str.strip, words.split(",")):
        found: list[BackedUpClaim | HeldClaim] = [c for c in (*house.claims, *house.held_kopia) if word in (c.key, c.claim)]
        found = found or [c for c in undeclared(house, record()) if word in (c.key, c.claim)]
        if len(found) != 1:
            raise SettingsInvalid(
                f"{word or 'an empty word'} names {'no' if not found else 'more than one'} claim",
                evidence=tuple(c.key for c in found or house.claims),
                hint="only a claim whose backup is declared, or that stands in the record, can be held by its name",
            )
        chosen.append(found[0])
    return tuple(dict.fromkeys(chosen))


def hold_course(house: House, claims: tuple[BackedUpClaim | HeldClaim, ...], known: Mapping[str, str]) -> Course:
    """Held without any check before it: what is looked at first may be what does not answer. `known`: ids of the lock file."""
    return Course(
        checks=(
            # Seen last: that policies are there and refuse is no proof that an API server has heard of this very claim.
            in_place.InPlace(house, (if_any("hold.now/*"), "hold.install")),
            held_check.HeldClaims((if_any("hold.now/*"), if_any("hold.install"))),
        ),
        steps=(
            *hold_now.steps(house, claims, known),  # the record, then the wait, then the restore point
            *install_hold.steps(house),             # the policies, where a hand has taken them away
        ),
    )  # fmt: skip
