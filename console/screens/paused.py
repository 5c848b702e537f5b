"""What is paused, as a table, as lines and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.text import Text

from cluster.backups.paused import PausedAudit
from console.views.rows import Row, Rows
from engine.text.lengths import span
from engine.text.words import number
from house.repository.backups.left_out import as_key


def paused_table(found: Sequence[PausedAudit]) -> Rows:
    """One row per claim or database that gets no new backup; those that the settings give a reason for come last."""
    rows = []
    for one in sorted(found, key=lambda one: not one.fault):
        told = one.paused.word
        word = Text(told, "bold red") if one.fault else Text(f"{told}, on purpose", "dim")
        cells = (word, Text(one.paused.key), Text(_age(one)), Text(one.paused.by))
        rows.append(Row(cells, one.paused.reason or one.paused.declared_in))
    return Rows(rows, ("backup", "name", "newest", "what makes none", "declared in, or why"), name=1)


def paused_lines(found: Sequence[PausedAudit]) -> list[str]:
    """What to do about those without a reason."""
    faults = [one for one in found if one.fault]
    if not faults:
        return []
    counts = Counter(one.paused.word for one in faults)
    count = ", ".join(f"{number(counts[word], 'backup')} {word}" for word in counts).replace("no schedule", "without a schedule")
    return [
        "",
        f"{count}: what is written from then on is in none. Mend it, or say why not in the settings:",
        "  backups:",
        "    unprotected:",
        *(f"      {as_key(one.paused.said_as)}: REASON" for one in faults),
    ]


def paused_rows(found: Sequence[PausedAudit]) -> list[dict[str, object]]:
    """The same for a program."""
    return [
        {
            "name": one.paused.key, "setting": one.paused.said_as, "word": one.paused.word,
            "by": one.paused.by, "newest_age_s": one.age, "declared_in": one.paused.declared_in,
            "reason": one.paused.reason,
        }
        for one in found
    ]  # fmt: skip


def _age(one: PausedAudit) -> str:
    return "unknown" if one.age is None else f"{span(one.age)} old"
