"""Looks at many steps, at the same time where workers are given. Knows neither plan nor report: it calls what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from engine.errors import BlackstartError, TransientError
from engine.files.disk import own_disk
from engine.graph import Graph
from engine.probe import Probe, unknown
from engine.step import Check, Step, StepId
from engine.workers import Channel, Workers

Look = TypeVar("Look")
Act = TypeVar("Act")
T = TypeVar("T")


@dataclass(frozen=True)
class _Answer(Generic[T]):
    """What a visit gave back (one value), or what it raised."""

    name: StepId
    value: list[T]
    error: BaseException | None = None


def look_once(item: Step[Look, Act] | Check[Look], look: Look) -> Probe:
    """One probe, as it was seen; a transient error is the answer UNKNOWN. Raises every other error, DiskRefused among them."""
    try:
        with own_disk():
            return item.probe(look)
    except TransientError as error:
        return unknown(error.what, *error.evidence, hint=error.hint)


@dataclass(frozen=True)
class Found:
    """What one look came to, for a line that is shown: the answer, its texts as told; and the error that was the answer."""

    seen: Probe
    error: BlackstartError | None = None

    @classmethod
    def no(cls, error: BlackstartError) -> Found:
        """The world, or what was asked of it, answered with this error."""
        told = error.as_told()
        return cls(unknown(told.what, *told.evidence, hint=told.hint), told)


def find(item: Step[Look, Act] | Check[Look], look: Look) -> Found:
    """One look; a BlackstartError is an answer too. Raises Interrupted, and what is a bug."""
    try:
        return Found(look_once(item, look).as_told())
    except BlackstartError as error:
        return Found.no(error)


def survey(
    graph: Graph[Look, Act],
    visit: Callable[[StepId], T],
    keep: Callable[[StepId, T], None],
    *,
    workers: Workers | None,
    at_once: int,
    in_order: bool = True,
) -> None:
    """Call `visit` for every id and `keep` with its answer; `in_order`: an id only after `keep` of all that it needs.

    `visit` runs on workers (without workers: here), `keep` always here. What `visit` raises is raised here, once the looks
    that are under way have ended.
    """
    if workers is None:
        for name in graph.ids:
            keep(name, visit(name))
        return
    inbox: Channel[_Answer[T]] = workers.channel()
    waiting_for = {name: len(graph.needs(name)) if in_order else 0 for name in graph.ids}
    ready = [name for name in reversed(graph.ids) if not waiting_for[name]]
    running = 0
    trouble: BaseException | None = None

    def work(name: StepId) -> None:
        try:
            inbox.put(_Answer(name, [visit(name)]))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread and raised there
            inbox.put(_Answer(name, [], error))

    while ready or running:
        while ready and running < at_once:
            running += 1
            workers.start(partial(work, ready.pop()))
        answer = inbox.get()
        assert answer is not None  # there is no timeout
        running -= 1
        if answer.error is not None:
            trouble = trouble or answer.error
            ready.clear()
            continue
        keep(answer.name, *answer.value)
        if in_order and trouble is None:
            for user in graph.needed_by(answer.name):
                waiting_for[user] -= 1
                if not waiting_for[user]:
                    ready.append(user)
    if trouble is not None:
        raise trouble
