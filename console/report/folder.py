"""One folder of evidence: written whole or not at all, sealed by a list of checksums and a signature. Knows no house."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from console.report.metrics import run_metrics
from console.report.nouns import Previous
from console.report.pages import html, markdown
from console.report.signing import sign, signer_of
from console.views.jsonlines import plain
from engine.errors import PermanentError, SettingsInvalid
from engine.files.whole import put_in_place
from engine.sealed.excerpt import Excerpt

EVIDENCE, JOURNAL, PAGE, TEXT, METRICS = "evidence.json", "journal.lines", "report.html", "report.md", "metrics.prom"
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"


@dataclass(frozen=True)
class Written:
    """Where it was written, and the SHA-256 of its list of checksums: what the next evidence refers to."""

    folder: Path
    sums: str


def refuse_taken(folder: Path) -> None:
    """Before a run begins: SettingsInvalid where its evidence could not be written."""
    told = f"--report {folder}"
    parent = next(path for path in folder.absolute().parents if path.exists())
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsInvalid(
            f"{told} is there and not empty; right would be a new folder, or {{run}} in its name for one a run",
            hint="evidence is never written over: nothing was begun",
        )
    if not parent.is_dir():
        raise SettingsInvalid(f"{told} lies in what is no folder: {parent}", hint="make that folder first, or name another place")


def write_folder(
    folder: Path, evidence: Mapping[str, Any], journal: Excerpt | None, key: Ed25519PrivateKey, previous: Previous | None
) -> Written:
    """Write evidence of a run. PermanentError when it cannot be written; then nothing of it is there."""
    signer = signer_of(key.public_key())
    whole = {**evidence, "previous": plain(previous), "signer": {"key": signer.key, "fingerprint": signer.fingerprint}}
    files = {
        EVIDENCE: json.dumps(whole, indent=1) + "\n", PAGE: html(whole), TEXT: markdown(whole), METRICS: run_metrics(whole),
    }  # fmt: skip
    contents = {name: text.encode("utf-8", "backslashreplace") for name, text in files.items()}
    if journal is not None:
        contents[JOURNAL] = b"".join(line + b"\n" for line in journal.lines)
    contents[SUMS] = sums_of(contents)
    contents[SIGNATURE] = sign(key, contents[SUMS]).encode("ascii")
    _write(folder, contents)
    return Written(folder, hashlib.sha256(contents[SUMS]).hexdigest())


def sums_of(contents: Mapping[str, bytes]) -> bytes:
    """The list of checksums, as `sha256sum --check` reads it, by name."""
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.items())]
    return "".join(lines).encode("ascii")


def _write(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Beside its place first, and then there in one piece."""
    target = folder.absolute()
    beside = target.with_name(f".{target.name}.unfinished")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir()
        for name, data in contents.items():
            (beside / name).write_bytes(data)
        put_in_place(beside, target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise PermanentError(
            f"the evidence cannot be written to {folder}: {error.strerror or type(error).__name__}",
            hint="nothing of it is there: free space, or name another folder",
        ) from error
