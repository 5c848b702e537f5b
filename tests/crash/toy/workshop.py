"""A toy World: things that take time to make, bells whose ring shows late, paint that dries. Nothing here may be done twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from adapters.proxmox.results import TaskRef, TaskStatus
from adapters.surface import surface
from engine.errors import PermanentError
from lab.world.world import World

MAKE_S, SHOW_S, DRY_S = 7.0, 1.5, 5.0


@dataclass(frozen=True)
class Thing:
    """One thing of the workshop."""

    name: str
    colour: str
    wet: bool
    rung: bool


class WorkshopView(Protocol):
    """What can be seen."""

    def things(self) -> tuple[Thing, ...]: ...
    def being_made(self) -> tuple[str, ...]: ...
    def task(self, ref: TaskRef) -> TaskStatus: ...
    def box(self) -> str:
        """"open", "sealed"."""


class Workshop(WorkshopView, Protocol):
    """What can be done."""

    def make(self, name: str) -> TaskRef: ...
    def ring(self, name: str) -> None: ...
    def paint(self, name: str, colour: str) -> None: ...
    def seal(self) -> None: ...


SURFACE = surface("workshop", Workshop, WorkshopView)
TARGETS = {"make": ("name",), "ring": ("name",), "paint": ("name",), "seal": ()}


class ModelledWorkshop:
    """The state and the door in one. `acts` counts what really happened, per act and thing."""

    def __init__(self, world: World) -> None:
        self.acts: Counter[str] = Counter()
        self.most_wet = 0
        self._world = world
        self._things: dict[str, Thing] = {}
        self._making: dict[str, str] = {}
        self._ended: dict[str, bool] = {}
        self._sealed = False

    def things(self) -> tuple[Thing, ...]:
        with self._world.looking():
            return tuple(self._things.values())

    def being_made(self) -> tuple[str, ...]:
        with self._world.looking():
            return tuple(self._making)

    def task(self, ref: TaskRef) -> TaskStatus:
        with self._world.looking():
            if ref.upid not in self._ended:
                raise PermanentError(f"no such task {ref.upid}")
            ended = self._ended[ref.upid]
            return TaskStatus(ref, running=not ended, ok=ended, exit_status="OK" if ended else "")

    def box(self) -> str:
        with self._world.looking():
            return "sealed" if self._sealed else "open"

    def make(self, name: str) -> TaskRef:
        with self._world.looking():
            if name in self._things or name in self._making:
                raise PermanentError(f"{name} exists")
            ref = TaskRef(f"job-{name}-{len(self._ended)}", "workshop")
            self._making[name], self._ended[ref.upid] = ref.upid, False
            self._world.after(MAKE_S, f"{name} is made", lambda: self._made(name))
            return ref

    def _made(self, name: str) -> None:
        self._ended[self._making.pop(name)] = True
        self._things[name] = Thing(name, "grey", wet=False, rung=False)
        self.acts[f"make {name}"] += 1

    def ring(self, name: str) -> None:
        """Heard at once, seen later."""
        with self._world.looking():
            self.acts[f"ring {name}"] += 1
            self._world.after(SHOW_S, f"{name} shows that it rang", lambda: self._change(name, rung=True))

    def paint(self, name: str, colour: str) -> None:
        with self._world.looking():
            self.acts[f"paint {name}"] += 1
            self._change(name, colour=colour, wet=True)
            self.most_wet = max(self.most_wet, sum(thing.wet for thing in self._things.values()))
            self._world.after(DRY_S, f"{name} dries", lambda: self._change(name, wet=False))

    def seal(self) -> None:
        with self._world.looking():
            self.acts["seal"] += 1
            self._sealed = True

    def _change(self, name: str, *, colour: str = "", wet: bool | None = None, rung: bool | None = None) -> None:
        old = self._things[name]
        self._things[name] = Thing(
            name, colour or old.colour, old.wet if wet is None else wet, old.rung if rung is None else rung
        )
