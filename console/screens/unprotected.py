"""What has no backup, as a table, as lines and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.text import Text

from cluster.backups.unprotected import DataAudit
from console.views.rows import Row, Rows
from engine.secrets import redact
from engine.text.words import number
from house.data.nouns import Holder, Unprotected
from house.flux.rendered import NotFollowed
from house.repository.backups.left_out import as_key, looked_into_by_setting, said_by_setting


def unprotected_table(bare: Sequence[Unprotected], others: Callable[[Holder], bool]) -> Rows:
    """One row per holder of data without a backup; those that the settings give a reason for come last. `others`: whether a backup
    that nobody looked at may hold it."""
    rows = []
    for one in sorted(bare, key=lambda one: bool(one.reason)):
        holder = one.holder
        word = _word(one, others(one.holder))
        size = holder.size or "not told"
        told = f"{holder.instances} x {size}" if holder.instances > 1 else size
        cells = (word, Text(holder.key), Text(holder.keeps.value), Text(told), Text(holder.storage or "not told"))
        rows.append(Row(cells, one.reason or holder.declared_in))
    return Rows(rows, ("backup", "name", "what", "size", "storage", "declared in, or why not"), name=1)


def _word(one: Unprotected, others: bool) -> Text:
    if one.reason:
        return Text("none, on purpose", "dim")
    return Text("none is seen", "red") if others else Text("unprotected", "bold red")


def unprotected_lines(data: DataAudit, others: Callable[[Holder], bool]) -> list[str]:
    """What to do about it, and what was not looked into; `others` as in unprotected_table."""
    maybe = sum(others(one.holder) for one in data.faults)
    lost = f"{len(data.faults) - maybe} unprotected: what is lost of these is lost"
    unless = "unless one that is told above and that nobody looked at has it"
    seen = f"{maybe} without a backup that is seen: lost, {unless}"
    lost = seen if maybe == len(data.faults) else f"{lost}. {seen}" if maybe else lost
    lines = []
    if data.faults:
        lines += [
            "",
            f"{lost}. Back them up, or say why not in the settings:",
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


def not_followed_lines(parts: Sequence[NotFollowed]) -> list[str]:
    """What of the repository nobody looks at, and the lines with which a person says that there is no backup in it."""
    lines = [f"not followed: {one.subject} ({one.why}, {one.declared_in})" for one in parts]
    accepted = [said for one in parts if (said := said_by_setting(one))]
    if accepted:
        lines += ["where a person finds no backup in one of them, the settings say so:", "  backups:", "    not_followed:"]
    return lines + [f"      {said}" for said in accepted]


def notes_beside(notes: Sequence[str], parts: Sequence[NotFollowed]) -> list[str]:
    """The notes that tell anything else than that these parts are not followed."""
    told = {str(one.note) for one in parts}
    return [note for note in notes if note not in told]


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
