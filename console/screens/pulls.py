"""What a run pulls, as a table by where it comes from and as rows of JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from cluster.lint.needs import Means, Stage
from cluster.lint.pulls import Pull
from console.views.rows import Row, Rows
from engine.secrets import told
from engine.text.words import number, some

_Group = tuple[Stage, str, Means, str, str]


def pull_table(pulls: Sequence[Pull]) -> Rows:
    """One row for each stage, server and way out: how many, how many of them by digest, and which go by a tag alone."""
    rows = []
    for (stage, host, means, by, served), group in _grouped(pulls).items():
        pinned = sum(bool(one.digest) for one in group)
        loose = sorted({one.what for one in group if not one.digest})
        below = (Text(told(f"by name alone: {some(loose, 2)}"), "dim"),) if loose else ()
        cells = (Text(stage.value), Text(told(host) or "none"), Text(number(len(group), "thing")), Text(f"{pinned} pinned"))
        rows.append(Row(cells, told(f"by {by}, of {means.value}; without it: {served}"), below))
    return Rows(rows)


def pull_lines(pulls: Sequence[Pull], unknown: int) -> Iterator[str]:
    """What a run without the internet would wait for, and what is not known."""
    far = [one for one in pulls if one.means in (Means.INTERNET, Means.UNTOLD)]
    yield f"{number(len(pulls), 'thing is', 'things are')} pulled, {len(far)} of them from the internet."
    if unknown:
        yield f"Of {number(unknown, 'chart')} only the images that their values name are known here: no chart is rendered."
    yield "The programs of a run and this checkout come from `make bundle`; `invoke dr.rehearse --bootstrap` asks registries."


def pull_rows(pulls: Sequence[Pull]) -> list[dict[str, object]]:
    """The same for a program, one by one; `digest` null where nothing pins it."""
    return [
        {
            "stage": one.stage, "what": told(one.what), "digest": one.digest or None, "by": one.by, "host": told(one.host),
            "from": one.means, "served_by": told(one.served),
        }
        for one in pulls
    ]  # fmt: skip


def _grouped(pulls: Sequence[Pull]) -> dict[_Group, list[Pull]]:
    found: dict[_Group, list[Pull]] = {}
    for one in pulls:
        found.setdefault((one.stage, one.host, one.means, one.by, one.served), []).append(one)
    return found
