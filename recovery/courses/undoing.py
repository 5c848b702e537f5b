"""The courses of `dr.undo`: a claim's volume of before comes back, or is let go. Knows no terminal."""

from __future__ import annotations

from collections.abc import Collection

from adapters.context import LookContext
from adapters.hold.results import HoldState
from adapters.kept.results import KeptState, KeptVolume
from cluster import running
from cluster.course import Course
from cluster.hold import held_check
from engine.errors import PermanentError, SettingsInvalid
from engine.step import if_any
from house.model import BackedUpClaim, House
from recovery.checks import came_back, in_place
from recovery.points.kept import kept_of, to_come_back
from recovery.selection import named
from recovery.steps.claims import start_app, stop_app
from recovery.steps.volumes import begin_undo, clear_claim, keep_old, let_go_kept, put_back, release_undone


def undo_course(house: House, claim: BackedUpClaim, volume: str) -> Course:
    """Bring this kept volume back as the claim. What is in use now is kept in its turn, so that an undo can be undone."""
    one, key = (claim,), claim.key
    return Course(
        checks=(
            in_place.InPlace(house),                                # the hold bites: nothing fills the claim but what is promised
            came_back.CameBack(house, claim, volume),               # later: it is that very volume
            *running.checks(house, one, (f"undo.bound/{key}",)),    # and the application runs on it
            held_check.HeldClaims((if_any("undo.release/*"),)),     # at the end: what is held still
        ),
        steps=(
            begin_undo.BeginUndo(house, claim, volume),             # held, by consent to both volumes
            *stop_app.steps(one, (f"undo.begin/{key}",)),           # nothing has it open, and Flux starts nothing
            *keep_old.steps(one),                                   # what is in use now stays, too
            clear_claim.ClearClaim(claim, volume),                  # exactly the claim that the consent named
            put_back.PutBack(house, claim, volume),                 # the next claim of its name gets it
            *start_app.steps(one, (f"undo.put-back/{key}",)),       # Flux makes that
            release_undone.ReleaseUndone(claim, volume),            # backups go on
        ),
    )  # fmt: skip


def cut_off_course(look: LookContext, house: House, claim: BackedUpClaim, begun: Collection[str]) -> Course | None:
    """What ends an undo that was cut off between its last act and the journal's word of it; None where none was.

    By then our mark is off the volume, so the same words would be about the one that has gone out of use.
    """
    if f"undo.release/{claim.key}" not in begun:
        return None  # and nothing is looked at for it: a restore asks this of every claim
    entry, now = look.hold.record().claim(claim.namespace, claim.claim), look.claims.claim(claim.namespace, claim.claim)
    marked = any(one.handle == now.volume for one in look.kept.volumes())
    if entry is None or entry.state is not HoldState.RELEASED or marked:
        return None
    return Course(
        checks=(
            *running.checks(house, (claim,), (if_any("undo.put-back/*"),)),
            held_check.HeldClaims((if_any("undo.release/*"),)),
        ),
        steps=(release_undone.ReleaseUndone(claim, entry.undo),),
    )


def let_go_course(namespace: str, claim: str) -> Course:
    """Let all that is kept of a claim go, by consent."""
    return Course(checks=(), steps=(let_go_kept.LetKeptGo(namespace, claim),))


def to_undo(look: LookContext, house: House, words: str) -> tuple[BackedUpClaim, KeptVolume]:
    """The claim of this name, and the volume that comes back. SettingsInvalid for no such claim, PermanentError for no volume."""
    chosen = named(house, one_name(words))
    claim = chosen[0]
    found = kept_of(look.kept, claim.key)
    volume = to_come_back(found, look.hold.record().claim(claim.namespace, claim.claim))
    if volume is not None:
        return claim, volume
    taken = [one for one in found if one.state is not KeptState.FREE]
    names = " ".join(one.name for one in taken)
    hint = "a restore over living data keeps the volume that was in use; this claim has had none, or it was let go"
    raise PermanentError(
        f"nothing is kept of {claim.key} that could come back",
        evidence=tuple(f"volume {one.name} is {one.state.value}" for one in taken),
        hint=f"what is kept can come back once no claim has it: kubectl get pv {names}   # Released, and Retain" if taken else hint,
        next_command=f"invoke dr.list {claim.key}",
    )


def to_let_go(look: LookContext, words: str) -> tuple[str, str]:
    """Namespace and name of the claim of these words, by what is kept: Git may not declare it any more."""
    word, found = one_name(words), look.kept.volumes()
    keys = sorted({one.key for one in found if word in (one.key, one.claim)})
    if len(keys) != 1:
        raise SettingsInvalid(
            f"{word} names {'nothing that is kept' if not keys else 'more than one claim'}",
            evidence=tuple(keys or sorted({one.key for one in found})),
            next_command="invoke dr.hold",
        )
    namespace, _, name = keys[0].partition("/")
    return namespace, name


def one_name(words: str) -> str:
    """The one name that was typed; SettingsInvalid for none and for several."""
    word = words.strip()
    if not word or "," in word:
        what = "one claim at a time is brought back, or what is kept of it let go"
        raise SettingsInvalid(what, evidence=(word,) if word else (), hint="right would be one NAMESPACE/NAME")
    return word
