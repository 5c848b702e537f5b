"""dr.rehearse --bootstrap: what would stop a rebuild today, as one table and a verdict. Asks everything, and makes nothing."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.text import Text

from adapters.certificates import certificates_in, ends_at
from adapters.process.keeper import Keeper
from adapters.remembering import remembering
from adapters.secrets.resolver import Secrets
from console.doctor.looking import of_secrets
from console.ending import LastWords
from console.kit.secrets import files_of, of_building
from console.messages import send
from console.opened.programs import refuse_unfit
from console.session import Session
from console.views.rows import Row as Line
from console.views.rows import Rows
from engine.errors import EXIT_OK, EXIT_REHEARSAL_FAIL, EXIT_REHEARSAL_UNVERIFIED
from engine.files.content import text_of
from engine.text.words import number
from house.model import House
from rehearsal.images import checks as images
from rehearsal.lost import as_if_lost
from rehearsal.outcome import DrillVerdict
from rehearsal.rebuilding import NOT_LOOKED_AT, Authorities, References, Row, course, rows, verdict_of
from tools.places import Places

VERB = "dr.rehearse --bootstrap"
CODES = {
    DrillVerdict.PASS: EXIT_OK, DrillVerdict.FAIL: EXIT_REHEARSAL_FAIL, DrillVerdict.UNVERIFIED: EXIT_REHEARSAL_UNVERIFIED,
}  # fmt: skip
_COLOURS = {DrillVerdict.PASS: "dim", DrillVerdict.FAIL: "bold red", DrillVerdict.UNVERIFIED: "yellow"}
_SHOWN = 5
Lacking = Callable[[], tuple[tuple[str, bool], ...]]


def rebuild(session: Session) -> int:
    """PASS (0) where nothing would stop a rebuild, FAIL (4), or UNVERIFIED (5) where something could not be seen."""
    refuse_unfit(session.house)
    with tempfile.TemporaryDirectory(prefix="blackstart-rehearse-") as name, Keeper(
        Path(name) / "programs", search=(Places().programs,)
    ) as keeper:  # fmt: skip
        secrets = Secrets(keeper, session.house.root, session.house.age_key)
        return rebuild_of(session, lambda: lacking(session.house, secrets))


def rebuild_of(session: Session, lacks: Lacking) -> int:
    """The same, of a session that stands open; `lacks` answers which secrets cannot be had."""
    house = session.house
    checks = References(house, lacks), Authorities(house, lambda: ends_of(house)), *images(house)
    # What is ours is asked for by every look at Proxmox, and each listing asks for every VM's configuration.
    report = session.looked(
        course(house, session.known(), *checks), lambda look, whole: (as_if_lost(remembering(look), house), whole)
    )
    table = rows(report)
    verdict = verdict_of(table)
    tell(session, table, verdict)
    stops = tuple(f"{row.id}: {row.detail}" for row in table if row.stops and row.verdict is not DrillVerdict.PASS)
    code, written = session.record(report, LastWords(code=CODES[verdict]))
    again = f"invoke {VERB} --report FOLDER looks again, and keeps it"
    source = f"from {session.kit.told}; " if session.kit is not None else ""
    kept = f"its evidence is {written['report']}" if "report" in written else again
    session.troubles += send(house, VERB, verdict, stops, f"run {session.run_id}: {source}{kept}")
    counts = Counter(row.verdict.value for row in table)
    return session.finish(
        verdict.value, counts, code, run=session.run_id, verdict=verdict, rows=table, not_looked_at=NOT_LOOKED_AT,
        **written,
    )  # fmt: skip


def tell(session: Session, table: tuple[Row, ...], verdict: DrillVerdict) -> None:
    """The table, what stops a rebuild first; then the verdict in one sentence, and what was not looked at."""
    say = session.page.say
    session.page.show(Rows([_line(row) for row in table], name=1))
    stops = [row for row in table if row.stops and row.verdict is DrillVerdict.FAIL]
    unseen = [row for row in table if row.stops and row.verdict is DrillVerdict.UNVERIFIED]
    told = {
        DrillVerdict.PASS: "of what was looked at, nothing would stop a rebuild today",
        DrillVerdict.FAIL: f"{number(len(stops), 'thing')} would stop a rebuild today",
        DrillVerdict.UNVERIFIED: f"{number(len(unseen), 'thing')} could not be seen",
    }
    also = f"; {number(len(unseen), 'thing')} could not be seen" if stops and unseen else ""
    say(f"\n{verdict.value}: {told[verdict]}{also}")
    for line in NOT_LOOKED_AT:
        say(f"  not looked at: {line}")
    if session.house.simulated:
        say("Simulated: this says nothing about a real house.")


def _line(row: Row) -> Line:
    word = row.verdict.value if row.stops or row.verdict is DrillVerdict.PASS else "look"
    colour = _COLOURS[row.verdict] if row.stops else "yellow"
    good = row.verdict is DrillVerdict.PASS
    below = [] if good else [Text(one, "dim") for one in row.evidence[:_SHOWN]]
    if not good and len(row.evidence) > _SHOWN:
        below.append(Text(f"and {len(row.evidence) - _SHOWN} more", "dim"))
    if row.hint and not good:
        below.append(Text(f"Try: {row.hint}"))
    return Line((Text(word, colour), Text(row.id)), row.detail or row.title, tuple(below))


def lacking(house: House, secrets: Secrets) -> tuple[tuple[str, bool], ...]:
    """Each reference that a bootstrap reads and that cannot be had, 1Password's asked as well, and whether that is known."""
    return tuple((lack.told, lack.known) for lack in of_secrets(of_building(house), secrets, ask=True))


def ends_of(house: House) -> Mapping[str, float | None]:
    """The end of each certificate in every `ca_file` of the settings, by its path; None where none can be read there."""
    found: dict[str, float | None] = {}
    for name in sorted(files_of(house)):
        try:
            ends = [ends_at(pem) for pem in certificates_in(text_of(Path(name)))]
        except (OSError, UnicodeDecodeError):
            ends = []
        for at, end in enumerate(ends or [None], 1):
            found[f"{name} ({at} of {len(ends)})" if len(ends) > 1 else name] = end
    return found
