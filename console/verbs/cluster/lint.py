"""cluster.lint: what a rebuild needs that is only there while the cluster is, from settings and Git."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.lint.finding import Finding, Weight
from cluster.lint.given import Given
from cluster.lint.lint import RULES, lint
from cluster.lint.needs import needs_of
from cluster.lint.without import without
from console.ending import guarded
from console.opened.opening import open_session
from console.screens.lint import (
    accepted_lines,
    counted,
    finding_rows,
    need_rows,
    needs_table,
    show_findings,
    summary,
    without_rows,
    without_table,
)
from console.session import Session
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED, BlackstartError, SettingsInvalid
from engine.text.words import number
from house.loader import Part
from house.model import House
from house.repository.backups.left_out import left_out


@dataclass(frozen=True)
class Asked:
    """What Proxmox said of the VMs that NAS are: the host of each, or why it said nothing."""

    hosts: dict[str, str]
    silence: str = ""
    reached: bool = False


def lint_house(settings: str, json: bool, proxmox: bool) -> int:
    """Every rule over settings and Git; with `proxmox` that is asked where each NAS's VM is."""

    def body() -> int:
        try:
            session = open_session("cluster.lint", settings, json)
        except SettingsInvalid:
            if proxmox:
                raise
            session = open_session("cluster.lint", settings, json, Part.GIT)  # what Git alone tells needs no finished file
        return lint_of(session, proxmox=proxmox)

    return guarded("cluster.lint", json, body, settings)


def lint_of(session: Session, *, proxmox: bool = False) -> int:
    """The same, of a session that stands open: 3 for a paradox or a risk, 30 where something is not known, else 0."""
    house, page = session.house, session.page
    asked = _ask(session) if proxmox else Asked({})
    given = Given(house, session.clock.now(), asked.hosts)
    findings, needs = lint(given), needs_of(given) if not house.unfinished else ()
    table = without(given, needs) if not house.unfinished else ()
    unseen = _unseen(house)
    known = dict(house.lint_accepted)
    open_ = [one for one in findings if one.said_as not in known]
    show_findings(page, open_)
    for line in accepted_lines(findings, known):
        page.say(line)
    if findings or known:
        page.say()
    if not house.unfinished:
        page.show(needs_table(needs))
        page.say()
        page.show(without_table(table))
        page.say()
    for line in (*([asked.silence] if asked.silence else ()), *unseen):
        page.say(f"not looked at: {line}")
    page.say(summary(open_, len(RULES), proxmox=asked.reached))
    code = code_of(open_, blind=bool(asked.silence or unseen))
    outcome = {EXIT_OK: "done", EXIT_DRIFT: "found"}.get(code, "not all known")
    return session.finish(
        outcome, {weight.value: count for weight, count in counted(open_).items()}, code, findings=finding_rows(findings, known),
        needs=need_rows(needs), without=without_rows(table), rules={rule.name: rule.asks for rule in RULES}, not_looked_at=unseen,
        charts_not_rendered=house.data.charts, proxmox_silent=asked.silence or None,
    )  # fmt: skip


def code_of(findings: Sequence[Finding], *, blind: bool) -> int:
    """What the findings end with; `blind`: something was not looked at."""
    weights = {one.weight for one in findings}
    if weights & {Weight.PARADOX, Weight.RISK}:
        return EXIT_DRIFT
    return EXIT_STEP_FAILED if blind or Weight.UNKNOWN in weights else EXIT_OK


def _unseen(house: House) -> tuple[str, ...]:
    """Parts of Git that no rule has seen."""
    lines = (*_unfinished(house), *left_out((), (), house.not_followed))
    return (*lines, f"{number(len(house.unread), 'part')} of the repository could not be looked at") if house.unread else lines


def _unfinished(house: House) -> tuple[str, ...]:
    """What the settings do not say yet: without it nobody knows what a run needs, and what it works without."""
    if not house.unfinished:
        return ()
    what = f"{house.settings_file.name} is not finished ({', '.join(house.unfinished)})"
    return (f"{what}: rules that need these found nothing there, and what runs need is not told; what is left: config.check",)


def _ask(session: Session) -> Asked:
    """The host of each NAS that is a VM; a Proxmox that is not reached stops no lint."""
    virtual = {nas.vm: nas.name for nas in session.house.nas if nas.vm}
    try:
        with session.doors(None) as doors:
            found = {virtual[vm.vm_id]: vm.host for vm in doors.look.proxmox.vms() if vm.vm_id in virtual}
    except BlackstartError as error:
        return Asked({}, f"Proxmox was not reached ({error.what})")
    lost = sorted(set(virtual.values()) - set(found))
    return Asked(found, f"Proxmox has no VM of NAS {', '.join(lost)}" if lost else "", reached=True)
