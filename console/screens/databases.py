"""Archives of databases, as a table, as lines and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from cluster.databases import ArchiveAudit
from console.views.rows import Row, Rows
from engine.secrets import redact
from engine.text.lengths import duration, span


def archive_table(audits: Sequence[ArchiveAudit]) -> Rows:
    """One row per database that archives."""
    rows = []
    for one in audits:
        look = one.look
        told = (
            str(look.bases), look.base or "none", _age(one.base_age), _limit(one.archive.max_age),
            look.segment or "none", _age(one.log_age), _limit(one.archive.max_log_age),
        )  # fmt: skip
        verdict = Text(one.verdict.value, "green" if one.good else "bold red")
        rows.append(Row((verdict, Text(one.archive.key), *map(Text, told))))
    headers = ("archive", "database", "base backups", "newest base", "its age", "limit", "newest log", "its age", "limit")
    return Rows(rows, headers, name=1, right=frozenset({2}))


def archive_lines(audits: Sequence[ArchiveAudit]) -> list[str]:
    """What is wrong with each, and what usually helps; a remark of one that is good."""
    lines = []
    for one in audits:
        if not one.good:
            told = redact(one.detail) or "nothing more is known"
            lines += ["", f"{one.verdict.value}: archive of {one.archive.key}: {told}"]
            lines += [f"  {one.archive.place}"] if one.archive.place else []
            lines.append(f"  {one.hint}")
        elif one.detail:
            lines += ["", f"archive of {one.archive.key} is ok, and {redact(one.detail)}"]
    return lines


def archive_rows(audits: Sequence[ArchiveAudit]) -> list[dict[str, object]]:
    """The same for a program."""
    return [
        {
            "database": one.archive.key, "verdict": one.verdict.value, "place": one.archive.place,
            "detail": redact(one.detail), "base_backups": one.look.bases, "base": one.look.base, "base_age_s": one.base_age,
            "max_base_age_s": one.archive.max_age or None, "segment": one.look.segment, "segment_age_s": one.log_age,
            "max_segment_age_s": one.archive.max_log_age or None,
        }
        for one in audits
    ]  # fmt: skip


def _age(seconds: float | None) -> str:
    return "unknown" if seconds is None else span(seconds)


def _limit(seconds: float) -> str:
    return duration(seconds) if seconds else "any"
