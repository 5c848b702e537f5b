"""`cluster.lint` as a screen and as JSON: what was found, what each stage needs, which runs work without what. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.text import Text

from cluster.lint.finding import ORDER, Finding, Weight
from cluster.lint.needs import Means, Need
from cluster.lint.without import Run, Standing, Without
from console.views.page import Page
from console.views.rows import Row, Rows
from engine.secrets import told
from engine.text.words import number, some

_STYLES = {Weight.PARADOX: "bold red", Weight.RISK: "yellow", Weight.UNKNOWN: "magenta", Weight.NOTE: "dim"}
_STANDINGS = {Standing.WORKS: "green", Standing.PARTLY: "yellow", Standing.UNKNOWN: "magenta", Standing.NO: "bold red"}
_MANY = {Weight.PARADOX: "paradoxes", Weight.RISK: "risks", Weight.UNKNOWN: "unknown", Weight.NOTE: "notes"}
_INDENT = 9


def show_findings(page: Page, findings: Sequence[Finding]) -> None:
    """Each finding: what, where, why it bites when the house is dark, what to do, and the text for Git where there is one."""
    for one in findings:
        page.say(f"{one.weight.value:<{_INDENT}}{one.rule}: {told(one.what)}", _STYLES[one.weight], hang=_INDENT)
        for head, text in (("where", one.declared_in), ("why", one.why), ("do", one.todo)):
            if text:
                page.say(f"{' ' * _INDENT}{head}: {told(text)}", hang=_INDENT + len(head) + 2)
        for line in one.patch.splitlines():
            page.say(f"{' ' * _INDENT}  {line}", hang=_INDENT + 4)


def needs_table(needs: Sequence[Need]) -> Rows:
    """One row for each stage and each who provides something to it: what, and at which hosts."""
    found: dict[tuple[str, Means, str], dict[str, list[str]]] = {}
    for need in needs:
        hosts = found.setdefault((need.stage.value, need.means, need.of), {}).setdefault(_what(need), [])
        if need.host and need.host not in hosts:
            hosts.append(need.host)
    rows = []
    for (stage, means, of), each in found.items():
        style = "bold red" if means is Means.INSIDE else "magenta" if means is Means.UNTOLD else ""
        told = "; ".join(f"{what} ({some(hosts, 4)})" if hosts else what for what, hosts in each.items())
        rows.append(Row((Text(stage), Text(f"{means.value} ({of})" if of else means.value, style)), told))
    return Rows(rows, ("stage", "needs from", "what, and at which host"), name=1)


def without_table(rows: Sequence[Without]) -> Rows:
    """One row for each thing that may be lost, a cell for each run, and below it why."""
    found = []
    for name in dict.fromkeys(row.without for row in rows):
        ours = {row.run: row for row in rows if row.without == name}
        cells = (Text(name), *(Text(ours[run].standing.value, _STANDINGS[ours[run].standing]) for run in Run))
        whys: dict[str, list[str]] = {}
        for run in Run:
            if ours[run].why:
                whys.setdefault(told(ours[run].why), []).append(_word(run))
        found.append(Row(cells, "", tuple(Text(f"{', '.join(runs)}: {why}", "dim") for why, runs in whys.items())))
    return Rows(found, ("without", *map(_word, Run)))


def _word(run: Run) -> str:
    return run.value.partition(".")[2]


def summary(findings: Sequence[Finding], rules: int, *, proxmox: bool = False) -> str:
    """One sentence, and what was looked at."""
    counts = ", ".join(number(count, weight.value, _MANY[weight]) for weight, count in counted(findings).items() if count)
    return f"{number(rules, 'rule')}: {counts or 'nothing found'}. Looked at: settings, Git{', Proxmox' if proxmox else ''}."


def counted(findings: Sequence[Finding]) -> dict[Weight, int]:
    """How many of each weight, the heaviest first."""
    return {weight: sum(one.weight is weight for one in findings) for weight in reversed(ORDER)}


def beyond_lines(findings: Sequence[Finding]) -> list[str]:
    """What a hold cannot stop, for the page of what is held."""
    if not findings:
        return []
    lines = ["Not held, for it is done outside of the cluster, where no admission reaches:"]
    for one in findings:
        lines.append(f"  {told(one.what)} ({one.declared_in})")
        lines += [f"    {line}" for line in one.patch.splitlines()]
    return lines


def accepted_lines(findings: Sequence[Finding], known: Mapping[str, str]) -> list[str]:
    """What the settings accept, with their reason; what they accept and is not there (any more); how one is accepted."""
    found = {one.said_as: one for one in findings}
    lines = [f"accepted {key}: {told(known[key])}" for key in found if key in known]
    lines += [f"accepted {key}: and no rule finds it; take the line out of `lint.accepted`" for key in known if key not in found]
    left = next((one for one in findings if one.said_as not in known), None)
    if left is not None:
        key = json.dumps(left.said_as, ensure_ascii=False)
        lines += ["", "One that is meant so is accepted in the settings, and counts no more:", "  lint:", "    accepted:",
                  f"      {key}: REASON"]  # fmt: skip
    return lines


def finding_rows(findings: Sequence[Finding], known: Mapping[str, str] = MappingProxyType({})) -> list[dict[str, object]]:
    """The same for a program; `accepted` is the settings' reason for one that they accept."""
    return [
        {
            "rule": one.rule, "weight": one.weight.value, "subject": told(one.subject), "what": told(one.what),
            "declared_in": one.declared_in, "why": told(one.why), "todo": told(one.todo), "patch": one.patch or None,
            "beyond_admission": one.beyond_admission, "setting": one.said_as, "accepted": known.get(one.said_as),
        }
        for one in findings
    ]  # fmt: skip


def need_rows(needs: Sequence[Need]) -> list[dict[str, object]]:
    """Every need by itself, for a program."""
    return [
        {
            "stage": one.stage.value, "needs": one.what, "of": one.item or None, "from": one.means.value, "by": one.of or None,
            "at": one.host or None, "declared_in": one.declared_in,
        }
        for one in needs
    ]  # fmt: skip


def without_rows(rows: Sequence[Without]) -> list[dict[str, object]]:
    """Every run without each thing, for a program."""
    return [
        {"without": one.without, "run": one.run.value, "standing": one.standing.value, "why": told(one.why) or None} for one in rows
    ]


def _what(need: Need) -> str:
    """Keys of one Secret after another are one line."""
    key, found, _ = need.what.partition(" of Secret ")
    return f"{key} of Secrets put first" if found else need.what
