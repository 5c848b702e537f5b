"""How a run begins: what the journal says first, and what is told of the runs before it. Knows no worker."""

from __future__ import annotations

from typing import TypeVar

from engine import events
from engine.approval import Approval
from engine.graph import Graph
from engine.journal import Journal
from engine.programs import EndGroup, end_leftovers
from engine.running.endings import begun_with_others
from engine.running.teller import Teller
from engine.sealed.entries import Note
from engine.state import APPROVAL_NOTE, RUN_NOTE
from engine.step import StepId

Look = TypeVar("Look")
Act = TypeVar("Act")


def open_run(
    journal: Journal, graph: Graph[Look, Act], approval: Approval | None, teller: Teller, end_group: EndGroup | None,
    ended: tuple[str, ...],
) -> None:  # fmt: skip
    """Write that the run begins, with its approval, then tell it, each program of a dead run that was `ended` or is by
    `end_group`, and each step that was begun and never ended.

    Raises JournalUnwritable, and PermanentError when such a program can't be ended.
    """
    state = journal.state
    notes = [Note("", RUN_NOTE, journal.run)]
    if approval is not None and approval.to_text() not in state.approvals:
        notes.append(Note("", APPROVAL_NOTE, approval.to_text()))
    journal.append(*notes)
    teller.emit(events.RunStarted(teller.now(), journal.run, graph.ids, journal.cut_bytes, journal.older))
    for program in (*ended, *(end_leftovers(state.programs, end_group) if end_group is not None else ())):
        teller.emit(events.LeftoverEnded(teller.now(), program))
    for name, begin in state.in_flight.items():
        item = graph[StepId(name)] if name in graph else None
        changed = item is not None and begun_with_others(item, begin.inputs)
        teller.emit(events.OpenBegin(teller.now(), StepId(name), begin.run, begin.at, item is None, changed))
