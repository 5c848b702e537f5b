"""A document that was kept, or signed by whoever, with a value of another type: never a traceback, and never a page made of it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from console.report.checking import check_all
from console.report.fitting import amiss
from console.report.folder import EVIDENCE, SIGNATURE, SUMS, sums_of
from console.report.keeping import DOCUMENT
from console.report.metrics import run_metrics
from console.report.pages import html, markdown
from console.report.signing import own_key, sign, signer_of
from console.verbs.dr import evidence as verbs
from engine.errors import EvidenceChanged, PermanentError
from engine.text.jsontext import Malformed, an_object, shaped
from engine.text.jsontext import read as read_json
from tests.console.modelled_doors import Desk
from tests.console.report.conftest import Told
from tests.fuzz.shapes import sweep


def reread(document: dict[str, Any]) -> dict[str, Any]:
    """As it is read from a disk: Malformed where it is nested too deep for that."""
    with shaped(None):
        text = json.dumps(document)
    return read_json(text, an_object, ours=True)


def test_what_fits_can_be_told_and_what_cannot_does_not_fit(told: Told) -> None:
    document = copy.deepcopy(told.house.document(told.restore))
    proven = next(step for step in document["steps"] if step["spans"])
    document |= {"steps": [proven], "path": document["path"][:1], "not_looked_at": document["not_looked_at"][:1]}
    assert amiss(document) == ""
    fitted = 0

    def read() -> None:
        nonlocal fitted
        kept = reread(document)
        if not amiss(kept):
            fitted += 1
            whole = {**kept, "signer": {"key": "ssh-ed25519 x", "fingerprint": "SHA256:x"}, "previous": None}
            assert html(whole) and markdown(whole) and run_metrics(whole)

    assert sweep(document, read, (PermanentError, Malformed), every=7) > 100 and fitted


@pytest.mark.parametrize("spoil", [{"steps": 1}, {"verdict": None}, {"drill": {}}, {"past": "odd"}, {"run": ["x"]}])
def test_a_kept_run_that_is_no_evidence_is_refused_by_where_it_is_not(
    desk: Desk, told: Told, tmp_path: Path, spoil: dict[str, object]
) -> None:
    folder = desk.running.house.state_dir / "runs" / told.restore
    folder.mkdir(parents=True)
    (folder / DOCUMENT).write_text(json.dumps(told.house.document(told.restore) | spoil))
    with pytest.raises(PermanentError):
        verbs.write(desk.session("dr.report"), told.restore, str(tmp_path / "written"))
    assert not (tmp_path / "written").exists()


def test_signed_by_whoever_it_is_evidence_or_said_to_be_none(told: Told, tmp_path: Path) -> None:
    document = json.loads((told.restored / EVIDENCE).read_text())
    document |= {name: [] for name in ("steps", "past", "claims", "path", "not_looked_at")}
    key = own_key(tmp_path)
    who = signer_of(key.public_key())
    document["signer"] = {"key": who.key, "fingerprint": who.fingerprint}
    files = {path.name: path.read_bytes() for path in told.restored.iterdir() if path.name not in (SUMS, SIGNATURE)}
    for name, content in files.items():
        (tmp_path / "odd" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "odd" / name).write_bytes(content)

    def read() -> None:
        files[EVIDENCE] = json.dumps(reread(document)).encode()
        for name, content in ((EVIDENCE, files[EVIDENCE]), (SUMS, sums_of(files))):
            (tmp_path / "odd" / name).write_bytes(content)
        (tmp_path / "odd" / SIGNATURE).write_text(sign(key, sums_of(files)))
        verbs.check_evidence(tmp_path / "odd", "", json=False)

    assert sweep(document, read, (EvidenceChanged, PermanentError, Malformed), every=5) > 60
    assert check_all(told.restored)
