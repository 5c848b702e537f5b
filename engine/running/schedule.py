"""Which step may start now, what is blocked, and who may disturb a system. Pure: knows no thread, no clock and no journal."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Generic, TypeVar

from engine.graph import Graph, is_step
from engine.limits import Limits
from engine.step import StepId

Look = TypeVar("Look")
Act = TypeVar("Act")


class Schedule(Generic[Look, Act]):
    """Hands out steps in the graph's order as needs end and limits allow."""

    def __init__(self, graph: Graph[Look, Act], limits: Limits) -> None:
        self._graph = graph
        self._limits = limits
        self._place = {name: at for at, name in enumerate(graph.ids)}
        self._waiting_for = {name: len(graph.needs(name)) for name in graph.ids}
        self._ready = [self._place[name] for name in graph.ids if not self._waiting_for[name]]
        self._parked: dict[str, list[int]] = {}  # ready, but their system is full: not looked at again until it has room
        self._running: set[StepId] = set()
        self._load: Counter[str] = Counter()
        self._causes: dict[StepId, tuple[StepId, ...]] = {}
        self._vetoed: dict[StepId, tuple[StepId, ...]] = {}

    @property
    def running(self) -> int:
        """How many steps were handed out and have not ended."""
        return len(self._running)

    def take(self) -> list[StepId]:
        """The steps to start now; they count as running from here on."""
        taken: list[StepId] = []
        while self._ready and len(self._running) < self._limits.at_once:
            place = heapq.heappop(self._ready)
            name = self._graph.ids[place]
            system = self._system(name)
            if system and self._load[system] >= self._limits.of(system):
                heapq.heappush(self._parked.setdefault(system, []), place)
                continue
            self._load[system] += 1
            self._running.add(name)
            taken.append(name)
        return taken

    def vetoed(self, name: StepId) -> tuple[StepId, ...]:
        """The checks because of which this standing step may be looked at and must not act; none for any other."""
        return self._vetoed.get(name, ())

    def end(self, name: StepId, *, done: bool) -> list[tuple[StepId, tuple[StepId, ...]]]:
        """A running step has ended. Answers all that will never run because of it, with the root causes.

        `always` steps run all the same, once everything they need has ended one way or the other.
        """
        self._running.remove(name)
        system = self._system(name)
        self._load[system] -= 1
        if self._parked.get(system):
            heapq.heappush(self._ready, heapq.heappop(self._parked[system]))
        vetoed = self._vetoed.pop(name, (name,))
        if not done:
            self._causes[name] = vetoed
        return self._settle(name)

    def _settle(self, ended: StepId) -> list[tuple[StepId, tuple[StepId, ...]]]:
        blocked: list[tuple[StepId, tuple[StepId, ...]]] = []
        settled = [ended]
        while settled:
            for user in self._graph.needed_by(settled.pop()):
                self._waiting_for[user] -= 1
                if self._waiting_for[user]:
                    continue
                failed = self._graph.failing(user, self._causes)
                causes = dict.fromkeys(c for need in failed for c in self._causes[need])
                item = self._graph[user]
                if causes and is_step(item) and item.standing and not any(is_step(self._graph[need]) for need in failed):
                    self._vetoed[user] = tuple(causes)
                    heapq.heappush(self._ready, self._place[user])
                elif causes and not (is_step(item) and item.always):
                    self._causes[user] = tuple(causes)
                    blocked.append((user, tuple(causes)))
                    settled.append(user)
                else:
                    heapq.heappush(self._ready, self._place[user])
        return blocked

    def _system(self, name: StepId) -> str:
        item = self._graph[name]
        return item.system if is_step(item) else ""


class Passages:
    """Who may disturb a system: one step at a time, the others in the graph's order."""

    def __init__(self, graph: Graph[Look, Act]) -> None:
        self._place = {name: at for at, name in enumerate(graph.ids)}
        self._holder: dict[str, StepId] = {}
        self._queue: dict[str, list[int]] = {}
        self._ids = graph.ids

    def ask(self, name: StepId, system: str) -> bool:
        """Whether the step may pass now; otherwise it stands in the queue."""
        if self._holder.setdefault(system, name) == name:
            return True
        heapq.heappush(self._queue.setdefault(system, []), self._place[name])
        return False

    def holder(self, system: str) -> StepId:
        """Who passes now. KeyError when nobody does."""
        return self._holder[system]

    def leave(self, name: StepId, system: str) -> StepId | None:
        """The step has ended; answers who passes next, if it held the passage and somebody waits."""
        if self._holder.get(system) != name:
            return None
        del self._holder[system]
        queue = self._queue.get(system)
        if not queue:
            return None
        following = self._ids[heapq.heappop(queue)]
        self._holder[system] = following
        return following

    def clear(self) -> list[StepId]:
        """Send everybody in the queues away; answers who that was."""
        waiting = [self._ids[place] for queue in self._queue.values() for place in queue]
        self._queue.clear()
        return waiting
