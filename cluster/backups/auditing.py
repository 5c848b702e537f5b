"""All claims' backups looked at side by side: each with a deadline of its own, told as they end, compared at the end.

Knows no backup program and draws nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from adapters.backups.results import Depth, Part, Verdict
from adapters.ports import BackupsView
from cluster.backups.audit import Asked, ClaimAudit, as_shared, audit_claim
from engine.errors import BlackstartError
from engine.waiting import Clock
from engine.workers import Channel, Workers
from house.model import BackedUpClaim, House


@dataclass(frozen=True)
class Audited:
    """One claim's audit has ended: `done` of `of` have, and the rest takes about `left_s` seconds yet."""

    audit: ClaimAudit
    seconds: float
    done: int
    of: int
    left_s: float


Look = Callable[[BackedUpClaim], ClaimAudit]
Tell = Callable[[Audited], None]
Judge = Callable[[ClaimAudit], ClaimAudit]


def as_found(audit: ClaimAudit) -> ClaimAudit:
    """Nothing else has a word in it."""
    return audit


def audit_all(
    backups: BackupsView, clock: Clock, house: House, asked: Asked, workers: Workers, tell: Tell, judged: Judge = as_found
) -> list[ClaimAudit]:
    """One audit for each place of each claim, in the order of the house; `limits.parallel` at once. What is a bug is raised.

    `judged` may say that of a backup which was not found nothing is known: it knows what the place stands on.
    """
    asked = replace(asked, alone=True)
    limits = house.limits
    limit_s = limits.restore_s if asked.depth.holds(Depth.CHECKED) else limits.look_s

    def look(claim: BackedUpClaim) -> ClaimAudit:
        return judged(audit_claim(backups, clock, house, claim, asked))

    places = [place for claim in (*house.claims, *house.kopia) for place in claim.sources]
    return by_identity(side_by_side(look, places, clock, workers, tell, at_once=limits.parallel, limit_s=limit_s))


def side_by_side(
    look: Look, claims: Sequence[BackedUpClaim], clock: Clock, workers: Workers, tell: Tell, *, at_once: int, limit_s: float
) -> list[ClaimAudit]:
    """`look` at each claim, `at_once` at the same time; one that takes longer than `limit_s` seconds is unreachable.

    A store that hangs keeps its own claim alone: the others go on in its place, and nobody waits for it.
    """
    inbox: Channel[tuple[int, ClaimAudit | BaseException]] = workers.channel()
    began, started = clock.monotonic(), dict[int, float]()
    answers: dict[int, ClaimAudit] = {}

    def work(place: int) -> None:
        try:
            inbox.put((place, look(claims[place])))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, and judged there
            inbox.put((place, error))

    def begin() -> None:
        place = len(started)
        if place < len(claims):
            started[place] = clock.monotonic()
            workers.start(partial(work, place))

    def end(place: int, audit: ClaimAudit) -> None:
        answers[place] = audit
        now, done = clock.monotonic(), len(answers)
        left_s = (now - began) / done * (len(claims) - done)
        tell(Audited(audit, now - started[place], done, len(claims), left_s))
        begin()

    for _ in range(min(at_once, len(claims))):
        begin()
    while len(answers) < len(claims):
        waiting = {place: since + limit_s for place, since in started.items() if place not in answers}
        heard = inbox.get(max(0.0, min(waiting.values()) - clock.monotonic()))
        if heard is None:
            late = min(waiting, key=lambda place: waiting[place])
            end(late, _without_answer(claims[late], limit_s))
        elif heard[0] not in answers:
            end(heard[0], _answer(claims[heard[0]], heard[1]))
    return [answers[place] for place in range(len(claims))]


def by_identity(audits: list[ClaimAudit]) -> list[ClaimAudit]:
    """The same audits; where one repository answers for several claims, at whatever addresses, none of them is trusted."""
    owners: defaultdict[str, dict[str, None]] = defaultdict(dict)  # two places of one claim may be copies of each other
    for audit in audits:
        if audit.repository_id:
            owners[audit.repository_id][audit.claim.key] = None
    return [
        as_shared(audit, len(audit.points), ", ".join(key for key in owners[audit.repository_id] if key != audit.claim.key))
        if audit.repository_id and audit.points and audit.verdict is not Verdict.FOREIGN and len(owners[audit.repository_id]) > 1
        else audit
        for audit in audits
    ]


def looked_at(
    backups: BackupsView, clock: Clock, house: House, asked: Asked, parts: Mapping[str, Part], claim: BackedUpClaim
) -> ClaimAudit:
    """One claim's audit with the part of its data that is this time's, by `source_key`."""
    return audit_claim(backups, clock, house, claim, replace(asked, part=parts[claim.source_key]))


def _answer(claim: BackedUpClaim, answer: ClaimAudit | BaseException) -> ClaimAudit:
    if isinstance(answer, ClaimAudit):
        return answer
    if isinstance(answer, BlackstartError):
        return ClaimAudit(claim, Verdict.UNKNOWN, "", None, None, (), "; ".join((answer.what, *answer.evidence)))
    raise answer


def _without_answer(claim: BackedUpClaim, limit_s: float) -> ClaimAudit:
    told = f"it did not answer within {limit_s:.0f} s (limits.look)"
    return ClaimAudit(claim, Verdict.UNREACHABLE, "", None, None, (), told)
