"""Whether another run has reserved the house's hosts or holds its Lease, told beside a plan: what that plan says begins only then.

Whether the Lease's holder lives is told by whether it is renewed while the plan looks, as a run tells it (adapters/leased.py), and
by no clock. A plan looks twice and waits for nothing, so that a Lease which stays as it is says nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from adapters.context import LookContext
from adapters.kubernetes.results import LeaseHolder
from adapters.leased import OUTLIVED_S, RENEW_S, WATCH_S
from adapters.proxmox.results import Whose
from cluster.steps.lift_reservation import LiftReservation
from engine.errors import BlackstartError, JournalBusy, PermanentError
from engine.plan import Plan, Planned
from engine.secrets import told
from engine.text.ages import ago
from engine.text.lengths import span
from engine.text.words import some
from engine.workers import Channel, Workers
from talos.ahead import ahead


class Hosts(Enum):
    """Who has reserved them."""

    NOBODY = "nobody"
    GONE = "a run of this machine that is gone"
    ANOTHER = "another run"
    UNKNOWN = "unknown"


class Held(Enum):
    """Who holds the house's Lease, as far as one plan can see."""

    NOBODY = "nobody"
    OURS = "this machine"
    AT_WORK = "another machine, at work"
    ANOTHER = "another machine, at work or gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class OtherRun:
    """Who has the hosts, and what that is to a run of this plan.

    `owner`, `since` (seconds since the epoch, 0.0 for unknown) and `holder` as in `Reservation`. `told` is one sentence, "" where
    there is nothing to say, or where the plan has a row that says it.
    """

    hosts: Hosts
    owner: str = ""
    since: float = 0.0
    told: str = ""
    holder: str = ""


@dataclass(frozen=True)
class OtherLease:
    """Who holds the Lease, and what that is to a run of this plan.

    `holder` and `since` as in `LeaseHolder`; `watched_s` is for how long it was looked at, in seconds. `told` as in `OtherRun`.
    """

    held: Held
    holder: str = ""
    since: float = 0.0
    watched_s: float = 0.0
    told: str = ""


@dataclass(frozen=True)
class _Look:
    """What one look at the Lease has answered, and when by the monotonic clock."""

    found: LeaseHolder | None
    at: float
    refusal: BlackstartError | None = None


def other_run(look: LookContext, made: Plan) -> OtherRun:
    """Who has the hosts by now. Raises nothing of Proxmox's: a run that changes the cluster alone goes on without its answer."""
    row = next((line for line in made.lines if line.id == LiftReservation.id), None)
    says_it = row is not None and row.verdict is not Planned.KNOWN_AFTER
    try:
        found = look.proxmox.reservation()
    except BlackstartError as error:
        why = error.as_told().what
        silent = f"Whether another run has reserved the hosts is not known: {why}. This one would go on without that answer."
        return OtherRun(Hosts.UNKNOWN, told="" if row is not None else silent)
    if found is None or found.whose is Whose.OURS:
        return OtherRun(Hosts.NOBODY)
    if found.whose is Whose.DEAD:
        return OtherRun(Hosts.GONE, found.owner, found.since, holder=found.holder)  # it keeps nobody out, and goes by itself
    first = f"Another run has the hosts: {told(found.told(look.clock.now()))}."
    if row is not None:
        then = f"Until it is gone this one begins nothing; after {some(row.after, 1)} it asks for your consent to take that away."
    else:
        then = (
            f"Until it is gone this one changes nothing and ends with {JournalBusy.exit_code}: wait for it; if you know that it is "
            "dead, cluster.bootstrap takes that away, by consent to its plan."
        )
    return OtherRun(Hosts.ANOTHER, found.owner, found.since, "" if says_it else f"{first} {then}", found.holder)


class Watch:
    """Hosts and Lease over the length of one plan: asked first as it begins, beside its rows, the Lease once more as it ends.

    `look` remembers what it was asked of the hosts, so that a Proxmox that hangs keeps nobody waiting twice, and not who holds the
    Lease. `holder` is who we are in that.
    """

    def __init__(self, look: LookContext, holder: str, workers: Workers) -> None:
        self._look, self._holder = look, holder
        self._first: Channel[_Look | BaseException] = workers.channel()
        workers.start(partial(ahead, look.proxmox.reservation, []))  # `other_run` asks the same, and meets what was no answer
        workers.start(partial(_answered, self._looked, self._first))

    def seen(self, made: Plan) -> tuple[OtherRun, OtherLease]:
        """What there is to tell beside this plan. Raises nothing of Proxmox's and nothing of the cluster's."""
        hosts = other_run(self._look, made)
        return hosts, self._lease(hosts)

    def _lease(self, hosts: OtherRun) -> OtherLease:
        first = self._first.get()
        if isinstance(first, BaseException):
            raise first
        assert first is not None  # there is no timeout
        last = self._looked() if first.refusal is None else first
        if last.refusal is not None:
            return OtherLease(Held.UNKNOWN, told=_unseen(last.refusal))
        if last.found is None:
            return OtherLease(Held.NOBODY)
        found, watched = last.found, last.at - first.at
        lives = first.found is None or found.renewal != first.found.renewal
        if found.holder == self._holder:
            return OtherLease(Held.OURS, found.holder, found.since, watched, _ours(lives))
        said = f"{self._who(found, hosts)} {_alive() if lives else _unmoved(watched)}"
        return OtherLease(Held.AT_WORK if lives else Held.ANOTHER, found.holder, found.since, watched, said)

    def _looked(self) -> _Look:
        at = self._look.clock.monotonic()
        try:
            return _Look(self._look.cluster.lease(), at)
        except BlackstartError as error:
            return _Look(None, at, error)

    def _who(self, found: LeaseHolder, hosts: OtherRun) -> str:
        when = f"{ago(found.since, self._look.clock.now())} by that machine's clock" if found.since else "since when is not said"
        if hosts.hosts is Hosts.ANOTHER and hosts.holder == found.holder:
            return f"The same machine holds the house's Lease as well ({when})."
        return f"Another machine holds the house's Lease: {told(found.holder)} ({when})."


def _answered(ask: Callable[[], _Look], into: Channel[_Look | BaseException]) -> None:
    """Whatever it comes to: the plan waits for it."""
    try:
        into.put(ask())
    except BaseException as error:  # noqa: BLE001 - carried to the plan's own thread and raised there
        into.put(error)


def _unseen(error: BlackstartError) -> str:
    """Nothing where it may yet answer: its rows say that the cluster does not."""
    if not isinstance(error, PermanentError):
        return ""
    return f"Whether another machine's run holds the house's Lease is not known: {error.as_told().what}."


def _ours(lives: bool) -> str:
    if not lives:
        return ""  # who that is the lock of the state folder says
    return f"A run of this machine is at work on the house: until it has ended this one ends with {JournalBusy.exit_code}."


def _alive() -> str:
    return (
        "It was renewed while this plan looked: a run is at work there. Until that has ended this one changes nothing and ends "
        f"with {JournalBusy.exit_code}: wait for it, or stop it there."
    )


def _unmoved(watched_s: float) -> str:
    return (
        f"Whether a run is at work there is not known: it was not renewed in the {span(watched_s)} that this plan looked, and one "
        f"that lives renews it every {span(RENEW_S + WATCH_S)}. Before its first change this one watches it for up to "
        f"{span(OUTLIVED_S)}: it goes on if nobody renews it, and ends with {JournalBusy.exit_code} if somebody does."
    )
