"""What a repository declares and nobody looks at, counted: the same lines wherever backups are told of. Knows no verb."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from engine.text.words import number
from house.flux.rendered import NotFollowed
from house.model import UnsupportedBackup

_NAMED = 3


def left_out(
    unsupported: tuple[UnsupportedBackup, ...],
    second: tuple[UnsupportedBackup, ...],
    not_followed: tuple[NotFollowed, ...],
    charts: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """One line for each kind, with its count; none when everything is looked at. `charts` as in DeclaredData."""
    lines = [_backups(count, engine) for engine, count in sorted(Counter(one.engine for one in unsupported).items())]
    if second:
        lines.append(f"{number(len(second), 'second backup')} of audited claims not audited (restic)")
    makers = [one.subject for one in not_followed if one.makes_backups]
    others = [one.subject for one in not_followed if not one.makes_backups]
    if makers:
        lines.append(f"{number(len(makers), 'maker')} of backups not followed ({_named(makers)})")
    if others:
        lines.append(f"{number(len(others), 'part')} of the repository not followed ({_named(others)})")
    if charts:
        lines.append(f"claims of {number(len(charts), 'chart')} not looked into ({_named(charts)})")
    return tuple(lines)


def said_by_setting(one: NotFollowed) -> str:
    """The line under `backups.not_followed` with which a person says that it holds no backup, REASON to be filled in; "" for what
    is seen to make backups, which no word of a person makes safe."""
    return "" if one.makes_backups else f"{json.dumps(one.subject, ensure_ascii=False)}: REASON"


def looked_into_by_setting(chart: str) -> str:
    """The line under `backups.not_followed` with which a person says that a chart (`namespace/name` of its HelmRelease) makes no
    claim that lacks a backup, REASON to be filled in."""
    return f"{json.dumps(chart_subject(chart), ensure_ascii=False)}: REASON"


def as_key(name: str) -> str:
    """A name as it stands in the settings as a key: in quotes where it has a space."""
    return json.dumps(name, ensure_ascii=False) if " " in name else name


def chart_subject(chart: str) -> str:
    """What a HelmRelease is called under `backups.not_followed`."""
    return f"HelmRelease {chart}"


def _backups(count: int, engine: str) -> str:
    return f"{number(count, 'backup')} not audited ({engine})"


def _named(subjects: Sequence[str]) -> str:
    more = f", and {len(subjects) - _NAMED} more" if len(subjects) > _NAMED else ""
    return ", ".join(subjects[:_NAMED]) + more
