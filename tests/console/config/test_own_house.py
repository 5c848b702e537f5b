"""One's own house, read-only: every verb that needs no cluster, on a repository alone, with nothing answering anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.verbs import config, tools
from console.verbs.cluster import bootstrap as cluster
from console.verbs.dr import audit
from console.verbs.dr import restore as dr
from console.views.page import MARK
from engine import errors
from house.known.lock import write_lock
from tests.house.small_house import write_repository

Printed = pytest.CaptureFixture[str]
Verb = Callable[[str], int]

UNHELD = errors.PreflightRefused.exit_code
"""It has backups of engines that cannot be held (kopia, kopiur): a bootstrap would refuse, and so does its plan."""

VERBS: dict[str, tuple[Verb, int, str]] = {
    "dr.audit": (lambda s: audit.audit(s, True, False, "", ""), errors.EXIT_STEP_FAILED, "failed"),
    "dr.plan": (lambda s: dr.plan(s, True, "", ""), errors.EXIT_STEP_FAILED, "refused"),
    "dr.hold": (lambda s: dr.hold(s, True, "", False), errors.EXIT_STEP_FAILED, "refused"),
    "dr.release": (lambda s: dr.release(s, True, "apps/vault", False, ""), errors.SettingsInvalid.exit_code, "refused"),
    "cluster.plan": (lambda s: cluster.plan(s, True, True, ""), UNHELD, "not looked at"),
    "cluster.status": (lambda s: cluster.status(s, True), errors.EXIT_OK, "remembered"),
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The small house, whose age key is on this machine and whose stores are not; the test stands in another folder."""
    file = write_repository(tmp_path)
    key = tmp_path / "age.key"
    key.write_text("AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n")
    key.chmod(0o600)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return str(file)


def result_of(printed: str) -> dict[str, Any]:
    """The last line's result; every line must be one JSON object."""
    lines = [json.loads(line) for line in printed.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    result: dict[str, Any] = lines[-1]["result"]
    assert {"verb", "outcome", "counts", "seconds", "exit_code"} <= result.keys()
    return result


@pytest.mark.parametrize("verb", VERBS)
def test_every_line_is_one_object_and_the_last_has_the_result(verb: str, settings: str, capsys: Printed) -> None:
    run, code, outcome = VERBS[verb]
    assert run(settings) == code
    result = result_of(capsys.readouterr().out)
    assert (result["verb"], result["outcome"], result["exit_code"]) == (verb, outcome, code)


@pytest.mark.parametrize("verb", VERBS)
def test_settings_that_are_not_there_are_one_clear_problem(verb: str, tmp_path: Path, capsys: Printed) -> None:
    assert VERBS[verb][0](str(tmp_path / "nothing.yaml")) == errors.SettingsInvalid.exit_code
    problem = result_of(capsys.readouterr().out)["problem"]
    assert problem["what"].startswith("there are no settings at")
    assert problem["next"] == "invoke config.init --repo PATH"


def test_a_folder_in_place_of_the_settings_names_the_file_in_it(tmp_path: Path, capsys: Printed) -> None:
    write_repository(tmp_path)
    assert cluster.status(str(tmp_path), False) == errors.SettingsInvalid.exit_code
    assert f"name the file in it: {tmp_path}/blackstart.yaml" in capsys.readouterr().err


def test_an_audit_tells_a_secret_that_cannot_be_had_from_a_store_that_does_not_answer(
    settings: str, tmp_path: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = Path(settings).read_text().replace("sops:secrets/restic.sops.yaml#password", "env:RESTIC_PW")
    (tmp_path / "nas" / "other").mkdir(parents=True)
    Path(settings).write_text(text.replace("sftp:backup@127.10.0.40:/tank/{app}", f"{tmp_path}/nas/{{app}}"))
    monkeypatch.setenv("RESTIC_PW", "not the password")
    assert audit.audit(settings, False, False, "", "") == errors.EXIT_STEP_FAILED
    shown = capsys.readouterr().out
    lines = [line.removeprefix(MARK) for line in shown.splitlines()]
    table = lines[next(number for number, line in enumerate(lines) if line.startswith("verdict")) :]
    verdicts = {line.split()[1]: line.split()[0] for line in table[1:4]}
    assert verdicts == {"apps/notes-data": "missing", "media/photos": "unknown", "apps/vault": "unknown"}
    assert "a secret cannot be had from env:VAULT_PASSWORD; not set, or empty" in shown
    assert "3 declared backups: 2 unknown, 1 missing; 1 backup not audited (kopia); 1 backup not audited (kopiur). Nothing" in shown


def test_an_audit_says_which_setting_lets_a_part_be_that_was_not_followed(settings: str, tmp_path: Path, capsys: Printed) -> None:
    file = tmp_path / "kubernetes/apps/apps/notes/app/kustomization.yaml"
    url = "https://example.org/v1.1/crd.yaml"
    file.write_text(f"resources: [./deployment.yaml, '{url}']\n")
    assert audit.audit(settings, False, False, "", "") == errors.EXIT_STEP_FAILED
    shown = " ".join(capsys.readouterr().out.replace(MARK, "").split())
    assert f"not followed: {url} (lies elsewhere" in shown
    says = "where a person finds no backup in one of them, the settings say so:"
    assert f'{says} backups: not_followed: "{url}": REASON' in shown
    assert "and is not followed" not in shown  # said once, and not in a note again


def test_commands_that_are_shown_repeat_the_settings(settings: str, capsys: Printed) -> None:
    assert dr.release(settings, False, "apps/vault", False, "") == errors.SettingsInvalid.exit_code
    assert f"next      invoke dr.release --settings {settings} apps/vault --unproven --reason TEXT" in capsys.readouterr().err


def test_an_offline_plan_tells_a_bundle_that_is_not_there(settings: str, capsys: Printed) -> None:
    bundle = Path(settings).with_name("talos") / "talsecret.sops.yaml"
    assert cluster.plan(settings, True, True, "") == errors.PreflightRefused.exit_code
    (problem,) = result_of(capsys.readouterr().out)["problems"]
    assert problem.startswith("talos/talsecret.sops.yaml: is not there; ") and "cluster.new-secrets" in problem
    bundle.mkdir()
    cluster.plan(settings, True, True, "")
    (problem,) = result_of(capsys.readouterr().out)["problems"]
    assert "is a folder" in problem and "cluster.new-secrets" not in problem
    bundle.rmdir()
    bundle.symlink_to("/media/usb/not-mounted")
    cluster.plan(settings, True, True, "")
    (problem,) = result_of(capsys.readouterr().out)["problems"]
    assert "is a link that leads nowhere" in problem and "cluster.new-secrets" not in problem
    bundle.unlink()
    bundle.write_text("sops: {}\n")
    cluster.plan(settings, True, True, "")
    assert result_of(capsys.readouterr().out)["problems"] == []


@pytest.mark.parametrize(("depth", "budget", "right"), [
    ("read=4/3", "", "read=1/8, the first of 8 parts"), ("read=0/4", "", "read=1/8"), ("read=1/9999", "", "at most 256 parts"),
    ("read=1", "", "read=1/8, the first"), ("read=1/8", "2GiB", "one of the two"), ("READ", "", "would be: read"),
    ("deep", "", "one of listed, indexed, tree, checked, read, or read=1/8"), ("indexd", "", "would be: indexed"),
])  # fmt: skip
def test_a_depth_that_is_none_is_told_with_one_that_is(depth: str, budget: str, right: str) -> None:
    with pytest.raises(errors.SettingsInvalid) as caught:
        audit.wanted_of(depth, budget)
    assert right in caught.value.what


def test_init_names_every_file_that_it_writes(tmp_path: Path, capsys: Printed) -> None:
    settings, schema = write_repository(tmp_path), tmp_path / "blackstart.schema.json"
    settings.unlink()
    assert config.init(str(tmp_path), "", False) == errors.EXIT_OK
    assert f"Written: {settings}, {schema}\n" in capsys.readouterr().out
    settings.unlink()
    assert config.init(str(tmp_path), "", True) == errors.EXIT_OK
    assert result_of(capsys.readouterr().out)["written"] == [str(settings)], "the schema was there"


def test_all_that_is_left_to_fill_in_is_told_however_much_it_is(tmp_path: Path, capsys: Printed) -> None:
    write_repository(tmp_path).unlink()
    assert config.init(str(tmp_path), "", True) == errors.EXIT_OK
    marks = result_of(capsys.readouterr().out)["marks"]
    assert cluster.plan(str(tmp_path / "blackstart.yaml"), False, True, "") == errors.SettingsInvalid.exit_code
    shown = capsys.readouterr().err
    assert len(marks) > 6
    assert [mark["path"] for mark in marks if f": {mark['path']}: is not filled in yet" not in shown] == []


def test_a_runbook_that_cannot_be_written_is_no_bug(settings: str, tmp_path: Path, capsys: Printed) -> None:
    assert cluster.plan(settings, False, True, str(tmp_path / "no" / "folder.md")) == errors.EXIT_STEP_FAILED
    assert "the runbook cannot be written to" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["-", "pipe", "folder"])
def test_a_runbook_goes_into_no_pipe_and_to_no_terminal(
    settings: str, tmp_path: Path, what: str, capsys: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("folder").mkdir()
    before = sorted(tmp_path.iterdir())
    assert cluster.plan(settings, False, True, what) == errors.SettingsInvalid.exit_code
    assert "--runbook names a file" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before


def test_a_plan_without_a_look_writes_the_runbook_and_says_where(settings: str, tmp_path: Path, capsys: Printed) -> None:
    assert cluster.plan(settings, False, True, str(tmp_path / "runbook.md")) == UNHELD
    assert f"Written: {tmp_path}/runbook.md, {tmp_path}/hold-policies.json" in capsys.readouterr().out


def test_a_state_folder_that_cannot_be_made_is_no_bug(settings: str, capsys: Printed) -> None:
    Path(settings).write_text(Path(settings).read_text().replace("state: state/small", "state: blackstart.yaml/state"))
    assert audit.audit(settings, False, False, "", "") == errors.SettingsInvalid.exit_code
    shown = capsys.readouterr().err
    assert "cannot be written to" in shown
    assert "house.state in the settings names another" in shown


def test_a_lock_that_cannot_be_written_is_no_bug(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsInvalid, match="cannot be written"):
        write_lock(tmp_path / "gone" / "blackstart.lock.yaml", [])


@pytest.mark.parametrize(("as_of", "says"), [("yesterday", "is no time"), ("2162-11-24", "is later than now")])
def test_a_wrong_time_is_told_before_the_house_is_asked(settings: str, capsys: Printed, as_of: str, says: str) -> None:
    assert dr.plan(settings, False, "", as_of) == errors.SettingsInvalid.exit_code
    assert f"--as-of {as_of} {says}" in capsys.readouterr().err


def test_the_policies_of_the_hold_are_one_line_with_json(capsys: Printed) -> None:
    assert dr.hold("", True, "", True) == errors.EXIT_OK
    assert result_of(capsys.readouterr().out)["counts"]["manifests"] >= 6


def test_tools_check_is_one_line_too(settings: str, capsys: Printed) -> None:
    code = tools.check(settings, True)
    result = result_of(capsys.readouterr().out)
    assert (result["verb"], result["exit_code"]) == ("tools.check", code)
