"""`cluster.storage` as a screen and as JSON: each system, what it says, since when, and what hangs on it. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cluster.storage.findings import Finding, Weight, moment
from cluster.storage.systems import StorageSeen, SystemSeen
from console.views.page import Page
from engine.secrets import told
from engine.text.words import number

_WORDS = {
    Weight.FINE: ("well", "green"), Weight.NOTED: ("told", "yellow"), Weight.UNKNOWN: ("unknown", "magenta"),
    Weight.BLOCKS: ("sick", "bold red"),
}  # fmt: skip
_HEADS = {Weight.FINE: 1, Weight.NOTED: 2, Weight.UNKNOWN: 3, Weight.BLOCKS: 4}
"""How many findings of a system are shown: the screen is for what is wrong, `--json` and cluster.verify tell all."""
_KEYS, _INDENT = 4, 9


def show_storage(page: Page, seen: StorageSeen) -> None:
    """Each system with the heaviest findings, what to do and what hangs on it; then what there is no system for."""
    for one in seen.systems:
        word, style = _WORDS[one.weight]
        since = "" if one.since is None else f", since {moment(one.since)}"
        page.say(f"{word:<{_INDENT}}{one.name}{since}", style, hang=_INDENT)
        for line in _below(one):
            page.say(f"{' ' * _INDENT}{line}", hang=_INDENT)
    for line in storage_lines(seen):
        page.say(line)
    page.say(f"\n{storage_summary(seen)}")


def storage_lines(seen: StorageSeen) -> list[str]:
    """What the table has no row for."""
    lines = [f"not looked at: {maker}, for {_names(claims)}" for maker, claims in seen.elsewhere.items()]
    if seen.unplaced:
        lines.append(f"which claim is on what is not known: {told(seen.unplaced)}")
    if seen.elsewhere:
        lines.append("What nobody looks at is no success: ask those yourself.")
    return lines if seen.systems or lines else ["no storage system of this house is known here"]


def storage_summary(seen: StorageSeen) -> str:
    """One sentence."""
    counts = {weight: sum(one.weight is weight for one in seen.systems) for weight in reversed(Weight)}
    words = ", ".join(f"{count} {_WORDS[weight][0]}" for weight, count in counts.items() if count)
    return f"{number(len(seen.systems), 'storage system')}{f': {words}' if words else ''}. Nothing was changed."


def storage_counts(seen: StorageSeen) -> dict[str, int]:
    """System counts by what they say."""
    return {word: sum(one.weight is weight for one in seen.systems) for weight, (word, _) in _WORDS.items()}


def storage_rows(seen: StorageSeen) -> list[dict[str, object]]:
    """The same for a program; `since` in epoch seconds, null where nothing says."""
    return [
        {
            "system": one.name, "says": _WORDS[one.weight][0], "since": one.since,
            "claims": one.hanging.claims, "backups": one.hanging.backups,
            "findings": [
                {"part": found.part, "weight": found.weight, "detail": told(found.detail), "code": found.code, "since": found.since,
                 "hint": told(found.hint), "command": found.command}
                for found in one.findings
            ],
        }
        for one in seen.systems
    ]  # fmt: skip


def _below(one: SystemSeen) -> Iterator[str]:
    heads = [found for found in one.findings if found.weight is one.weight]
    shown = _HEADS[one.weight]
    yield from (told(found.told) for found in heads[:shown])
    if len(heads) > shown and one.weight is not Weight.FINE:
        yield f"and {number(len(heads) - shown, 'more finding')} like it"
    if one.weight in (Weight.UNKNOWN, Weight.BLOCKS):
        yield from (f"Try: {told(hint)}" for hint in _hints(heads))
    hanging = (
        f"on it: {_names(one.hanging.claims)}" if one.hanging.claims else "",
        f"backups on it: of {_names(one.hanging.backups)}" if one.hanging.backups else "",
    )
    yield "; ".join(filter(None, hanging)) or "nothing that is known hangs on it"


def _hints(heads: Sequence[Finding]) -> list[str]:
    """What to do about the first of them that say so."""
    return list(dict.fromkeys(found.hint or found.command for found in heads if found.hint or found.command))[:2]


def _names(keys: Sequence[str]) -> str:
    more = len(keys) - _KEYS
    return ", ".join(keys[:_KEYS]) + (f" and {number(more, 'more claim')}" if more > 0 else "")
