"""No secret reaches journal, events, reports, screen or runbook, whatever text of the house carries it in, and however encoded."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from console.ending import guarded
from console.screens.runbook import write_runbook
from console.verbs.dr import audit
from engine.errors import PermanentError
from engine.secrets import Secret, encodings
from house.model import House
from lab.world.store import a_file
from tests.console.modelled_doors import Desk
from tests.console.session.test_session import on_look
from tests.scenario.running import DATA

TOKEN = "7f1c2b9e-token/secret+of=proxmox"
PASSWORD = "correct horse battery staple"
AGE = "AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0S3JN54K"
PEM = (
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIBlackstartTestKeyLineOne00000000000\n"
    "AwEHoUQDQgAEsecondLineOfTheTestKey0000000\n-----END EC PRIVATE KEY-----"
)
SECRETS = (TOKEN, PASSWORD, AGE, PEM)
LEAK = " ".join((
    TOKEN, quote(TOKEN, safe=""), base64.b64encode(PASSWORD.encode()).decode(), json.dumps(PASSWORD), AGE, PEM,
    base64.b64encode(PEM.encode()).decode(), f"https://root:{quote(PASSWORD)}@pve-1:8006/", PASSWORD.encode().hex(),
))  # fmt: skip
"""What a careless program would say."""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A house whose secrets are known to this process, as they are once they were resolved."""
    for value in SECRETS:
        Secret(value)
    return Desk(tmp_path)


@pytest.fixture
def held_desk(tmp_path: Path) -> Desk:
    """The same after its bootstrap."""
    for value in SECRETS:
        Secret(value)
    return Desk.bootstrapped(tmp_path)


def traces(text: str) -> list[str]:
    """Every form of a secret that is in the text."""
    return [form for value in SECRETS for form in encodings(value) if form in text]


def left(house: House, *more: str) -> str:
    """All that a run leaves on the disk, and what it printed."""
    files = [path for path in house.state_dir.rglob("*") if path.is_file()]
    assert {"journal", "events.jsonl"} <= {path.name for path in files}
    return "\n".join([*more, *(path.read_text(errors="replace") for path in files)])


Leak = Callable[[Desk], None]


def bundle(desk: Desk) -> None:
    desk.running.home.files.bundle_problem = LEAK


def charts(desk: Desk) -> None:
    desk.running.home.unfetchable["kube-system/cilium"] = LEAK


def clone(desk: Desk) -> None:
    desk.running.home.files.dirty = (LEAK,)


def remark(desk: Desk) -> None:
    for repository in desk.running.home.store.repositories.values():
        repository.remark = LEAK


def wrong_answer(desk: Desk) -> None:
    def fail() -> None:
        raise PermanentError(LEAK, evidence=(LEAK,), hint=LEAK, next_command=LEAK)

    desk.spoil = on_look("clone", "state", fail)


def bug(desk: Desk) -> None:
    def fail() -> None:
        raise KeyError(LEAK)

    desk.spoil = on_look("clone", "state", fail)


@pytest.mark.parametrize("leak", [bundle, charts, clone, remark, wrong_answer, bug])
@pytest.mark.parametrize("as_json", [True, False])
def test_a_run_that_is_told_secrets_keeps_them_to_itself(
    held_desk: Desk, leak: Leak, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    leak(held_desk)
    session = held_desk.session("cluster.bootstrap", json=as_json)
    guarded("cluster.bootstrap", as_json, lambda: session.apply(held_desk.running.bootstrap))
    printed = capsys.readouterr()
    text = left(held_desk.running.house, printed.out, printed.err)
    assert traces(text) == []
    masks = ("•••", r"\u2022\u2022\u2022")  # as a screen shows it, and as JSON does
    assert any(mask in text for mask in masks), "the leak did not reach anything: this test shows nothing"


def test_a_plan_a_verify_and_an_audit_that_are_told_secrets_print_none(held_desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    for leak in (bundle, charts, clone, remark):
        leak(held_desk)
    for as_json in (True, False):
        held_desk.session("cluster.plan", json=as_json).plan(held_desk.running.bootstrap, act="")
        held_desk.session("cluster.verify", json=as_json).verify(held_desk.running.bootstrap)
        audit.audit_house(held_desk.session("dr.audit", json=as_json), lock=True)
    printed = capsys.readouterr()
    assert traces(printed.out + printed.err) == []
    assert "•••" in printed.out


def test_a_restore_whose_files_are_named_like_secrets(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    running = desk.running
    assert running.apply(running.bootstrap).converged
    image_differs = only_restored(desk)
    image_differs()
    guarded("dr.restore", True, lambda: desk.session("dr.restore", json=True).apply(running.restore))
    printed = capsys.readouterr()
    assert "did not come back as it was backed up" in printed.out
    assert traces(left(running.house, printed.out, printed.err)) == []


def only_restored(desk: Desk) -> Callable[[], None]:
    """Restore the image, then let it hold a file whose name is a secret."""
    from tests.hands import only

    running = desk.running
    running.apply(only(running.restore, "preflight.", "hold.", "recovery.pin", "recovery.restore"))
    image = running.home.kube.objects().destinations[("apps", "notes-bootstrap")].image
    assert image is not None

    def spoil() -> None:
        image.entries = (*DATA, a_file(TOKEN, "x"), a_file(PASSWORD, "y"))

    return spoil


def test_a_runbook_holds_no_secret(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "runbook.md"
    write_runbook(file, desk.running.house, desk.running.bootstrap)
    write_runbook(tmp_path / "restore.md", desk.running.house, desk.running.restore)
    assert traces(file.read_text() + (tmp_path / "restore.md").read_text()) == []


def test_the_search_itself_finds_what_it_looks_for() -> None:
    assert len(traces(LEAK)) >= 8
