"""dr.status: what of the house was proven to come back, when, and what is due. Looks at nothing."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from console.ending import guarded
from console.opened.opening import open_session
from console.report.document import moment
from console.report.keeping import history
from console.report.proven import Standing, State, remembered, standings
from console.session import Session
from console.views.rows import Row, Rows
from engine.errors import EXIT_DRIFT, EXIT_OK
from engine.text.ages import age_of
from engine.text.lengths import duration
from engine.text.words import number
from house.files.paths import at_home
from house.files.whole import write_file
from house.repository.backups.left_out import left_out

_COLOURS = {State.PROVEN: "green", State.DUE: "yellow", State.NEVER: "bold red"}


def status(settings: str, json: bool, metrics: str, alerts: str) -> int:
    """One screen; 0 where everything was proven and nothing is due, else 3. `metrics` and `alerts` are files to be written."""

    def body() -> int:
        return status_of(open_session("dr.status", settings, json), metrics, alerts)

    return guarded("dr.status", json, body, settings)


def status_of(session: Session, metrics: str = "", alerts: str = "") -> int:
    """The same, of a session that stands open."""
    house, now = session.house, session.clock.now()
    memory = remembered(house, session.known(), now)
    found = standings(house, memory, now)
    counts = {state.value: sum(one.state is state for one in found) for state in State}
    unseen = left_out(house.unaudited, house.second_backups, house.not_followed, house.data.charts)
    written = _written(session, found, metrics, alerts, now)
    session.page.show(Rows([_row(one, now) for one in found], ("state", "what", "restore point", "proven", "due", "depth"), name=1))
    session.page.say()
    for line in (*memory.not_counted, *unseen):
        session.page.say(f"not counted: {line}")
    told = ", ".join(f"{count} {word}" for word, count in counts.items() if count) or "the repository declares no backup"
    session.page.say(f"{number(len(found), 'claim or database', 'claims and databases')}: {told}; nothing was looked at.")
    session.tell_written(written)
    good = bool(found) and counts[State.PROVEN.value] == len(found) and not memory.not_counted and not unseen
    return session.finish(
        "proven" if good else "not all proven", counts, EXIT_OK if good else EXIT_DRIFT, standings=found,
        not_counted=(*memory.not_counted, *unseen), prove_every=house.evidence.prove_every, written=written,
    )  # fmt: skip


def _row(one: Standing, now: float) -> Row:
    def ago(at: float | None) -> str:
        if at is None:
            return "none"
        return "yet to come" if (age := age_of(at, now)) is None else f"{duration(age)} ago"

    due = "now" if one.state is not State.PROVEN else "never" if one.due is None else f"in {duration(one.due - now)}"
    point = "none" if one.point is None else f"{moment(one.point)}, {ago(one.point)}"
    state = Text(one.state.value, _COLOURS[one.state])
    return Row((state, *map(Text, (f"{one.kind.value} {one.key}", point, ago(one.at), due))), one.depth)


def _written(session: Session, found: list[Standing], metrics: str, alerts: str, now: float) -> tuple[Path, ...]:
    """The files that were asked for, each whole or not at all."""
    files: dict[Path, str] = {}
    if metrics or alerts:
        from console.report.gauges import RULES, status_metrics

        if metrics:
            files[at_home(Path(metrics))] = status_metrics(session.house, found, history(session.house.state_dir), now)
        if alerts:
            files[at_home(Path(alerts))] = RULES
    for path, text in files.items():
        write_file(path, text)
    return tuple(files)
