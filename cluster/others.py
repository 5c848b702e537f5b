"""Whether another run has reserved the house's hosts, told beside a plan: what that plan says begins only once it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from adapters.context import LookContext
from adapters.proxmox.results import Whose
from cluster.steps.lift_reservation import LiftReservation
from engine.errors import BlackstartError, JournalBusy
from engine.plan import Plan, Planned
from engine.secrets import told
from engine.words import some
from engine.workers import Workers
from talos.ahead import quietly


class Hosts(Enum):
    """Who has reserved them."""

    NOBODY = "nobody"
    GONE = "a run of this machine that is gone"
    ANOTHER = "another run"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class OtherRun:
    """Who has the hosts, and what that is to a run of this plan.

    `owner` and `since` (seconds since the epoch, 0.0 for unknown) as in `Reservation`. `told` is one sentence, "" where there is
    nothing to say, or where the plan has a row that says it.
    """

    hosts: Hosts
    owner: str = ""
    since: float = 0.0
    told: str = ""


def ask_ahead(look: LookContext, workers: Workers) -> None:
    """Begin to ask, beside a plan's rows. For views that remember; a Proxmox that hangs keeps nobody waiting twice."""

    workers.start(partial(quietly, look.proxmox.reservation))  # `other_run` meets a refusal again


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
        return OtherRun(Hosts.GONE, found.owner, found.since)  # it keeps nobody out, and goes by itself
    first = f"Another run has the hosts: {told(found.told(look.clock.now()))}."
    if row is not None:
        then = f"Until it is gone this one begins nothing; after {some(row.after, 1)} it asks for your consent to take that away."
    else:
        then = (
            f"Until it is gone this one changes nothing and ends with {JournalBusy.exit_code}: wait for it; if you know that it is "
            "dead, cluster.bootstrap takes that away, by consent to its plan."
        )
    return OtherRun(Hosts.ANOTHER, found.owner, found.since, "" if says_it else f"{first} {then}")
