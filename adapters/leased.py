"""Excludes other machines: for each change of the house, its Lease must be ours. A decorator round the ports.

`flock` excludes a second run on this machine; two machines share only the cluster, so the Lease lives there. It is taken
with the first mutation, renewed by later ones, and renewed in the background while one takes long: a release may take a
quarter of an hour, the Lease lasts a minute. Hosts and machines are changed before there is a cluster, too: those are reserved at
Proxmox (reserved.py), and while no API server has answered in this run that alone excludes. Who changes the cluster alone reserves
nothing, and looks whether somebody has once the Lease is its own: of two machines at least one sees what the other has.

Whether its holder lives is told by whether its renewal *changes*, watched for as long as a Lease lasts by our own clock, which
goes on while this machine is suspended. Wall clocks are never compared: two machines' may differ by more than a Lease lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from adapters.context import ActContext
from adapters.kubernetes.results import LeaseHolder
from adapters.reserved import RESERVATION_CALLS, HostsReserved
from adapters.surface import Surface, surfaces
from engine.errors import BlackstartError, JournalBusy, OurError, TransientError
from engine.waiting import Clock, pause
from engine.workers import Channel, Workers

LEASE_S = 60
RENEW_S = LEASE_S / 2
"""Age at which it is renewed."""
WATCH_S = LEASE_S / 6
"""How often a long act's Lease is looked after: one that could not be renewed is tried again twice before it has run out."""
OUTLIVED_S = LEASE_S + WATCH_S
"""How long another's Lease must stay as it is before we take it: longer than its holder believes that it lasts."""
GUARDED = ("cluster", "releases", "flux", "claims", "hold", "drills", "trials", "databases", "kept", "tls", "flags")
EARLY = ("proxmox", "talos", "etcd")
"""Ports whose changes come before there is a Lease, too."""
LEASE_CALLS = frozenset({"take_lease", "drop_lease"}) | RESERVATION_CALLS
"""What excludes cannot wait for itself."""
INTO_THE_DARK = frozenset({"proxmox.shut_down_vm", "proxmox.shut_down_host"})
"""With these a house's hosts go off, and with a majority of them whatever could be reserved or given back."""
LAST_ACTS = frozenset({"talos.shut_down"}) | INTO_THE_DARK
"""After one of these the API servers may be off by our own act: the reservation alone excludes then, and the Lease stays behind."""
OURS_ALONE = frozenset({"etcd.take", "etcd.copy", "talos.fetch_kubeconfig", "proxmox.wake_host"})
"""They write to this machine's state folder, which its lock excludes others from: saving etcd must wait for no other machine, and
who only wants to look (a drill on a new machine) must leave nothing in the house. A host that is woken is in nobody's way, and
before a majority of them is on nothing could be reserved."""


class LeasePort(Protocol):
    """Where a Lease lies."""

    def take_lease(self, holder: str, seconds: int, over: str = "") -> LeaseHolder:
        """See ports.Cluster."""

    def drop_lease(self, holder: str) -> None:
        """See ports.Cluster."""


class HouseLease:
    """The Lease of one house in the hands of one machine. `holder` must be the same for every run of this machine.

    `busy` is the sentence for who finds another machine at it.
    """

    def __init__(
        self, cluster: LeasePort, holder: str, clock: Clock, workers: Workers, hosts: HostsReserved | None = None,
        busy: str = "another machine is at work on this house",
    ) -> None:  # fmt: skip
        self._cluster = cluster
        self._busy = busy
        self.holder = holder
        self._clock = clock
        self._workers = workers
        self._lock = threading.Lock()
        self._taken = False
        self._asked = -float(LEASE_S)  # when it was last asked for and given, by the monotonic clock
        self._gaps = 0  # how often it had run out, or was somebody else's, when it was asked for again
        self._acts = 0
        self._dark_until = -float(LEASE_S)
        self._hosts = hosts
        self._darkening = False  # we have begun to switch the cluster off
        self._done: Channel[bool]

    def require(self) -> None:
        """Take or renew it. Raises JournalBusy when a machine that lives holds it, and what the port raises.

        One whose holder does not renew it is waited out, which takes OUTLIVED_S seconds.
        """
        asked = self._clock.monotonic()
        if asked < self._asked + RENEW_S:
            return
        now = self._cluster.take_lease(self.holder, LEASE_S)
        if now.holder != self.holder:
            with self._lock:
                self._gaps += 1
            asked, now = self._outlive(now)
        self._given(asked, now)

    def _outlive(self, theirs: LeaseHolder) -> tuple[float, LeaseHolder]:
        """Watch another's Lease until it is renewed, given back or too old; answers when that was asked, and who has it then."""
        deadline = self._clock.monotonic() + OUTLIVED_S
        while True:
            last = self._clock.monotonic() >= deadline
            asked = self._clock.monotonic()
            now = self._cluster.take_lease(self.holder, LEASE_S, theirs.renewal if last else "")
            if now.holder == self.holder or now.renewal != theirs.renewal:
                return asked, now
            pause(self._clock, WATCH_S)

    def _given(self, asked: float, now: LeaseHolder) -> None:
        with self._lock:
            ours = now.holder == self.holder
            if not ours or asked >= self._asked + LEASE_S:
                self._gaps += 1
            if ours:
                self._asked, self._taken = max(self._asked, asked), True
        if not ours:
            raise JournalBusy(
                self._busy,
                evidence=(f"the Lease is held by {now.holder}",),
                hint="it is renewed, so that machine is at work; wait for its run, or stop it there",
                next_command="invoke cluster.status",
            )

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Ours for the length of the block, however long that is. `what` names the act, for the error.

        Raises as `require` does, before the block; and after it, TransientError when the Lease had run out meanwhile: another
        machine may have been at work, so what the act did is to be looked at. JournalBusy when one still is.
        """
        self.require()
        gaps = self._gaps
        self._begin()
        try:
            yield
        finally:
            self._end()
        if self._gaps == gaps and self._clock.monotonic() < self._asked + LEASE_S:
            return
        self.require()
        raise TransientError(
            f"the house's Lease had run out while {what} went on: another machine may have been at work",
            hint="what was done is looked at again; if this repeats, the API servers answer too seldom",
        )

    @contextmanager
    def held_alone(self, what: str) -> Iterator[None]:
        """As `held`, for what changes no host: first the Lease, then a look. JournalBusy where another has reserved the hosts."""
        self.require()
        if self._hosts is not None:
            self._hosts.refuse_others()
        with self.held(what):
            yield

    @contextmanager
    def held_with_hosts(self, what: str) -> Iterator[None]:
        """As `held`, and with the hosts reserved besides; as long as no API server has answered in this run, with that alone.

        Where the hosts cannot be reserved just now the Lease must do, and without it there is the port's error. First the
        reservation, then the look for an API server: of two machines at least one sees what the other has.
        """
        trouble: BlackstartError | None = None
        self._darkening |= what in LAST_ACTS
        try:
            if self._hosts is not None and (self._hosts.into_the_dark() if what in INTO_THE_DARK else self._hosts.require()):
                self._dark_until = -float(LEASE_S)
        except JournalBusy:
            raise
        except BlackstartError as error:
            trouble = error
        if self._served():
            with self.held(what):
                yield
            return
        if trouble is not None:
            raise trouble
        yield

    def _served(self) -> bool:
        """Whether the Lease is had. Raises JournalBusy when a machine that lives holds it; a silence is remembered for WATCH_S."""
        if self._taken and not self._darkening:
            return True
        if self._clock.monotonic() < self._dark_until:
            return False
        try:
            self.require()
        except JournalBusy:
            raise
        except BlackstartError:
            # Out of sight, not made yet, or a kubeconfig of before: the change that mends that must not wait for it.
            self._dark_until = self._clock.monotonic() + WATCH_S
            return False
        return True

    def drop(self) -> None:
        """Give it back, and the hosts too, as far as they were taken in this run."""
        try:
            if self._hosts is not None:
                self._hosts.drop()
        finally:
            if self._taken:
                self._drop_lease()

    def _drop_lease(self) -> None:
        try:
            self._cluster.drop_lease(self.holder)
        except TransientError:
            if not self._darkening:
                raise
            # It lies in an etcd that is off: when that is on again nobody renews it, and it is waited out.

    def _begin(self) -> None:
        with self._lock:
            self._acts += 1
            if self._acts == 1:
                self._done = self._workers.channel()
                self._workers.start(partial(self._keep, self._done))

    def _end(self) -> None:
        with self._lock:
            self._acts -= 1
            if not self._acts:
                self._done.put(True)

    def _renew(self) -> None:
        """As `require`, but another's is left to it: an act goes on, and who has come between must be told when it ends."""
        asked = self._clock.monotonic()
        if asked >= self._asked + RENEW_S:
            self._given(asked, self._cluster.take_lease(self.holder, LEASE_S))

    def _keep(self, done: Channel[bool]) -> None:
        """On a worker, as long as any act goes on. What it cannot mend, `held` tells when the act ends."""
        while done.get(WATCH_S) is None:
            try:
                self._renew()
            except OurError:
                continue  # out of sight, or another's: told by the gap that it leaves


def leased(act: ActContext, holder: str, workers: Workers) -> tuple[ActContext, HouseLease]:
    """The same bundle, every change of the house guarded; and the Lease (and reservation), to be dropped at the end."""
    lease = HouseLease(act.cluster, holder, act.clock, workers, HostsReserved(act.proxmox, act.clock))
    holding = dict.fromkeys(GUARDED, lease.held_alone) | dict.fromkeys(EARLY, lease.held_with_hosts)
    guarded: dict[str, Any] = {name: _Guarded(getattr(act, name), surfaces()[name], held) for name, held in holding.items()}
    return replace(act, **guarded), lease


class _Guarded:
    """One port whose mutations need the Lease."""

    def __init__(self, door: object, known: Surface, held: Callable[[str], AbstractContextManager[None]]) -> None:
        self._door = door
        self._known = known
        self._held = held

    def __getattr__(self, name: str) -> object:
        real: Any = getattr(self._door, name)
        if name not in self._known.mutations or name in LEASE_CALLS or f"{self._known.name}.{name}" in OURS_ALONE:
            return real

        def mutate(*args: object, **named: object) -> object:
            with self._held(f"{self._known.name}.{name}"):
                return real(*args, **named)

        return mutate
