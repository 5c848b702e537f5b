"""Excludes other machines where there is no API server yet: hosts and machines are changed only while their reservation is ours.

It is taken with the first such change and taken away at the run's end. It does not run out: a run that died leaves it behind, and
it goes by a step of its own (cluster/steps/lift_reservation.py), here by itself, from another machine by consent.
"""

from __future__ import annotations

from adapters.ports import Proxmox
from adapters.proxmox.reserving import MayNotReserve
from adapters.proxmox.results import Reservation, Whose
from engine.errors import BlackstartError, JournalBusy, TransientError
from engine.waiting import Clock

LOOK_S = 30.0
"""For how long it is believed to be ours still: a person can take it away, and so can a run that this person let."""
TRIES = 2
RESERVATION_CALLS = frozenset({"reserve", "unreserve"})


class HostsReserved:
    """The reservation of one house's hosts in the hands of one run."""

    def __init__(self, proxmox: Proxmox, clock: Clock) -> None:
        self._proxmox = proxmox
        self._clock = clock
        self._seen_at = -LOOK_S
        self._asked = False
        self._had = False
        self._may = True
        self._nobody_at = -LOOK_S
        self._silent = False
        self._left = False  # it was given back for good: the hosts go off

    def require(self) -> bool:
        """Take it, or see that it is ours still; answers whether it was made just now. A token that may not is let through.

        Raises JournalBusy while it is somebody else's, and what the port raises.
        """
        began = self._clock.monotonic()
        if not self._may or began < self._seen_at + LOOK_S:
            return False
        try:
            found = self._proxmox.reservation()
            made = found is None
            if found is None:
                self._asked = True
                self._proxmox.reserve()
                found = self._proxmox.reservation()
        except MayNotReserve:
            self._may = False  # preflight has said so, and what to grant
            return False
        if found is None:
            raise TransientError("the hosts' reservation was made, and is not there")
        if found.whose is not Whose.OURS:
            self._had = False  # told here and now, and not once more at the end
            raise busy(found, self._clock.now())
        self._seen_at, self._had = began, True
        return made

    def into_the_dark(self) -> bool:
        """As `require`, for what takes hosts off, as long as a majority of them is left behind the next one.

        Then what is ours, or a dead run's of this machine, is taken away first: behind it nobody could, and whoever has the house
        on again from elsewhere would meet it. From there on it must do that no other has one, looked at each time.
        """
        cluster = self._proxmox.cluster()
        if not self._left and (len(cluster.online) - 1) * 2 > len(cluster.online) + len(cluster.offline):
            try:
                return self.require()
            except JournalBusy:
                if (found := self._proxmox.reservation()) is None or found.whose is not Whose.DEAD:
                    raise
                return False
        self._leave(quorate=cluster.quorate)
        return False

    def _leave(self, *, quorate: bool) -> None:
        try:
            found = self._proxmox.reservation() if self._may else None
        except MayNotReserve:
            self._may, found = False, None
        if found is not None and found.whose is Whose.ANOTHER:
            raise busy(found, self._clock.now())
        if found is not None and quorate:
            self._proxmox.unreserve(found.owner)
        self._left = True

    def refuse_others(self) -> None:
        """JournalBusy while a run that may live has reserved them: it may not have seen yet that an API server answers.

        For who changes the cluster alone, and so reserves nothing. A silence says nothing and costs one wait: a house must be
        restored without its Proxmox too, and is not asked for it again in this run.
        """
        began = self._clock.monotonic()
        if self._silent or not self._may or began < max(self._seen_at, self._nobody_at) + LOOK_S:
            return
        try:
            found = self._proxmox.reservation()
        except BlackstartError:
            self._silent = True
            return
        if found is not None and found.whose is Whose.ANOTHER:
            raise busy(found, self._clock.now())
        self._nobody_at = began

    def drop(self) -> None:
        """Take it away, if it was made in this run and is ours still. TransientError when it stays, JournalBusy when it has become
        somebody else's since it was ours."""
        if not self._asked or not self._may or self._left:
            return
        for _ in range(TRIES):
            found = self._proxmox.reservation()
            if found is not None and found.whose is not Whose.OURS and self._had:
                raise busy(found, self._clock.now())
            if found is None or found.whose is not Whose.OURS:
                return
            self._proxmox.unreserve(found.owner)
        if self._proxmox.reservation() == found:
            raise TransientError("the hosts' reservation was taken away, and is there still")


def busy(found: Reservation, now: float) -> JournalBusy:
    """The error of a run that finds the hosts reserved by another."""
    return JournalBusy(
        "another run has reserved the Proxmox hosts of this house",
        evidence=(found.told(now),),
        hint="wait for it; if you know that it is dead, cluster.bootstrap takes its reservation away, by consent to its plan",
        next_command="invoke cluster.plan",
    )
