"""config.check as an editor reads it: every problem of the settings and of the house at once, each with file, line and column."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.verbs import config
from engine.errors import EXIT_OK, SettingsInvalid
from house.files.problems import Problem
from house.known.inventory import INVENTORY_FILE
from house.known.lock import LOCK_FILE
from house.loader import Examined
from house.rules.locating import located
from house.settings.schema import SCHEMA_FILE, schema_text
from tests.house.small_house import SETTINGS, write_repository

Printed = pytest.CaptureFixture[str]


def checked(settings: Path, capsys: Printed) -> tuple[int, dict[str, Any]]:
    code = config.check(str(settings), True)
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])["result"]


def marked(text: str, column: int) -> str:
    """What stands from this column on."""
    return text[column - 1 :]


def test_a_house_without_a_problem_is_told_as_that(tmp_path: Path, capsys: Printed) -> None:
    code, result = checked(write_repository(tmp_path), capsys)
    assert (code, result["outcome"], result["counts"].get("errors", 0)) == (EXIT_OK, "fits", 0)
    notes = [one for one in result["problems"] if one["severity"] == "note"]
    assert notes and all(Path(one["file"]).is_file() and one["line"] and one["column"] for one in notes)


# What is wrong, and the text of the file from the column on where an editor is to put its mark.
WRONG = [
    ("  boot: 1m\n", "  boot: soon\n", "limits.boot", "boot: soon"),
    ("    vm_id: 8001\n", "    vm_id: FILL_IN\n", "nodes.cp-1.vm_id", "vm_id: FILL_IN"),
    ("    cores: 2\n", "    coers: 2\n", "nodes.w-1.coers", "coers: 2"),
    ("  cp-1:\n    host: pve-1\n    vm_id: 8001\n", "  cp-1: {host: pve-1}\n", "nodes.cp-1.vm_id", "cp-1: {host"),
    ("    - size: 20GiB\n    - size: 50GiB\n", "    [{size: 20GiB}, {size: 3Gx}]\n", "node_defaults.disks[1].size", "size: 3Gx"),
    ("    - size: 50GiB\n", "    - 50GiB\n", "node_defaults.disks[1]", "50GiB"),
    ('  id: "5f1d7c2a9e"\n', "  id: é, id: 7\n", "", ""),
    ("  data: required\n", "  data: gone\n", "backups.defaults.data", "data: gone"),
    ("    media/photos:\n", "    media/fotos:\n", "backups.claims.media/fotos", "media/fotos:"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "path", "there"), WRONG, ids=[path or "syntax" for _, _, path, _ in WRONG])
def test_each_problem_has_the_place_of_its_key(
    right: str, wrong: str, path: str, there: str, tmp_path: Path, capsys: Printed
) -> None:
    assert right in SETTINGS
    file = write_repository(tmp_path, SETTINGS.replace(right, wrong, 1))
    code, result = checked(file, capsys)
    assert code == SettingsInvalid.exit_code
    found = [one for one in result["problems"] if one["severity"] == "error" and one["path"] == path]
    assert found, result["problems"]
    assert Path(found[0]["file"]) == file
    line = file.read_text().splitlines()[found[0]["line"] - 1]
    assert marked(line, found[0]["column"]).startswith(there)


def test_what_is_wrong_in_the_repository_stands_beside_what_is_wrong_in_the_settings(tmp_path: Path, capsys: Printed) -> None:
    file = write_repository(tmp_path, SETTINGS.replace("  boot: 1m\n", "  boot: soon\n"))
    talconfig = tmp_path / "talos/talconfig.yaml"
    talconfig.write_text(talconfig.read_text().replace("ipAddress: 127.10.0.14", "ipAddress: 127.10.0.999"))
    code, result = checked(file, capsys)
    assert code == SettingsInvalid.exit_code
    wrong = {Path(one["file"]).name: one for one in result["problems"] if one["severity"] == "error"}
    assert wrong.keys() == {"blackstart.yaml", "talconfig.yaml"}
    line = talconfig.read_text().splitlines()[wrong["talconfig.yaml"]["line"] - 1]
    assert marked(line, wrong["talconfig.yaml"]["column"]).startswith("ipAddress")


def test_one_section_that_is_unfinished_hides_nothing_that_is_wrong_in_another(tmp_path: Path, capsys: Printed) -> None:
    """A person who fills in one section sees at once that another is wrong, and not when the first is done."""
    text = SETTINGS.replace("    vm_id: 8001\n", "    vm_id: FILL_IN\n").replace("media/photos:", "media/fotos:")
    text = text.replace("ca_file: ca.pem\n    - url", "ca_file: no.pem\n    - url", 1)
    text += "bootstrap:\n  crds: [{file: gone.yaml}]\n"
    _, result = checked(write_repository(tmp_path, text), capsys)
    paths = {one["path"] for one in result["problems"] if one["severity"] == "error"}
    assert {"nodes.cp-1.vm_id", "backups.claims.media/fotos", "proxmox.endpoints[0].ca_file"} <= paths
    assert any(path.startswith("bootstrap.crds[0]") for path in paths)


def test_a_pipe_gets_one_line_a_problem_that_compilers_would_write(tmp_path: Path, capsys: Printed) -> None:
    file = write_repository(tmp_path, SETTINGS.replace("    vm_id: 8001\n", "    vm_id: FILL_IN\n"))
    assert config.check(str(file), False) == SettingsInvalid.exit_code
    lines = capsys.readouterr().out.splitlines()
    number = file.read_text().splitlines().index("    vm_id: FILL_IN") + 1
    assert any(line.startswith(f"{file}:{number}:5: error: nodes.cp-1.vm_id: is not filled in yet; ") for line in lines)
    assert lines[-1].startswith("1 error")


def test_a_schema_of_another_version_is_told(tmp_path: Path, capsys: Printed) -> None:
    file = write_repository(tmp_path)
    kept = tmp_path / SCHEMA_FILE
    kept.write_text(schema_text())
    assert not [one for one in checked(file, capsys)[1]["problems"] if one["file"] == str(kept)]
    kept.write_text("{}\n")
    (old,) = [one for one in checked(file, capsys)[1]["problems"] if one["file"] == str(kept)]
    assert old["severity"] == "note" and "config.schema" in old["better"]


def test_settings_that_are_not_there_are_one_problem_with_the_next_command(tmp_path: Path, capsys: Printed) -> None:
    code, result = checked(tmp_path / "none.yaml", capsys)
    assert code == SettingsInvalid.exit_code
    assert result["problem"]["next"] == "invoke config.init --repo PATH"


def test_what_comes_after_errors_is_to_correct_them_and_check_again(tmp_path: Path, capsys: Printed) -> None:
    file = write_repository(tmp_path, SETTINGS.replace("  boot: 1m\n", "  boot: soon\n"))
    assert config.check(str(file), False) == SettingsInvalid.exit_code
    assert f". Next: correct them, then invoke config.check --settings {file}\n" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "line"), [("my apps/one.yaml", 1), ("my apps/one.yaml", 0), ("apps/gone", 0), ("", 0)])
def test_a_note_is_placed_in_its_file_whatever_that_is_called(name: str, line: int, tmp_path: Path) -> None:
    settings = write_repository(tmp_path).resolve()
    (settings.parent / "my apps").mkdir()
    (settings.parent / "my apps/one.yaml").write_text("a: 1\n")
    note = Problem(name, line, "", "it is odd: very; and more", "mend it")
    (found,) = [one for one in located(Examined(None, (), (note,)), settings, settings.parent) if one.better == "mend it"]
    assert (found.file, found.line, found.what) == (settings.parent / (name or "blackstart.yaml"), line, note.what)


def test_a_note_on_the_settings_is_placed_at_its_key(tmp_path: Path, capsys: Printed) -> None:
    text = SETTINGS.replace("    cores: 2\n", "    cores: 65\n")
    file = write_repository(tmp_path, text)
    (note,) = [one for one in checked(file, capsys)[1]["problems"] if one["path"] == "nodes.w-1.cores"]
    assert note["severity"] == "note" and note["what"] == "has 65 cores"
    assert marked(text.splitlines()[note["line"] - 1], note["column"]) == "cores: 65"


@pytest.mark.parametrize("name", [LOCK_FILE, INVENTORY_FILE])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- 1\n", b"claims: [\n", b"a: 1\n---\nb: 2\n"])
def test_what_a_verb_wrote_beside_the_settings_is_looked_at_as_well(
    name: str, content: bytes, tmp_path: Path, capsys: Printed
) -> None:
    """A run refuses it: whoever asks before the night that needs it is told."""
    file = write_repository(tmp_path)
    file.with_name(name).write_bytes(content)
    code, result = checked(file, capsys)
    (wrong, *_) = result["problems"]
    assert (code, wrong["severity"], Path(wrong["file"])) == (SettingsInvalid.exit_code, "error", file.with_name(name))
