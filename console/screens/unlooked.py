"""What a verb can tell without a look at the house: the steps in their order, and what the journal remembers."""

from __future__ import annotations

from pathlib import Path

from cluster.course import Course
from cluster.lint.given import Given
from cluster.lint.pulls import charts_unknown, pulls_of
from console.screens.pulls import pull_lines, pull_rows, pull_table
from console.screens.tables import memory_table, outline_table
from console.session import Session
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PreflightRefused
from engine.state import State
from engine.text.words import number
from house.repository.backups.left_out import left_out


def outline(session: Session, course: Course, written: tuple[Path, ...] = (), problems: tuple[str, ...] = ()) -> int:
    """The steps in their order without a look at the house: what a plan can say with nothing but the settings.

    `problems` are known to stop a run.
    """
    graph = course.graph()
    rows = [{"id": item.id, "title": item.title, "needs": list(graph.needs(item.id))} for item in graph]
    session.page.show(outline_table(graph))
    session.page.say(f"\n{number(len(rows), 'check or step', 'checks and steps')}; the house was not looked at.")
    given = Given(session.house, session.clock.now())
    pulls, unknown = pulls_of(given), charts_unknown(given)
    session.page.say("\nWhat each stage pulls, and what would serve it in the dark:")
    session.page.show(pull_table(pulls))
    for line in pull_lines(pulls, unknown):
        session.page.say(line)
    for note in session.house.notes:
        session.page.say(f"note: {note}")
    session.tell_written(written)
    house = session.house
    unseen = left_out(house.unaudited, house.second_backups, house.not_followed, house.data.charts)
    for line in unseen:
        session.page.say(f"{line}.")
    if unseen:
        session.page.say("What nobody looks at is no success: invoke dr.audit names each.")
    for line in problems:
        session.page.say(f"stops a run: {line}")
    refused = bool(problems or house.unheld) or any(one.makes_backups for one in house.not_followed)
    code = PreflightRefused.exit_code if refused else EXIT_STEP_FAILED if unseen else EXIT_OK
    return session.finish(
        "not looked at", {"steps": len(rows)}, code, lines=rows, written=written, notes=house.notes, left_out=unseen,
        problems=problems, pulls=pull_rows(pulls), charts_not_rendered=unknown,
    )


def remembered(session: Session, state: State) -> int:
    """What the journal holds: what is in flight, and how each step last ended. Looks at nothing."""
    session.page.show(memory_table(state))
    told = f"{number(state.lines, 'line')} in the journal" if state.lines else "no run was made from here"
    session.page.say(f"\n{told} ({session.house.state_dir}); nothing was looked at.")
    counts = {"in_flight": len(state.in_flight), "steps": len(state.last)}
    notes = {name: state.notes_of(name) for name in state.in_flight}
    return session.finish("remembered", counts, EXIT_OK, in_flight=state.in_flight, notes=notes, last=state.last)
