"""The command line as it is typed: the list of verbs, and invoke's own --dry, which would call success what was never done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from runpy import run_path

import pytest
from invoke.parser import Parser

from console.verbs import config
from engine.errors import SettingsInvalid

ROOT = Path(__file__).parents[3]

MOST_MODULES = 531


def typed(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run invoke with these words in the checkout; `environment` comes before our own, less what says whether Python compiles."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**own, **environment},
    )  # fmt: skip


def test_the_list_shows_every_verb_with_its_line() -> None:
    listed = typed("--list")
    assert listed.returncode == 0, listed.stderr
    for area, verbs in import_module("tasks").AREAS.items():
        for name in verbs:
            (line,) = [text for text in listed.stdout.splitlines() if text.split()[:1] == [f"{area}.{name}"]]
            assert len(line.split()) > 3, f"{area}.{name} has no help"
            assert line.endswith("."), f"the help of {area}.{name} is longer than a line"


def test_a_list_that_nobody_reads_to_its_end_is_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    argv = [sys.executable, "-m", "invoke", "-l"]
    listed = subprocess.run(argv, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writer)
    assert (listed.returncode, listed.stderr) == (-signal.SIGPIPE, b"")


def test_dry_is_refused_with_the_verb_that_is_meant() -> None:
    refused = typed("--dry", "cluster.bootstrap")
    assert refused.returncode == 20
    assert "cluster.plan" in refused.stdout + refused.stderr


@pytest.mark.parametrize(("words", "given"), [
    (("dr.hold",), {"claims": ""}),
    (("dr.hold", "apps/notes", "--json"), {"claims": "apps/notes"}),
    (("dr.hold", "--claims", "apps/notes"), {"claims": "apps/notes"}),
    (("dr.hold", "--report", "held"), {"claims": "", "report": "held"}),
    (("dr.hold", "--settings", "my house/blackstart.yaml"), {"claims": "", "settings": "my house/blackstart.yaml"}),
    (("dr.hold", "--report=held", "apps/notes"), {"claims": "apps/notes", "report": "held"}),
    (("dr.list", "apps/notes", "--as-of", "2027-01-15T07:00:00Z"), {"claim": "apps/notes", "path": ""}),
    (("dr.list", "apps/notes", "a file.txt", "--settings", "my house.yaml"), {"claim": "apps/notes", "path": "a file.txt"}),
])  # fmt: skip
def test_what_may_be_left_out_is_left_out_whatever_flags_stand_there(
    words: tuple[str, ...], given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["invoke", *words])
    contexts = run_path(str(ROOT / "tasks.py"))["namespace"].to_contexts()
    (parsed,) = Parser(contexts=contexts).parse_argv(list(words))
    assert {name: parsed.args[name].value or "" for name in given} == given


def test_a_verb_compiles_its_modules_once_unless_the_person_wants_none_kept(tmp_path: Path) -> None:
    kept = tmp_path / "kept"

    def compiled(**wish: str) -> list[Path]:
        # Of all verbs this one imports least, and all of that is compiled here.
        ended = typed("lab.demo", "--part", "none", PYTHONPYCACHEPREFIX=str(kept), **wish)
        assert "has no part none" in ended.stderr, ended.stderr
        return list(kept.rglob("console/verbs/lab.*.pyc"))

    (once,) = compiled()
    once.unlink()
    # The others are there by now: to compile all of them twice would be most of this test.
    assert compiled(PYTHONDONTWRITEBYTECODE="1") == []
    assert compiled() == [once]


def test_no_verb_imports_a_client_before_it_opens_a_door_and_none_before_it_is_needed() -> None:
    clients = {"boto3", "dns", "httpx", "lightkube", "paramiko", "proxmoxer", "requests", "websockets"}
    verbs = sorted(path.relative_to(ROOT).with_suffix("") for path in (ROOT / "console" / "verbs").rglob("*.py"))
    modules = [".".join(verb.parts) for verb in verbs if verb.name != "__init__"]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    code += "; import console.opened.real_doors; print(*sys.modules)"
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    before, opened = (set(line.split()) for line in asked.stdout.splitlines())
    assert "console.verbs.cluster.bootstrap" in before
    assert before & clients == set()
    assert opened & clients == {"lightkube", "proxmoxer", "requests"}, "the others are for the houses that have what they talk to"


def test_a_plan_imports_no_more_than_it_uses() -> None:
    """Half of what an import costs is the making of dataclasses: a plan of a dark house waits for each of them before it looks."""
    code = "import sys, console.verbs.cluster.bootstrap, console.opened.real_doors; print(*sys.modules)"
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    imported = set(asked.stdout.split())
    assert "console.session" in imported
    others = ("cluster.lint", "cluster.components", "console.gate", "console.screens.runbook", "recovery", "rehearsal.course")
    assert {name for name in imported if name.startswith(others)} == set()
    ours = [name for name in imported if (ROOT / name.replace(".", "/")).with_suffix(".py").is_file()]
    assert len(ours) <= MOST_MODULES, "what only one verb or a branch of it needs is imported there"


def test_a_folder_that_was_taken_from_under_the_person_is_no_bug_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert config.check("", False) == SettingsInvalid.exit_code
    assert "the folder that this was typed in is not to be had any more" in capsys.readouterr().err
