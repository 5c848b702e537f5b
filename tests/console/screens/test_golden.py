"""What a person and a program see, letter by letter: plan, report, problem, events, runbook. A change here is meant, or a bug."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from adapters.context import ActContext, LookContext
from cluster.course import Course
from console.screens.runbook import write_runbook
from console.screens.tables import audit_table, hold_table, plan_summary, plan_table, print_report
from console.views.jsonlines import JsonLines, plain
from console.views.page import Page, simulated
from console.views.plain import PlainLines
from console.views.problem import SHOWN, problem_lines
from engine import events
from engine.approval import ApprovedAct
from engine.errors import ApprovalMissing, CouldNotLook, PermanentError
from engine.plan import Plan, PlanLine, Planned
from engine.probe import Condition, Probe, satisfied
from engine.report import Outcome, Report, StepReport
from engine.secrets import Secret
from engine.step import BaseCheck, BaseStep, Hazard, Notes, StepId
from tests.builders import a_house


def line(name: str, verdict: Planned, detail: str = "", **more: object) -> PlanLine:
    """One line of a plan."""
    return PlanLine(StepId(name), name.partition("/")[2], verdict, detail, **more)  # type: ignore[arg-type]  # fields by name


PLAN = Plan((
    line("preflight.quorum", Planned.NOOP, "quorate, 4 hosts online"),
    line("preflight.keys", Planned.REFUSED, "the age key cannot be used", evidence=("age1 is named",)),
    line("preflight.backup/apps/notes", Planned.WARNING, "missing: nothing is at this address", evidence=("s3:https://x/y",)),
    line("proxmox.create-vm/cp-1", Planned.CREATE, "no VM 8001", inputs="8001"),
    line("talos.apply-config/cp-2", Planned.UPDATE, "cp-2 runs another machineconfig", evidence=("machineconfig",),
         hazard=Hazard.DISRUPTS, act=ApprovedAct(StepId("talos.apply-config/cp-2"), "disrupts", "c0ffee", "cp-2 may restart")),
    line("proxmox.create-vm/cp-3", Planned.WAIT, "VM 8003 is locked: backup"),
    line("talos.apply-config/cp-3", Planned.UNKNOWN, "no Talos API answers", evidence=("127.10.0.13",)),
    line("talos.bootstrap-etcd", Planned.KNOWN_AFTER,
         after=(StepId("talos.apply-config/cp-2"), StepId("talos.apply-config/cp-3"))),
))  # fmt: skip


def row(name: str, outcome: Outcome, detail: str = "", **more: object) -> StepReport:
    """One line of a report."""
    return StepReport(StepId(name), f"title of {name}", outcome, detail, **more)  # type: ignore[arg-type]  # fields by name


ERROR = PermanentError(
    "127.10.0.11 is a Talos node of another cluster",
    evidence=("its certificate is signed by a CA that is not in our secrets bundle",),
    hint="find out whose machine this is",
    next_command="invoke cluster.plan",
)
REPORT = Report(
    "apply", "run-1",
    (
        row("preflight.quorum", Outcome.OK, "quorate", seconds=0.12),
        row("preflight.backup/apps/notes", Outcome.FAILED, "expired", seconds=1.0, advisory=True,
            error=PermanentError("expired: older than 600 s")),
        row("proxmox.create-vm/cp-1", Outcome.CHANGED, "VM 8001 is ours", seconds=8.04, tries=1, resumed=True),
        row("talos.apply-config/cp-1", Outcome.FAILED, ERROR.what, seconds=2.5, error=ERROR),
        row("talos.bootstrap-etcd", Outcome.BLOCKED, blocked_by=(StepId("talos.apply-config/cp-1"),)),
        row("kubernetes.api-servers", Outcome.BLOCKED, blocked_by=(StepId("talos.apply-config/cp-1"),)),
        row("hold.claims", Outcome.HELD, "1 held", seconds=0.0),
        row("flux.reconcile", Outcome.INTERRUPTED, "never started"),
    ),
    12.34,
)  # fmt: skip
STEP = StepId("proxmox.create-vm/cp-1")
EVENTS: tuple[events.Event, ...] = (
    events.RunStarted(100.0, "run-2", (STEP,), 17),
    events.OpenBegin(100.0, STEP, "run-1", 5.0, gone=False, inputs_changed=True),
    events.LeftoverEnded(100.1, "helmfile (pid 4711)"),
    events.StepStarted(100.2, STEP, "VM 8001", is_check=False),
    events.StepSeen(100.3, STEP, Condition.MISSING, "no VM 8001", ()),
    events.StepBegun(100.4, STEP, Hazard.NONE, 1),
    events.StepNoted(100.5, STEP, "task", "UPID:pve-1:1"),
    events.StepNoted(100.6, STEP, "warning", "iothread is ignored"),
    events.StepRetrying(101.0, STEP, 1, "server error"),
    events.StepBegun(101.5, STEP, Hazard.NONE, 2),
    events.StepWaiting(101.6, STEP, "the Proxmox task", 900.0),
    events.StepEnded(110.0, row(STEP, Outcome.CHANGED, "VM 8001 is ours", seconds=9.8)),
    events.Stopping(111.0, 1, "SIGINT"),
    events.BugFound(112.0, STEP, "KeyError", "/state/runs/run-2/bug.log"),
)


def shown(show: Callable[[Page], object]) -> str:
    """What is printed on a pipe, letter by letter."""
    out = io.StringIO()
    show(Page(out))
    return out.getvalue().removesuffix("\n")


# --- tests


PLAN_TEXT = """\
=  noop         preflight.quorum             quorate, 4 hosts online
✗  refused      preflight.keys               the age key cannot be used
                                               age1 is named
!  warning      preflight.backup/apps/notes  missing: nothing is at this address
                                               s3:https://x/y
+  create       proxmox.create-vm/cp-1       no VM 8001
~  update       talos.apply-config/cp-2      cp-2 runs another machineconfig  [disrupts: cp-2 may restart]
…  wait         proxmox.create-vm/cp-3       VM 8003 is locked: backup
?  unknown      talos.apply-config/cp-3      no Talos API answers
                                               127.10.0.13
·  known after  talos.bootstrap-etcd         known after talos.apply-config/cp-2 and 1 more"""

SUMMARY = (
    "1 noop, 1 create, 1 update, 1 wait, 1 unknown, 1 known after, 1 refused, 1 warning."
    f" Plan {PLAN.digest}. 1 act needs your consent: --approve {PLAN.digest}"
)

REPORT_TEXT = """\
outcome      seconds  step                         what was seen
ok               0.1  preflight.quorum             quorate
warning          1.0  preflight.backup/apps/notes  expired
changed          8.0  proxmox.create-vm/cp-1       VM 8001 is ours (resumed)
failed           2.5  talos.apply-config/cp-1      127.10.0.11 is a Talos node of another cluster
held             0.0  hold.claims                  1 held
interrupted      0.0  flux.reconcile               never started
blocked               2 steps                      not begun, because of talos.apply-config/cp-1

what      127.10.0.11 is a Talos node of another cluster
while     talos.apply-config/cp-1: title of talos.apply-config/cp-1
evidence  its certificate is signed by a CA that is not in our secrets bundle
hint      find out whose machine this is
next      invoke cluster.plan

what      expired: older than 600 s
while     preflight.backup/apps/notes: title of preflight.backup/apps/notes

cluster.bootstrap: 1 ok, 1 changed, 1 held, 1 failed, 2 blocked, 1 interrupted, 1 warning in 12.3 s"""

PROBLEM_TEXT = """\
what      127.10.0.11 is a Talos node of another cluster
while     talos.apply-config/cp-1: cp-1 configured
evidence  its certificate is signed by a CA that is not in our secrets bundle
hint      find out whose machine this is
next      invoke cluster.plan"""

PLAIN_TEXT = """\
[simulated]     0.0s  run run-2: 1 check or step; 17 bytes of a torn last line were cut from the journal
[simulated]     0.0s  resume    proxmox.create-vm/cp-1  begun by run run-1, not ended; looking at the world: it would now do something else
[simulated]     0.1s  ended a program of a dead run: helmfile (pid 4711)
[simulated]     0.4s  begin     proxmox.create-vm/cp-1
[simulated]     0.6s  warning   proxmox.create-vm/cp-1  iothread is ignored
[simulated]     1.0s  again     proxmox.create-vm/cp-1  server error
[simulated]     1.5s  begin     proxmox.create-vm/cp-1  (try 2)
[simulated]     1.6s  wait      proxmox.create-vm/cp-1  the Proxmox task, at most 900 s
[simulated]    10.0s  changed   proxmox.create-vm/cp-1  VM 8001 is ours  (9.8 s)
[simulated]    11.0s  stopping: SIGINT; running calls get their grace
[simulated]    12.0s  a bug of Blackstart's in proxmox.create-vm/cp-1: KeyError; its traceback is in /state/runs/run-2/bug.log
"""  # noqa: E501 - as it is printed


def test_the_table_of_a_plan() -> None:
    assert shown(lambda page: page.show(plan_table(PLAN))) == PLAN_TEXT
    assert plan_summary(PLAN) == SUMMARY


def test_the_lines_of_a_plan_as_json() -> None:
    (update,) = [line for line in PLAN.lines if line.verdict is Planned.UPDATE]
    assert plain(update) == {
        "id": "talos.apply-config/cp-2", "title": "cp-2", "verdict": "update", "detail": "cp-2 runs another machineconfig",
        "evidence": ["machineconfig"], "after": [], "hazard": "disrupts", "inputs": "", "held": False, "hint": "",
        "act": {"step": "talos.apply-config/cp-2", "hazard": "disrupts", "identity": "c0ffee", "words": "cp-2 may restart"},
    }  # fmt: skip


def test_the_table_of_a_report() -> None:
    assert shown(lambda page: print_report(page, REPORT, "cluster.bootstrap")) == REPORT_TEXT


def test_a_problem_in_five_lines() -> None:
    assert "\n".join(problem_lines(ERROR, "talos.apply-config/cp-1: cp-1 configured")) == PROBLEM_TEXT
    assert problem_lines(CouldNotLook("could not look")) == ["what      could not look"]
    many = problem_lines(PermanentError("x", evidence=("", *(f"line {n}" for n in range(SHOWN + 3)))))
    assert many[1].splitlines()[-1].strip() == "and 3 more"
    assert "line 0" in many[1].splitlines()[0]


def test_a_problem_as_json() -> None:
    error = ApprovalMissing("this act needs an approval", hint="plan again")
    assert plain(error) == {
        "kind": "ApprovalMissing", "what": "this act needs an approval", "evidence": [], "hint": "plan again", "next": "",
        "exit_code": 21,
    }  # fmt: skip


def test_events_as_plain_lines() -> None:
    out = io.StringIO()
    view = PlainLines(Page(out, simulated("four-nodes")).out)
    for event in EVENTS:
        view(event)
    assert out.getvalue() == PLAIN_TEXT


def test_events_as_json_lines() -> None:
    out = io.StringIO()
    view = JsonLines(out)
    for event in EVENTS:
        view(event)
    lines = [json.loads(text) for text in out.getvalue().splitlines()]
    assert [text["event"] for text in lines] == [type(event).__name__ for event in EVENTS]
    assert lines[1] == {
        "event": "OpenBegin", "at": 100.0, "step": "proxmox.create-vm/cp-1", "run": "run-1", "began": 5.0, "gone": False,
        "inputs_changed": True,
    }  # fmt: skip
    assert lines[11]["report"]["outcome"] == "changed"


def test_a_secret_is_never_shown_in_any_form() -> None:
    secret = Secret("correct-horse-battery-staple")
    out = io.StringIO()
    JsonLines(out).write({"value": secret, "text": "it was correct-horse-battery-staple"})
    assert "correct" not in out.getvalue()
    assert json.loads(out.getvalue())["value"] == "•••"


def test_a_secret_of_digits_does_not_break_a_line_with_numbers() -> None:
    Secret("31415926")
    out = io.StringIO()
    JsonLines(out).write({"seconds": 0.31415926, "text": "31415926", "31415926": [31415926]})
    assert json.loads(out.getvalue()) == {"seconds": 0.31415926, "text": "•••", "•••": [31415926]}


@dataclass(frozen=True)
class Look(BaseCheck):
    """A check of the runbook's test."""

    id = StepId("preflight.door")
    title = "the door is open"

    def probe(self, look: LookContext) -> Probe:
        return satisfied("")


@dataclass(frozen=True)
class Act(BaseStep):
    """A step of the runbook's test."""

    id = StepId("house.light")
    title = "light is on"
    system = "house"
    needs = ("preflight.door",)

    def probe(self, look: LookContext) -> Probe:
        return satisfied("")

    def apply(self, act: ActContext, seen: Probe, notes: Notes) -> None:
        """Nothing."""

    def by_hand(self) -> str:
        return "press switch https://user:hunter2@door/"


RUNBOOK = """\
## The cluster

1. **preflight.door** make sure: the door is open

2. **house.light** light is on

    ```sh
    press switch https://•••@door/
    ```
"""


def test_a_runbook(tmp_path: Path) -> None:
    written = write_runbook(tmp_path / "runbook.md", a_house(), Course((Look(),), (Act(),)))
    text = (tmp_path / "runbook.md").read_text()
    assert text.startswith("# Runbook of four-nodes (simulated house)\n")
    assert text.endswith(RUNBOOK)
    assert [path.name for path in written] == ["runbook.md", "hold-policies.json"]


def test_the_tables_of_audits_and_holds_say_unknown_and_none_where_nothing_is_known() -> None:
    from adapters.backups.results import Verdict as Found
    from adapters.hold.results import HeldClaim, HoldRecord, HoldState
    from cluster.backups.audit import ClaimAudit

    claim = a_house().claims[0]
    unreachable = ClaimAudit(claim, Found.UNREACHABLE, "", None, None, (), "no answer")
    audit = shown(lambda page: page.show(audit_table([unreachable])))
    assert audit.splitlines()[1].split() == [
        "unreachable", "apps/notes", "unknown", "unknown", "unknown", "unknown", "unknown", "unknown",
    ]  # fmt: skip
    held = HeldClaim("apps", "notes", HoldState.HELD, "notes-bootstrap", "notes", since=1000.0)
    table = shown(lambda page: page.show(hold_table(HoldRecord(True, (held,)), now=8200.0)))
    assert table.splitlines()[1].split() == ["held", "apps/notes", "2.0", "h", "not", "chosen", "yet", "none"]
