"""A person's consent to the named acts of one plan, and to the risks that its checks name. Knows no terminal and asks nobody.

It names each act by step, hazard and the digest of what is destroyed or disturbed (restore point included, where there is
one): typed values, never the words in which a person is told of them. Acts that were done since keep it valid; an act it does
not name is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from engine.errors import ApprovalMissing, PermanentError
from engine.probe import Condition, Identity, Probe, Risk
from engine.secrets import told
from engine.step import Check, Hazard, Step, StepId
from engine.text.ages import to_come
from engine.text.jsontext import Malformed, read

Look = TypeVar("Look")
Act = TypeVar("Act")

RISKS = "risks"
"""In the place of a hazard: what was consented to is no act of ours, but to go on although a check says no."""


@dataclass(frozen=True, order=True)
class ApprovedAct:
    """One act: the step, how bad it is, and the digest of what it is done to. `words` say that to a person, and decide nothing."""

    step: StepId
    hazard: str
    identity: str
    words: str = field(default="", compare=False)

    @classmethod
    def to(cls, identity: Identity, step: StepId, hazard: Hazard) -> ApprovedAct:
        """This act, done to that."""
        return cls(step, hazard.value, identity.digest, told(str(identity)))


@dataclass(frozen=True)
class Approval:
    """Consent to these acts of the plan with this digest, until `expires` (seconds since the epoch)."""

    digest: str
    acts: frozenset[ApprovedAct]
    expires: float

    def to_text(self) -> str:
        """For the journal; what has become a secret since the plan leaves the words, and the consent stays the same."""
        acts = [[act.step, act.hazard, act.identity, told(act.words)] for act in sorted(self.acts)]
        return json.dumps({"digest": self.digest, "expires": self.expires, "acts": acts})

    @classmethod
    def from_text(cls, text: str) -> Approval:
        """Out of the journal. An older version wrote words where the digest is now: they name no act of today. Raises Malformed."""

        def made(body: dict[str, Any]) -> Approval:
            acts = frozenset(ApprovedAct(StepId(step), *named) for step, *named in body["acts"])
            return cls(str(body["digest"]), acts, float(body["expires"]))

        return read(text, made, ours=True)


def needed_act(step: Step[Look, Act], seen: Probe, hazard: Hazard) -> ApprovedAct | None:
    """The act that a person must have consented to, or None where none is needed.

    Raises PermanentError for a destroying act that does not say what it destroys: nobody could consent to that.
    """
    if hazard is Hazard.NONE:
        return None
    identity = step.identity(seen)
    if identity is None and hazard is Hazard.DESTROYS:
        raise PermanentError(f"{step.id} would destroy something and does not name it")
    return ApprovedAct.to(identity, step.id, hazard) if identity is not None else None


def needed_consent(check: Check[Look], seen: Probe) -> ApprovedAct | None:
    """What a person may consent to so that this check's no stops nobody; None where it says yes, or nothing can be consented to."""
    if seen.condition is Condition.SATISFIED or not isinstance(seen.identity, Risk):
        return None
    return ApprovedAct(check.id, RISKS, seen.identity.digest, told(str(seen.identity)))


def consented(check: Check[Look], seen: Probe, approval: Approval | None, now: float) -> bool:
    """Whether a person took the risk that this check names, as it is now; `now` in seconds since the epoch."""
    risk = needed_consent(check, seen)
    return risk is not None and approval is not None and now < approval.expires and risk in approval.acts


def require(act: ApprovedAct | None, approval: Approval | None, now: float) -> None:
    """Return when the act needs no consent or has it. Raises ApprovalMissing otherwise; `now` in seconds since the epoch."""
    if act is None:
        return
    names = f"{act.step} {act.hazard} {act.words}"
    hint = "plan again, read what it would do, and give its digest with --approve"
    if approval is None:
        raise ApprovalMissing(f"this act needs an approval: {names}", hint=hint)
    if now >= approval.expires:
        raise ApprovalMissing(f"the approval {approval.digest} has expired: {names}", hint=hint)
    if act not in approval.acts:
        named = tuple(f"approved: {a.hazard} {a.words}" for a in sorted(approval.acts) if a.step == act.step)
        raise ApprovalMissing(f"the approval {approval.digest} does not name this act: {names}", evidence=named, hint=hint)


def approve(
    digest: str, *, acts: Iterable[ApprovedAct], plan_digest: str, journalled: Iterable[str], now: float, valid_s: float
) -> Approval:
    """Turn what the person gave with `--approve DIGEST` into an Approval.

    `acts` and `plan_digest` are those of the plan made just now; where it differs, an approval of that digest out of the
    journal counts (acts done since changed the plan), unless it ends later than one of now would: a clock that was ahead has given
    it. Raises ApprovalMissing when neither fits. `valid_s` in seconds.
    """
    if digest == plan_digest:
        return Approval(digest, frozenset(acts), now + valid_s)
    for text in journalled:
        with suppress(Malformed):  # of a version that wrote another shape: it names no act of today
            old = Approval.from_text(text)
            if old.digest == digest and now < old.expires and not to_come(old.expires, now + valid_s):
                return old
    raise ApprovalMissing(
        f"--approve {digest} is not the plan of now, nor an approval that still holds",
        evidence=(f"the plan of now is {plan_digest}",),
        hint="read the plan of now and approve that",
    )
