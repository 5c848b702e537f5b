"""The toy's steps, of every shape a real step has: a long task, a late effect, a disruption with its guard, a destruction."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from adapters.proxmox.results import TaskRef
from engine.probe import Identity, Probe, changing, drifted, missing, satisfied
from engine.step import BaseStep, Check, Hazard, Notes, Severity, Step, StepId
from engine.waiting import Clock, wait_until
from tests.crash.toy.workshop import Thing, Workshop, WorkshopView

NAMES = ("bell", "cup", "drum")


@dataclass(frozen=True)
class Look:
    """What a toy probe gets."""

    clock: Clock
    workshop: WorkshopView


@dataclass(frozen=True)
class Act:
    """What a toy apply gets."""

    clock: Clock
    workshop: Workshop


def find(shop: WorkshopView, name: str) -> Thing | None:
    """The thing of this name."""
    return next((thing for thing in shop.things() if thing.name == name), None)


@dataclass(frozen=True)
class ToyStep(BaseStep):
    """A step about one thing."""

    name: str
    system = "workshop"
    settle_s: float = 2.0
    ready_s = 60.0
    inputs = "v1"
    verb = ""

    @property
    def id(self) -> StepId:
        return StepId(f"workshop.{self.verb}/{self.name}")

    @property
    def title(self) -> str:
        return f"{self.verb} {self.name}"

    def by_hand(self) -> str:
        return self.title


@dataclass(frozen=True)
class Make(ToyStep):
    """Takes a while, as a task that can be attached to."""

    verb = "make"
    needs: Collection[str] = ("workshop.open",)

    def probe(self, look: Look) -> Probe:
        if find(look.workshop, self.name):
            return satisfied("is there")
        return changing("is being made") if self.name in look.workshop.being_made() else missing("is not there")

    def apply(self, act: Act, seen: Probe, notes: Notes) -> None:
        ref = act.workshop.make(self.name)
        notes.put("task", ref.upid)

        def ended() -> bool | None:
            return None if act.workshop.task(TaskRef(ref.upid, "workshop")).running else True

        wait_until(act.clock, ended, limit_s=60.0, what=f"{self.name} to be made")


@dataclass(frozen=True)
class Ring(ToyStep):
    """Done at once, to be seen only after a while, and bad to do twice."""

    verb = "ring"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"workshop.make/{self.name}",)

    def probe(self, look: Look) -> Probe:
        thing = find(look.workshop, self.name)
        return satisfied("has rung") if thing is not None and thing.rung else missing("has not rung")

    def apply(self, act: Act, seen: Probe, notes: Notes) -> None:
        act.workshop.ring(self.name)


@dataclass(frozen=True)
class Paint(ToyStep):
    """Drift; while a thing is wet no other may be painted."""

    verb = "paint"

    @property
    def needs(self) -> tuple[str, ...]:
        return (f"workshop.ring/{self.name}",)

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DISRUPTS

    def probe(self, look: Look) -> Probe:
        thing = find(look.workshop, self.name)
        assert thing is not None
        if thing.colour != "red":
            return drifted("is not red", "colour")
        return changing("is wet") if thing.wet else satisfied("is red and dry")

    def apply(self, act: Act, seen: Probe, notes: Notes) -> None:
        act.workshop.paint(self.name, "red")


@dataclass(frozen=True)
class OpenBox(Identity):
    """The one box, as it is before it is sealed."""

    def __str__(self) -> str:
        return "the open box"


@dataclass(frozen=True)
class Seal(ToyStep):
    """Ends the box as it was; needs a person's consent."""

    verb = "seal"
    needs: Collection[str] = ("workshop.paint/*",)

    def hazard(self, seen: Probe) -> Hazard:
        return Hazard.DESTROYS

    def probe(self, look: Look) -> Probe:
        return satisfied("is sealed") if look.workshop.box() == "sealed" else drifted("is open", identity=OpenBox())

    def apply(self, act: Act, seen: Probe, notes: Notes) -> None:
        act.workshop.seal()


@dataclass(frozen=True)
class AllDry:
    """The guard: nothing is painted while anything is wet."""

    id = StepId("workshop.all-dry")
    title: str = "everything is dry"
    needs: Collection[str] = ()
    severity: Severity = Severity.BLOCKING
    sight_s: float = 60.0

    def severity_of(self, seen: Probe) -> Severity:
        return self.severity

    def probe(self, look: Look) -> Probe:
        wet = [thing.name for thing in look.workshop.things() if thing.wet]
        return changing("wet", *wet) if wet else satisfied("all dry")


@dataclass(frozen=True)
class Open(AllDry):
    """A check that everything needs."""

    id = StepId("workshop.open")
    title: str = "the workshop is open"

    def probe(self, look: Look) -> Probe:
        return satisfied(look.workshop.box())


def course(settle_s: float = 2.0) -> list[Step[Look, Act] | Check[Look]]:
    """All of it, in order."""
    each = [kind(name, settle_s=settle_s) for name in NAMES for kind in (Make, Ring, Paint)]
    return [Open(), *each, Seal("box", settle_s=settle_s)]
