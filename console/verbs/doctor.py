"""config.doctor: one page of what works for this house today, what lacks, and what to type next. Changes nothing."""

from __future__ import annotations

import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.process.keeper import Keeper
from adapters.secrets.resolver import Secrets
from console.doctor import asking, looking
from console.doctor.looking import Subject
from console.doctor.nouns import Able, Answer, Lack, able
from console.ending import guarded
from console.opened.building import builder
from console.opened.chosen import named
from console.opened.openhouse import OpenDoors
from console.opened.opening import real_doors
from console.session import Session
from console.views.jsonlines import JsonLines
from console.views.page import Page, simulated
from console.views.problem import complete
from engine.errors import EXIT_DRIFT, EXIT_OK, BlackstartError
from engine.text.words import number
from house.files.paths import expanded, is_file, is_folder
from house.first.writing import is_blank, readable
from house.flux.building import Builder
from house.known.lock import LOCK_FILE, lock_problems
from house.loader import SETTINGS_FILE, Part, examine
from house.model import House
from tools.places import Places

_SHOWN = 3
_IN = " " * 14
_COLOURS = {Answer.YES: "green", Answer.NO: "bold red", Answer.NOT_LOOKED: "yellow"}
_INIT = "config.init"
_NO_SETTINGS = Lack("there are no settings")
_OTHERS = ("dr.audit", "cluster.plan --offline", "cluster.bootstrap", "dr.restore", "dr.rehearse")


@dataclass(frozen=True)
class Reach:
    """What the doctor works with: what reads a house, and, where servers may be asked, what opens its doors."""

    builder: Builder
    open_doors: OpenDoors | None = None


def doctor(settings: str, json: bool, ask: bool) -> int:
    """0 where nothing says no, 3 where something lacks. Servers are asked with `ask` alone."""

    def body() -> int:
        return doctor_of(settings, json, Reach(builder(), real_doors if ask else None))

    return guarded("config.doctor", json, body, settings)


def doctor_of(settings: str, json: bool, reach: Reach) -> int:
    """The same, through these doors."""
    began = time.monotonic()
    file = expanded(Path(named(settings) or SETTINGS_FILE))
    house, found = _rows(file, json, reach)
    rows = [replace(one, next=complete(one.next, named(settings))) for one in found]
    lacking = [one for one in rows if one.answer is Answer.NO]
    code = EXIT_DRIFT if lacking else EXIT_OK
    first = next((one for one in rows if one.answer is not Answer.YES), rows[-1])
    following = first.next
    if json:
        result = {
            "verb": "config.doctor", "outcome": "lacking" if lacking else "good",
            "counts": dict(Counter(one.answer.value for one in rows)), "seconds": round(time.monotonic() - began, 3),
            "exit_code": code, "asked": reach.open_doors is not None, "next": following,
            "verbs": [{"answer": one.answer, **vars(one)} for one in rows],
        }  # fmt: skip
        JsonLines(sys.stdout, house is not None and house.simulated).last(result)
        return code
    page = Page(sys.stdout, simulated(house.name) if house is not None and house.simulated else None)
    for line, style in _lines(rows):
        page.say(line, style, hang=len(_IN))
    asked = "" if reach.open_doors is not None else " No server was asked: --ask does."
    page.say(f"\n{number(len(lacking), 'verb lacks', 'verbs lack')} something.{asked}")
    page.say(f"Next: {following}")
    page.end()
    return code


def _rows(file: Path, json: bool, reach: Reach) -> tuple[House | None, list[Able]]:
    if not is_folder(file) and (not is_file(file) or is_blank(file)):  # a folder is refused, with what it holds
        first = _first(file, reach.builder)
        return None, [first, *(able(verb, "", [_NO_SETTINGS], yes="", no=first.next) for verb in _OTHERS)]
    whole = examine(file, reach.builder)
    subject = Subject(file, whole, whole if whole.house is not None else examine(file, reach.builder, Part.BACKUPS))
    house = whole.house or subject.backups.house
    written = able(_INIT, f"{file.name} is written", (), yes="invoke config.check", no="")
    with _secrets(house) as secrets:
        rows = _looked(subject, secrets, ask=reach.open_doors is not None)
    unread = [Lack(str(one)) for one in lock_problems(file.with_name(LOCK_FILE))]
    rows = [_knowing(row, unread) for row in rows]
    if reach.open_doors is not None:
        rows = _asked(subject, rows, json, reach.open_doors)
    return house, [written, *rows]


def _knowing(row: Able, unread: list[Lack]) -> Able:
    """A verb that knows a house by its lock stops at one that cannot be read; an audit needs none to look."""
    if row.verb == "dr.audit" or not unread:
        return row
    following = row.next if row.answer is Answer.NO else "invoke config.check"
    return able(row.verb, row.good, (*row.lacks, *unread), yes="", no=following)


def _first(file: Path, reading: Builder) -> Able:
    """Whether config.init would find a repository in the folder of the settings."""
    folder = file.resolve().parent
    here = "." if folder == Path.cwd() else shlex.quote(str(folder))
    problem = readable(folder, reading)
    lacks = [Lack(problem)] if problem else []
    return able(_INIT, f"{folder} can be read", lacks, yes=f"invoke {_INIT} --repo {here}", no=f"invoke {_INIT} --repo PATH")


@contextmanager
def _secrets(house: House | None) -> Iterator[Secrets | None]:
    """What resolves the house's references, in a folder that is gone afterwards."""
    if house is None:
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="blackstart-doctor-") as name,
        Keeper(Path(name) / "programs", search=(Places().programs,)) as keeper,
    ):
        yield Secrets(keeper, house.root, house.age_key)


def _looked(subject: Subject, secrets: Secrets | None, *, ask: bool) -> list[Able]:
    return [
        looking.audit(subject, secrets, ask=ask),
        looking.plan(subject),
        looking.bootstrap(subject, secrets, ask=ask),
        looking.restoring(subject, secrets, "dr.restore", "invoke dr.plan", ask=ask),
        looking.restoring(subject, secrets, "dr.rehearse", "invoke dr.rehearse", ask=ask),
    ]


def _asked(subject: Subject, rows: list[Able], json: bool, open_doors: OpenDoors) -> list[Able]:
    """The rows with what the servers say. One that lacks something already asks none: its verb would not get so far.

    What several verbs hang on is asked once.
    """
    told: dict[tuple[Asking, int], tuple[Lack, ...]] = {}

    def asked(look: Asking, house: House) -> tuple[Lack, ...]:
        key = (look, id(house))
        if key not in told:
            told[key] = _answer(look, Session("config.doctor", house, open_doors, json))
        return told[key]

    def more(row: Able) -> Able:
        house = (subject.backups if row.verb == "dr.audit" else subject.whole).house
        if house is None or row.answer is Answer.NO or row.verb not in _ASKING:
            return row
        lacks = (lack for look in _ASKING[row.verb] for lack in asked(look, house))
        return able(row.verb, row.good, (*row.lacks, *lacks), yes=row.next, no=f"invoke {_TELLS.get(row.verb, row.verb)}")

    return [more(row) for row in rows]


def _answer(look: Asking, session: Session) -> tuple[Lack, ...]:
    try:
        return look(session)
    except BlackstartError as error:
        return (Lack(error.what),)


Asking = Callable[[Session], tuple[Lack, ...]]
_ASKING: Mapping[str, tuple[Asking, ...]] = {
    "dr.audit": (asking.of_stores, asking.of_archives),
    "cluster.bootstrap": (asking.of_preflight,),
    "dr.restore": (asking.of_restore, asking.of_stores),
    "dr.rehearse": (asking.of_drill, asking.of_stores),
}
_TELLS = {"cluster.bootstrap": "cluster.preflight", "dr.restore": "dr.plan", "dr.rehearse": "cluster.verify"}
"""Which verb says at length what is wrong, where it is not the verb itself."""


def _lines(rows: list[Able]) -> Iterator[tuple[str, str]]:
    """The page, a line with its style each; what lacks for several verbs is told at the first of them."""
    before: set[Lack] = set()
    for one in rows:
        good = one.good if one.answer is not Answer.NO else ""
        yield f"{one.answer.value:<13} {one.verb}{f': {good}' if good else ''}", _COLOURS[one.answer]
        new = [lack for lack in one.lacks if lack not in before]
        yield from ((f"{_IN}{lack.told if lack.known else f'not looked at: {lack.told}'}", "dim") for lack in new[:_SHOWN])
        more, above = len(new) - _SHOWN, len(one.lacks) - len(new)
        counted = [f"{number(more, 'thing')} more"] if more > 0 else []
        counted += [f"{number(above, 'thing')} told above"] if above else []
        if counted:
            yield f"{_IN}{'and ' if new else ''}{', '.join(counted)}", "dim"
        if one.next and one.answer is not Answer.YES:
            yield f"{_IN}next: {one.next}", "dim"
        before |= set(one.lacks)
