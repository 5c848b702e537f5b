"""After a run: its evidence is kept in the run's folder, and written where `--report` says. Shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cluster.backups.proofs import proofs
from console.opened.journals import journal_folder
from console.report.document import Ran, evidence_of, part_of
from console.report.keeping import before, keep, last_signed, signed
from console.report.nouns import Evidence
from console.views.jsonlines import plain
from engine.errors import BlackstartError, PermanentError
from engine.journal import read_lines
from engine.sealed.excerpt import excerpt
from engine.secrets import redact
from house.model import House
from rehearsal.outcome import SCHEMA as DRILL_SCHEMA

_GONE = "the journal that this run wrote to was moved aside: its lines are not in the evidence"


def document_of(ran: Ran, *, journalled: bool) -> tuple[dict[str, object], str]:
    """The document of a run, every text of it redacted, and why its journal is not in it ("" where it is, or there is none)."""
    trouble = ""
    if journalled:
        try:
            lines, raw = read_lines(journal_folder(ran.house.state_dir, ran.verb), lineage=ran.house.id)
            ran = replace(ran, journal=excerpt(raw, ran.run), proven=tuple(proofs(line for line in lines if line.run == ran.run)))
        except BlackstartError as error:
            trouble = f"the journal is not in the evidence: {redact(error.what)}"
    document = _document(evidence_of(ran))
    document["past"] = list(before(ran.house.state_dir, ran.run, ran.verb))
    return (_without_journal(document, trouble) if trouble else document), trouble


def _document(evidence: Evidence) -> dict[str, object]:
    told = plain(evidence)
    assert isinstance(told, dict)
    return {**told, "drill": {"schema": DRILL_SCHEMA, **told["drill"]}} if told["drill"] is not None else told


def _without_journal(document: Mapping[str, object], why: str) -> dict[str, object]:
    unseen = document["not_looked_at"]
    assert isinstance(unseen, list)
    return {**document, "journal": None, "not_looked_at": [*unseen, why]}


def keep_document(house: House, run: str, document: Mapping[str, object]) -> str:
    """Keep it in the run's folder; answers what went wrong, "" for nothing."""
    folder = house.state_dir / "runs" / run
    try:
        keep(folder, document)
    except OSError as error:
        return f"the run's evidence is not kept in {folder}: {error.strerror}"
    return ""


def write_evidence(house: House, document: Mapping[str, object], folder: Path) -> str:
    """Write the folder, signed; answers the fingerprint of the key. Raises PermanentError, SettingsInvalid, JournalDamaged."""
    from console.report.folder import write_folder
    from console.report.signing import key_of, own_key, signer_of

    run, journal = str(document["run"]), None
    journals = journal_folder(house.state_dir, str(document["verb"]))
    try:
        key = key_of(house.evidence.key) if house.evidence.key is not None else own_key(house.state_dir)
        if document["journal"] is not None:
            journal = excerpt(read_lines(journals, lineage=house.id)[1], run)
            part = plain(part_of(house, journal))
            document = {**document, "journal": part} if journal.lines else _without_journal(document, _GONE)
        written = write_folder(folder, document, journal if document["journal"] else None, key, last_signed(house.state_dir))
    except OSError as error:
        raise PermanentError(f"the evidence cannot be signed: {error.strerror}", evidence=(str(error.filename or ""),)) from error
    try:
        signed(house.state_dir, run, written.sums)
    except OSError as error:
        told = f"the evidence is written to {folder}, but the next one cannot name it as the one before: {error.strerror}"
        raise PermanentError(told, evidence=(str(error.filename or ""),)) from error
    return signer_of(key.public_key()).fingerprint
