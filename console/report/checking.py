"""Is this folder the evidence that was signed, to the last byte? Needs no house, no state and no network.

The signature covers the list of checksums, the list every file but itself and the signature; the journal's lines are chained to
each other and to what the document says of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.report.folder import EVIDENCE, JOURNAL, SIGNATURE, SUMS
from console.report.nouns import SCHEMA
from console.report.signing import NotSigned, Signer, verify
from engine.errors import EvidenceChanged, PermanentError
from engine.sealed.chain import SUM
from engine.sealed.excerpt import Excerpt
from engine.text.jsontext import Malformed, an_object, read, shaped

MOST_BYTES = 1 << 28


@dataclass(frozen=True)
class Checked:
    """A folder that is as it was signed: by whom, what it says, and the SHA-256 of its list of checksums."""

    folder: Path
    signer: Signer
    evidence: Mapping[str, Any]
    sums: str


def check_folder(folder: Path, signer: str = "") -> Checked:
    """Check one folder; `signer` is the fingerprint or the public key that must have signed it ("" for anybody's).

    Raises EvidenceChanged with one sentence, and PermanentError where it could not be looked at.
    """
    files = _read(folder)
    for name in (SUMS, SIGNATURE):
        if name not in files:
            raise EvidenceChanged(f"{folder} is no evidence as it was signed: {name} is not there")
    who = _signed(folder, files)
    if signer and signer.split()[:2] not in ([who.fingerprint], who.key.split()):
        raise EvidenceChanged(f"{folder} was signed by another key than --signer says: by {who.fingerprint}")
    _listed(folder, files)
    evidence = _document(folder, files)
    if evidence.get("signer") != {"key": who.key, "fingerprint": who.fingerprint}:
        raise EvidenceChanged(f"{folder}/{EVIDENCE} names another key than the one that signed it")
    _chained(folder, files, evidence.get("journal"))
    return Checked(folder, who, evidence, hashlib.sha256(files[SUMS]).hexdigest())


def check_all(folder: Path, signer: str = "") -> list[Checked]:
    """Check a folder of evidence, or every one in a folder of such folders, oldest first, and that none between two is missing."""
    if (folder / SUMS).exists() or (folder / EVIDENCE).exists():
        return [check_folder(folder, signer)]
    try:
        inside = sorted(one for one in folder.iterdir() if one.is_dir())
    except OSError as error:
        raise PermanentError(f"{folder} cannot be looked at: {error.strerror}") from error
    if not inside:
        raise PermanentError(f"{folder} holds no evidence", hint="name the folder that --report was given")
    found = sorted((check_folder(one, signer) for one in inside), key=lambda one: (one.evidence["started"], one.evidence["run"]))
    return _in_order(found)


def _in_order(found: list[Checked]) -> list[Checked]:
    """Each behind the one that it names as the one before it; the first one's predecessor may be anywhere."""
    by_sums, runs = {one.sums: one for one in found}, {one.evidence["run"]: one for one in found}
    following: dict[str, list[Checked]] = {}
    first: list[Checked] = []
    for one in found:
        told = one.evidence.get("previous")
        if told is not None and told["sums"] in by_sums:
            following.setdefault(told["sums"], []).append(one)
        elif told is not None and runs.get(told["run"], one) is not one:
            there = runs[told["run"]].folder
            raise EvidenceChanged(f"{there} was replaced: {one.folder} refers to other evidence of run {told['run']}")
        elif told is not None and first:
            raise EvidenceChanged(f"the evidence of run {told['run']} is missing: {one.folder} refers to it")
        else:
            first.append(one)
    ordered = list(first)
    for one in ordered:
        ordered += following.get(one.sums, [])
    return ordered


def _read(folder: Path) -> dict[str, bytes]:
    files = {}
    try:
        for path in sorted(folder.iterdir()):
            if path.is_symlink() or not path.is_file():
                raise EvidenceChanged(f"{path} is no file, and no part of the evidence that was signed")
            if path.stat().st_size > MOST_BYTES:
                raise EvidenceChanged(f"{path} is larger than any file of evidence")
            files[path.name] = path.read_bytes()
    except OSError as error:
        raise PermanentError(f"{folder} cannot be looked at: {error.strerror}") from error
    return files


def _signed(folder: Path, files: Mapping[str, bytes]) -> Signer:
    try:
        return verify(files[SIGNATURE].decode("ascii"), files[SUMS])
    except (NotSigned, UnicodeDecodeError) as error:
        why = "it is no text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise EvidenceChanged(f"{folder}/{SUMS} or its signature was changed: {why}") from None


def _listed(folder: Path, files: Mapping[str, bytes]) -> None:
    """Every file is in the list with its checksum, and nothing else is."""
    lines = files[SUMS].decode("ascii", "replace").splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    for name in sorted({*files, *listed} - {SUMS, SIGNATURE}):
        if name not in files:
            raise EvidenceChanged(f"{folder}/{name} is missing")
        if name not in listed:
            raise EvidenceChanged(f"{folder}/{name} is no part of the evidence that was signed")
        if hashlib.sha256(files[name]).hexdigest() != listed[name]:
            raise EvidenceChanged(f"{folder}/{name} was changed after it was signed")


def _document(folder: Path, files: Mapping[str, bytes]) -> Mapping[str, Any]:
    try:
        evidence = read(files.get(EVIDENCE, b""), an_object, ours=True)
        schema = evidence["schema"]
        if schema == SCHEMA:
            with shaped(evidence):
                _of_types(evidence)
    except (Malformed, KeyError):
        raise EvidenceChanged(f"{folder}/{EVIDENCE} is no evidence") from None
    if schema != SCHEMA:
        raise PermanentError(f"{folder} is of schema {schema!r}, and this version knows {SCHEMA}: use the version that wrote it")
    return evidence


def _of_types(evidence: Mapping[str, Any]) -> None:
    """What is read here and told. TypeError and KeyError for what is of another type: whoever signs may sign anything."""
    texts = [evidence[key] for key in ("run", "house", "verb", "started")] + [evidence["verdict"]["word"]]
    if (before := evidence.get("previous")) is not None:
        texts += [before["run"], before["sums"]]
    if (journal := evidence.get("journal")) is not None:
        texts += [journal["before"], journal["end"]]
        texts += [] if type(journal["lines"]) is int else [None]
    if not all(isinstance(text, str) for text in texts) or not isinstance(evidence["simulated"], bool):
        raise TypeError("a value of the wrong type")


def _chained(folder: Path, files: Mapping[str, bytes], told: Mapping[str, Any] | None) -> None:
    """The journal's lines are those that the document tells of, each chained to the one before."""
    if told is None:
        return
    lines = Excerpt(str(told["before"]), tuple(files.get(JOURNAL, b"").split(b"\n")[:-1]))
    if broken := lines.broken():
        raise EvidenceChanged(f"{folder}/{JOURNAL}, line {broken}, is not the line that the journal had there")
    if (len(lines.lines), lines.end[:SUM]) != (told["lines"], told["end"]):
        raise EvidenceChanged(f"{folder}/{JOURNAL} does not hold the lines that {EVIDENCE} tells of")
