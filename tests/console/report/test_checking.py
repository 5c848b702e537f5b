"""Evidence is what was signed, to the last byte, or one sentence says what is not. Nothing but the folder is needed for that."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from console.ending import guarded
from console.report.checking import check_all, check_folder
from console.report.folder import EVIDENCE, JOURNAL, PAGE, SIGNATURE, SUMS, sums_of
from console.report.signing import NAMESPACE, own_key, sign
from console.verbs.dr import evidence as verbs
from engine.errors import EvidenceChanged, PermanentError, SettingsInvalid
from tests.console.report.conftest import Told

FILES = (EVIDENCE, JOURNAL, PAGE, "report.md", "metrics.prom", SUMS, SIGNATURE)
SAMPLES = 60


@pytest.fixture
def folder(told: Told, tmp_path: Path) -> Path:
    """A copy of the restore's evidence, to be spoilt."""
    return Path(shutil.copytree(told.restored, tmp_path / "copy"))


def test_what_was_signed_is_said_to_be_so(told: Told) -> None:
    found = check_folder(told.restored)
    assert (found.evidence["verb"], found.evidence["simulated"]) == ("dr.restore", True)
    assert {path.name for path in told.restored.iterdir()} == set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_any_byte_that_differs_is_noticed(folder: Path, name: str) -> None:
    """Every byte of what is short; of the others the first, the last and some between. One bit of each, in turn."""
    path = folder / name
    whole = path.read_bytes()
    places = range(len(whole)) if name in (SUMS, SIGNATURE) else {*range(0, len(whole), len(whole) // SAMPLES + 1), len(whole) - 1}
    for number, at in enumerate(places):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1, 0x20)[number % 2]]) + whole[at + 1 :])
        with pytest.raises(EvidenceChanged):
            check_folder(folder)
    for other in (whole[:-1], whole + b"\n", whole + b" ", b""):
        path.write_bytes(other)
        with pytest.raises(EvidenceChanged):
            check_folder(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_missing_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(EvidenceChanged, match=name):
        check_folder(folder)


def test_what_was_put_in_is_noticed(folder: Path) -> None:
    (folder / "more.txt").write_text("more")
    with pytest.raises(EvidenceChanged, match=r"more\.txt is no part"):
        check_folder(folder)


def test_a_folder_or_a_link_inside_is_noticed(folder: Path) -> None:
    (folder / "deeper").mkdir()
    with pytest.raises(EvidenceChanged):
        check_folder(folder)
    (folder / "deeper").rmdir()
    (folder / PAGE).rename(folder.parent / PAGE)
    (folder / PAGE).symlink_to(folder.parent / PAGE)
    with pytest.raises(EvidenceChanged):
        check_folder(folder)


def signed_anew(folder: Path, tmp_path: Path) -> None:
    """As somebody does who has a key of their own."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (SUMS, SIGNATURE)}
    (folder / SUMS).write_bytes(sums_of(files))
    (folder / SIGNATURE).write_text(sign(own_key(tmp_path / "other"), sums_of(files)))


def test_who_signs_it_anew_is_another_and_is_named(folder: Path, told: Told, tmp_path: Path) -> None:
    signed_anew(folder, tmp_path)
    with pytest.raises(EvidenceChanged, match="names another key"):
        check_folder(folder)
    with pytest.raises(EvidenceChanged, match="by another key than --signer says"):
        check_folder(folder, check_folder(told.restored).signer.fingerprint)


def test_the_signer_is_told_by_fingerprint_or_key(told: Told) -> None:
    who = check_folder(told.restored).signer
    assert check_folder(told.restored, who.fingerprint).signer == check_folder(told.restored, f"{who.key} me@desk").signer == who
    for other in ("SHA256:abc", who.key[:-1], who.fingerprint[:-1]):
        with pytest.raises(EvidenceChanged):
            check_folder(told.restored, other)


def test_lines_of_the_journal_that_the_signer_changed_do_not_fit_either(folder: Path, told: Told) -> None:
    """The house's own key does not help: the lines are chained to what the journal had there."""
    lines = (folder / JOURNAL).read_bytes().split(b"\n")
    (folder / JOURNAL).write_bytes(b"\n".join([*lines[:2], *lines[3:]]))
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.name not in (SUMS, SIGNATURE)}
    (folder / SUMS).write_bytes(sums_of(files))
    (folder / SIGNATURE).write_text(sign(own_key(told.house.running.house.state_dir), sums_of(files)))
    with pytest.raises(EvidenceChanged, match="line 3, is not the line"):
        check_folder(folder)


def test_a_folder_of_them_is_checked_and_a_gap_is_named(told: Told, tmp_path: Path) -> None:
    many = tmp_path / "many"
    for name, source in (("a", told.built), ("b", told.restored)):
        shutil.copytree(source, many / name)
    assert [one.evidence["verb"] for one in check_all(many)] == ["cluster.bootstrap", "dr.restore"]
    third = tmp_path / "third"
    told.house.write(told.restore, third)
    shutil.copytree(third, many / "c")
    assert len(check_all(many)) == 3
    shutil.rmtree(many / "b")
    with pytest.raises(EvidenceChanged, match=f"the evidence of run {told.restore} is missing"):
        check_all(many)


@pytest.mark.parametrize("wanted", ["sha256sum --check --strict SHA256SUMS", "ssh-keygen -Y verify"])
def test_it_is_checked_without_this_tool(told: Told, tmp_path: Path, wanted: str) -> None:
    who = check_folder(told.restored).signer
    signers = tmp_path / "signers"
    signers.write_text(f"house {who.key}\n")
    more = ["-f", str(signers), "-I", "house", "-n", NAMESPACE, "-s", SIGNATURE] if "keygen" in wanted else []
    with (told.restored / SUMS).open() as sums:
        done = subprocess.run([*wanted.split(), *more], cwd=told.restored, stdin=sums, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert wanted in (told.restored / PAGE).read_text()


def spoil(folder: Path) -> None:
    (folder / PAGE).write_text("Done")


@pytest.mark.parametrize(("act", "code"), [(lambda folder: None, 0), (spoil, 3), (shutil.rmtree, 30)])
@pytest.mark.parametrize("as_json", [True, False])
def test_the_verb_ends_with_what_is_documented(
    folder: Path, act: Callable[[Path], None], code: int, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    act(folder)
    assert verbs.report("", as_json, "", "", str(folder), "") == code
    printed = capsys.readouterr()
    assert not as_json or json.loads(printed.out)["result"]["exit_code"] == code
    assert code or "simulated" in printed.out.lower()


def test_the_verb_needs_no_settings_and_refuses_what_makes_no_sense(
    told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert verbs.report("", False, "", "", str(told.restored), "") == 0
    assert "Whose key that is, you have to know" in capsys.readouterr().out
    assert guarded("dr.report", True, lambda: verbs.report("", True, "", "", "", "SHA256:x")) == SettingsInvalid.exit_code
    with pytest.raises(PermanentError, match="holds no evidence"):
        check_all(tmp_path)
