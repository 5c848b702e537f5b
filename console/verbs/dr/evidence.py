"""dr.report and dr.history: the evidence of runs that were, written, checked and listed. Looks at no house."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rich.text import Text

from console.ending import guarded
from console.opened.opening import open_session
from console.recorder import RUN_MARK
from console.report.keeping import Past, kept
from console.report.keeping import history as runs_of
from console.session import Session
from console.views.jsonlines import JsonLines
from console.views.page import Page, simulated
from console.views.rows import Row, Rows
from engine.errors import EXIT_OK, PermanentError, SettingsInvalid
from engine.text.lengths import duration
from engine.text.words import number
from house.files.paths import at_home

_COLOURS = {"good": "green", "mixed": "yellow", "bad": "bold red"}


def report(settings: str, json: bool, run: str, folder: str, check: str, signer: str) -> int:
    """Write the evidence of a run that has ended, or check a folder of it (0 as it was signed, 3 changed, 30 could not look)."""

    def body() -> int:
        if check:
            return check_evidence(at_home(Path(check)), signer, json)
        if signer:
            raise SettingsInvalid("--signer says whose signature --check expects; right would be: --check FOLDER --signer KEY")
        return write(open_session("dr.report", settings, json), run, folder)

    return guarded("dr.report", json, body, settings)


def write(session: Session, run: str, folder: str) -> int:
    """The evidence of that run, or of the last one that ended, into a new folder."""
    from console.report.fitting import amiss
    from console.report.folder import refuse_taken
    from console.report.writing import write_evidence

    house = session.house
    if not folder:
        raise SettingsInvalid("nothing says where to; right would be: --report FOLDER, or --check FOLDER for one that is there")
    ended = [one.run for one in runs_of(house.state_dir) if one.exit_code is not None]
    wanted = run or (ended[0] if ended else "")
    if not wanted:
        raise SettingsInvalid(
            "no run of this house has ended: there is nothing to write", hint="the state folder of another machine may know of one"
        )
    if "/" in wanted or wanted.startswith("."):
        raise SettingsInvalid(f"--run {wanted} is no run; invoke dr.history lists them")
    place = at_home(Path(folder.replace(RUN_MARK, wanted)))
    refuse_taken(place)
    document = kept(house.state_dir, wanted)
    if where := amiss(document):
        raise PermanentError(f"what is kept of run {wanted} is no evidence: {where} is not what it should be")
    fingerprint = write_evidence(house, document, place)
    session.page.say(f"Evidence of {document['verb']}, run {wanted}: {place}, signed by {fingerprint}")
    return session.finish("written", {"files": len(list(place.iterdir()))}, EXIT_OK, run=wanted, report=place, signer=fingerprint)


def check_evidence(folder: Path, signer: str, json: bool) -> int:
    """Whether it is what was signed. Needs no settings; raises EvidenceChanged and PermanentError."""
    from console.report.checking import check_all

    began = time.monotonic()
    found = check_all(folder, signer)
    made_up = any(one.evidence["simulated"] for one in found)
    if json:
        rows = [
            {"folder": one.folder, "run": one.evidence["run"], "house": one.evidence["house"], "verb": one.evidence["verb"],
             "verdict": one.evidence["verdict"]["word"], "simulated": one.evidence["simulated"], "signer": one.signer.fingerprint}
            for one in found
        ]  # fmt: skip
        result = {
            "verb": "dr.report", "outcome": "as signed", "counts": {"checked": len(found)},
            "seconds": round(time.monotonic() - began, 3), "exit_code": EXIT_OK, "evidence": rows, "signer_expected": signer,
        }  # fmt: skip
        JsonLines(sys.stdout, made_up).last(result)
        return EXIT_OK
    page = Page(sys.stdout, simulated(found[0].evidence["house"]) if made_up else None)
    for one in found:
        told = one.evidence
        page.say(f"{one.folder}: {told['verdict']['word']}, {told['verb']} of {told['house']}, {told['started']}")
    same = sorted({one.signer.fingerprint for one in found})
    page.say(f"\n{number(len(found), 'folder')} of evidence, every byte as it was signed by {', '.join(same)}.")
    if not signer:
        page.say("Whose key that is, you have to know: --signer takes the fingerprint that you wrote down.")
    page.end()
    return EXIT_OK


def history(settings: str, json: bool) -> int:
    """Every run of this house that left a folder, newest first."""

    def body() -> int:
        session = open_session("dr.history", settings, json)
        return history_of(session)

    return guarded("dr.history", json, body, settings)


def history_of(session: Session) -> int:
    """The same, of a session that stands open."""
    runs = runs_of(session.house.state_dir)
    session.page.show(Rows([_row(one) for one in runs], ("verdict", "verb", "began", "took", "what came of it"), name=1))
    told = f"{number(len(runs), 'run')} of {session.house.name}" if runs else f"no run of {session.house.name} was made from here"
    session.page.say(f"\n{told} ({session.house.state_dir / 'runs'}); nothing was looked at.")
    counts = {word: sum(one.word == word for one in runs) for word in dict.fromkeys(one.word for one in runs)}
    return session.finish("remembered", counts, EXIT_OK, runs=runs)


def _row(one: Past) -> Row:
    verdict = Text(one.word, _COLOURS.get(one.tone, ""))
    cells = (verdict, Text(one.verb or "unknown"), Text(one.started or one.run), Text(duration(one.seconds)))
    return Row(cells, one.sentence)
