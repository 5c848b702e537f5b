"""Whole screens at 60, 80 and 120 columns, letter by letter, held against the texts beside this. A change there is meant, or a bug.

`BLACKSTART_NEW_SCREENS=1 pytest tests/console/screens/test_screens.py` writes them anew, to be looked at before they are committed.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len

from console.screens.tables import audit_table, hold_table, plan_summary, plan_table, print_report
from console.views.live import LiveView
from console.views.pace import Pace, left_in_words, pace_of
from console.views.page import Page, simulated
from engine.events import Event, RunStarted, StepBegun, StepEnded, StepSeen, StepStarted, StepWaiting
from engine.probe import Condition
from engine.report import Outcome, StepReport
from engine.step import Hazard, StepId
from tests.builders import a_house
from tests.console.screens.test_golden import PLAN, REPORT, line

SCREENS = Path(__file__).parent
WIDTHS = (40, 60, 80, 120)
IDS = tuple(map(StepId, (
    "preflight.quorum", "preflight.backup/selfhosted/notes",
    "proxmox.create-vm/cp-1", "proxmox.create-vm/cp-2", "talos.apply-config/cp-1", "kubernetes.api-servers",
    "helm.sync-release/observability/kube-prometheus-stack", "flux.reconcile", "hold.claims",
)))  # fmt: skip


class Terminal(io.StringIO):
    """A terminal of a fixed size."""

    def isatty(self) -> bool:
        return True

    @property
    def screen(self) -> str:
        """What it shows, without colours."""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


class Clock:
    """Turned by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sized(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], Terminal]:
    """Makes a terminal of so many columns and lines the one that this process has."""

    def make(columns: int, lines: int) -> Terminal:
        for name, value in {"COLUMNS": str(columns), "LINES": str(lines), "TERM": "xterm-256color"}.items():
            monkeypatch.setenv(name, value)
        return Terminal()

    return make


def plan_screen(page: Page) -> None:
    page.show(plan_table(PLAN))
    page.say(f"\n{plan_summary(PLAN)}")


def report_screen(page: Page) -> None:
    print_report(page, REPORT, "cluster.bootstrap")


def hold_screen(page: Page) -> None:
    from adapters.hold.results import HeldClaim, HoldRecord, HoldState

    held = HeldClaim("selfhosted", "notes", HoldState.HELD, "notes-bootstrap", "notes", since=1000.0)
    free = HeldClaim("media", "photos", HoldState.ACCEPTED_EMPTY, "photos-dst", "photos", since=2000.0, reason="a new library")
    page.show(hold_table(HoldRecord(True, (held, free)), now=8200.0))


def audit_screen(page: Page) -> None:
    from adapters.backups.results import Verdict as Found
    from cluster.backups.audit import ClaimAudit

    page.show(audit_table([ClaimAudit(claim, Found.UNREACHABLE, "", None, None, (), "no answer") for claim in a_house().claims]))


def live_view(page: Page, clock: Clock, pace: Pace | None = None, encoding: str = "utf-8") -> LiveView:
    """A run of which a part is done."""
    view = LiveView(page.console, pace=lambda steps: pace, now=clock)
    events: list[Event] = [RunStarted(0.0, "run-7", IDS, 0)]
    for number, step in enumerate(IDS[:3]):
        outcome = Outcome.CHANGED if number == 2 else Outcome.OK
        events += [StepStarted(0.0, step, "", False), StepEnded(0.0, StepReport(step, "", outcome, "VM 8001 is ours", seconds=9.8))]
    events += [StepStarted(0.0, IDS[3], "", False), StepBegun(0.0, IDS[3], Hazard.NONE, 1)]
    for event in events:
        view(event)
    clock.now = 12.0
    view(StepWaiting(0.0, IDS[3], "the Proxmox task UPID:pve-2:00001ED4:00018A3C:684EE189:qmcreate:8002:", 900.0))
    view(StepStarted(0.0, IDS[6], "", False))
    view(StepSeen(0.0, IDS[6], Condition.CHANGING, "its [Deployment] of a name that is longer than any terminal", ()))
    clock.now = 75.0
    return view


def live_screen(page: Page) -> None:
    steps = {step: (10.0 * number, 12.0 + number) for number, step in enumerate(IDS)}
    page.begin()
    view = live_view(page, Clock(), Pace("run-6", steps))
    page.console.print(view.block())


DRAWN: Mapping[str, Callable[[Page], None]] = {
    "plan": plan_screen, "report": report_screen, "hold": hold_screen, "audit": audit_screen, "live": live_screen,
}  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", DRAWN)
def test_a_screen_is_as_it_was_looked_at(name: str, width: int, sized: Callable[[int, int], Terminal]) -> None:
    out = sized(width, 30)
    page = Page(out, simulated("four-nodes"))
    DRAWN[name](page)
    page.end()
    kept = SCREENS / f"{name}-{width}.txt"
    if os.environ.get("BLACKSTART_NEW_SCREENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(out.screen)
    assert out.screen == kept.read_text()
    lines = out.screen.splitlines()
    assert lines[0].startswith("SIMULATED") and "simulated" not in "".join(lines[2:-2]).lower()
    assert not [line for line in lines if line != line.rstrip() or cell_len(line) > width]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_name_no_path_and_no_address_is_cut(width: int, sized: Callable[[int, int], Terminal]) -> None:
    from engine.plan import Plan, Planned
    from engine.report import Report

    path = "https://factory.talos.dev/image/376567988ad3/v1.13.9/nocloud-amd64.qcow2"
    name = "helm.sync-release/observability/kube-prometheus-stack"
    made = Plan((line(name, Planned.REFUSED, f"no image at {path}", evidence=(path,)),))
    report = Report("apply", "run-1", (StepReport(StepId(name), "", Outcome.OK, path),), 1.0)
    for draw in (lambda page: page.show(plan_table(made)), lambda page: print_report(page, report, "dr.restore")):
        out = sized(width, 30)
        draw(Page(out))
        assert "…" not in out.screen
        whole = re.sub(r"\s+", "", out.screen)
        assert name in whole and path in whole
        pieces = {piece.strip() for piece in out.screen.split()}
        assert {"kube-prometheus-stack", "nocloud-amd64.qcow2"} <= {piece.rpartition("/")[2] for piece in pieces}


def test_a_pipe_gets_no_padding_and_folds_nothing() -> None:
    out = io.StringIO()
    for draw in (plan_screen, report_screen, hold_screen, audit_screen):
        draw(Page(out))
    lines = out.getvalue().splitlines()
    assert not [line for line in lines if line != line.rstrip()]
    assert any(line.endswith("127.10.0.11 is a Talos node of another cluster") for line in lines)


def test_a_low_terminal_shows_what_runs_instead_of_bars(sized: Callable[[int, int], Terminal]) -> None:
    page = Page(sized(80, 8))
    view = live_view(page, Clock())
    out = sized(80, 8)
    Page(out).console.print(view.block())
    assert "█" not in out.screen and "proxmox.create-vm/cp-2" in out.screen
    assert len(out.screen.splitlines()) <= 7


def test_signs_that_the_terminal_lacks_are_not_drawn(
    sized: Callable[[int, int], Terminal], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(sized(80, 30))
    monkeypatch.setattr(type(page.console), "encoding", "ascii")
    view = live_view(page, Clock())
    out = sized(80, 30)
    Page(out).console.print(view.block())
    assert out.screen.isascii() and "##" in out.screen


@pytest.mark.parametrize("term", [None, "", "dumb", "unknown"])
def test_a_terminal_that_nobody_names_is_not_drawn_on(
    sized: Callable[[int, int], Terminal], monkeypatch: pytest.MonkeyPatch, term: str | None
) -> None:
    """rich takes one without a name for one that can do everything."""
    terminal = sized(80, 24)
    monkeypatch.delenv("TERM") if term is None else monkeypatch.setenv("TERM", term)
    page = Page(terminal, simulated("lab"))
    assert not page.live
    report_screen(page)
    assert terminal.screen == terminal.getvalue() and "SIMULATED" in terminal.screen


def test_what_is_left_is_told_by_the_last_run_that_changed_most(tmp_path: Path) -> None:
    def ran(name: str, outcome: Outcome, seconds: float, interrupted: bool = False) -> None:
        steps = [{"id": step, "outcome": outcome.value, "started": n * seconds, "seconds": seconds} for n, step in enumerate(IDS)]
        folder = tmp_path / name
        folder.mkdir()
        ended = {"event": "RunEnded", "at": 0.0, "report": {"steps": steps, "interrupted": interrupted}}
        (folder / "events.jsonl").write_text('{"event": "RunStarted"}\n' + json.dumps(ended) + "\n")

    assert pace_of(tmp_path / "none", IDS) is None
    ran("20260101-000000-a", Outcome.CHANGED, 30.0)
    ran("20260102-000000-b", Outcome.OK, 0.1)
    ran("20260103-000000-c", Outcome.CHANGED, 3.0, interrupted=True)
    (tmp_path / "20260104-000000-d").mkdir()
    (tmp_path / "20260104-000000-d" / "events.jsonl").write_text('{"event": "RunStarted"}\n{"torn')
    pace = pace_of(tmp_path, IDS)
    assert pace is not None and pace.run == "20260101-000000-a"
    assert pace_of(tmp_path, map(StepId, ("quite.another",))) is None
    assert pace.left(IDS, {}, IDS) == 30.0 * len(IDS)
    assert pace.left(IDS[4:], {IDS[4]: 10.0}, IDS[4:]) == 30.0 * (len(IDS) - 4) - 10.0
    assert pace.left(IDS[4:], {IDS[4]: 999.0}, IDS[4:5]) == 0.0
    assert pace.left((), {}, ()) == 0.0


def test_a_guess_is_no_more_exact_than_it_is() -> None:
    told = [left_in_words(seconds) for seconds in (0.2, 2.0, 43.0, 100.0, 3000.0, 7200.0)]
    assert told == ["about done", "about 5 s left", "about 45 s left", "about 2 min left", "about 50 min left", "about 2.0 h left"]
