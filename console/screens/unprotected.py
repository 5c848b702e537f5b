"""What has no backup, as a table, as lines and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from cluster.backups.unprotected import DataAudit
from console.views.rows import Row, Rows
from engine.secrets import redact
from engine.words import number
from house.data.nouns import Unprotected
from house.repository.left_out import as_key, looked_into_by_setting


def unprotected_table(bare: Sequence[Unprotected]) -> Rows:
    """One row per holder of data without a backup; those that the settings give a reason for come last."""
    rows = []
    for one in sorted(bare, key=lambda one: bool(one.reason)):
        holder = one.holder
        word = Text("none, on purpose", "dim") if one.reason else Text("unprotected", "bold red")
        size = holder.size or "not told"
        told = f"{holder.instances} x {size}" if holder.instances > 1 else size
        cells = (word, Text(holder.key), Text(holder.keeps.value), Text(told), Text(holder.storage or "not told"))
        rows.append(Row(cells, one.reason or holder.declared_in))
    return Rows(rows, ("backup", "name", "what", "size", "storage", "declared in, or why not"), name=1)


def unprotected_lines(data: DataAudit) -> list[str]:
    """What to do about it, and what was not looked into."""
    lines = []
    if data.faults:
        lines += [
            "",
            f"{len(data.faults)} unprotected: what is lost of these is lost. Back them up, or say why not in the settings:",
            "  backups:",
            "    unprotected:",
            *(f"      {as_key(one.said_as)}: REASON" for one in data.faults),
        ]
    if data.not_asked and data.charts:
        charts = number(len(data.charts), "chart")
        lines += [
            "",
            f"not looked into: the claims of {charts}, for Git does not show them and no cluster was asked",
            f"  ({redact(data.not_asked)})",
            "Let it be asked, or look what each makes, and say so in the settings:",
            "  backups:",
            "    not_followed:",
            *(f"      {looked_into_by_setting(chart)}" for chart in data.charts),
        ]
    return lines


def unprotected_rows(data: DataAudit) -> list[dict[str, object]]:
    """The same for a program."""
    return [
        {
            "name": one.holder.key, "setting": one.said_as,
            "what": one.holder.keeps.value, "size": one.holder.size, "storage": one.holder.storage,
            "instances": one.holder.instances, "declared_in": one.holder.declared_in, "reason": one.reason,
        }
        for one in data.bare
    ]  # fmt: skip
