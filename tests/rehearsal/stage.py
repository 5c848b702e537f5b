"""A drill as a stage of the crash matrix: whatever it meets, nothing of it stays, and the house is as it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

from adapters.surface import read_only
from engine.journal import Disk
from engine.plan import Plan, plan
from engine.report import Report
from house.model import House
from lab.world.clock import VirtualClock
from lab.world.world import World
from rehearsal.beginning import outcome_of
from rehearsal.controls import Kind
from rehearsal.course import clearing, course
from rehearsal.outcome import DrillVerdict, from_json
from rehearsal.record import OUTCOME
from rehearsal.steps.clear_scratch import CLEAR
from tests.builders import a_house
from tests.rehearsal.drilling import Drilling, probed, three_claims


class DrilledHouse:
    """A house that lives, and one drill of its claims. See tests.crash.matrix.Stage."""

    control = Kind.BYTE_FLIPPED
    given: Callable[[], House] = staticmethod(three_claims)

    def __init__(self, folder: Path, seed: int) -> None:
        self.drilling = Drilling(folder, self.given(), seed=seed)
        self.drill = self.drilling.fresh(self.control, "the-drill")
        self.before = self.told()

    @property
    def world(self) -> World:
        return self.drilling.home.world

    @property
    def clock(self) -> VirtualClock:
        return self.drilling.clock

    @property
    def concluded(self) -> str:
        """The drill's outcome in the journal, "" while there is none."""
        return self.drilling.state().notes_of(CLEAR).get(OUTCOME, "")

    def live(self, disk: Disk) -> Report:
        """The verb again and again, as a timer starts it, until this one drill is concluded and cleared."""
        gone = self.drilling.home.kube.objects().drill is None
        only = clearing() if self.concluded and gone else None
        begun, report = self.drilling.live(lambda: self.drill, disk, only=only)
        if report.converged and begun.drill is None and not self.concluded:
            # What a killed one left too little of to go on with was cleared away: the verb then begins anew.
            begun, report = self.drilling.live(lambda: self.drill, disk)
        if report.converged:
            found = outcome_of(begun, report, self.drilling.state(), self.clock.now())
            assert found is not None or not self.concluded
        return report

    def plan(self) -> Plan:
        done = self.concluded and self.drilling.home.kube.objects().drill is None
        there = clearing() if done else course(self.drill)
        return plan(there.graph(), read_only(self.drilling.home.act("look")))

    def told(self) -> object:
        """The house without the drill: its claims, sources, destinations, record, and what is in the store."""
        objects, store = self.drilling.home.kube.objects(), self.drilling.home.store
        claims = {key: (c.uid, c.bound, c.entries, c.app_ready) for key, c in objects.claims.items()}
        sources = {key: tuple(s.backups) for key, s in objects.sources.items()}
        destinations = {key: (d.trigger, d.restore_as_of, d.ours, d.runs) for key, d in objects.destinations.items()}
        snapshots = {at: [s.snapshot_id for s in r.snapshots] for at, r in store.repositories.items()}
        told = (claims, sources, destinations, snapshots, objects.record, objects.namespaces, objects.secrets, objects.lease)
        return deepcopy(told)

    def left_open(self) -> Sequence[str]:
        """None once the drill is cleared: what its steps had begun is gone with the namespace that it was begun in."""
        return () if self.drilling.home.kube.objects().drill is None else tuple(self.drilling.state().in_flight)

    def doubled(self) -> Sequence[str]:
        wrong = []
        if self.drilling.home.kube.objects().drill is not None:
            wrong.append("something of the drill is left")
        if self.told() != self.before:
            wrong.append("the house is not as it was")
        if self.concluded and from_json(self.concluded).verdict is DrillVerdict.FAIL:
            wrong.append(f"it says FAIL of good backups: {from_json(self.concluded).reasons}")
        return wrong


class DrilledClaim(DrilledHouse):
    """The same with one claim: every method is met, at few places."""

    given = staticmethod(lambda: probed(a_house()))
