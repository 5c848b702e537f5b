"""The pages of an evidence document: one self-contained HTML file and the same as Markdown. Asks no network; decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from console.kit.nouns import FromKit
from console.report.document import moment
from console.report.signing import NAMESPACE
from console.report.timeline import timeline
from engine.text.lengths import duration
from rehearsal.egress import told
from rehearsal.outcome import egress_from

TONES = {
    "ok": "", "changed": "good", "held": "mixed", "failed": "bad", "warning": "mixed", "blocked": "mixed", "interrupted": "mixed",
    "PASS": "good", "FAIL": "bad", "UNVERIFIED": "mixed",
}  # fmt: skip
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~])")


def html(evidence: Mapping[str, Any]) -> str:
    """The page; it holds no script and names no other file."""
    return _rendered("page.html.j2", evidence)


def markdown(evidence: Mapping[str, Any]) -> str:
    """The same for a terminal, a chat or a repository."""
    return _rendered("page.md.j2", evidence)


def _rendered(name: str, evidence: Mapping[str, Any]) -> str:
    told = _templates().get_template(name).render(
        e=evidence, picture=timeline(evidence), drill=evidence["drill"], tones=TONES, namespace=NAMESPACE,
        problems=[step for step in evidence["steps"] if step["outcome"] in ("failed", "warning")],
        unseen=unseen(evidence),
    )  # fmt: skip
    return told if name.endswith(".html.j2") else re.sub(r"\n{3,}", "\n\n", told).lstrip("\n")


@cache
def _templates() -> Environment:
    """Once for all pages: to compile a template takes longer than to fill it."""
    files = FileSystemLoader(Path(__file__).parent)
    made = Environment(
        loader=files, autoescape=select_autoescape(("html.j2",)), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    made.filters |= {
        "duration": duration, "md": in_markdown, "size": size, "moment": told_moment, "egress": egress, "kit": kit,
    }  # fmt: skip
    return made


def unseen(evidence: Mapping[str, Any]) -> list[str]:
    """What this run and its drill have not looked at."""
    drill = evidence["drill"] or {}
    return [*map(str, drill.get("not_looked_at", ())), *evidence["not_looked_at"]]


def told_moment(at: float | None) -> str:
    """Seconds since the epoch as a moment; "unknown" for None."""
    return "unknown" if at is None else moment(at)


def egress(body: Mapping[str, Any] | None) -> str:
    """What was fetched out of the stores, and at which price."""
    return told(egress_from(body))


def kit(body: Mapping[str, Any]) -> str:
    """The kit that a run worked from."""
    return FromKit(**body).told


def in_markdown(text: object) -> str:
    """A text as Markdown shows it letter by letter, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def size(count: float | None) -> str:
    """Bytes for a person; "unknown" for None."""
    if count is None:
        return "unknown"
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
