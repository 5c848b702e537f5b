"""tools.*: check tells which programs were found and whether they fit, build makes those that are missing."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.text import Text

from console.ending import guarded
from console.opened.chosen import named
from console.opened.programs import held_against, versions_of
from console.views.jsonlines import JsonLines
from console.views.page import Page
from console.views.rows import Row, Rows
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PermanentError, SettingsInvalid
from engine.text.words import number
from house.files.paths import expanded
from house.files.problems import nearest
from house.loader import SETTINGS_FILE, talconfig_named
from tools.build import build as build_programs
from tools.errors import ToolError
from tools.locate import Located, survey
from tools.manifest import Need, buildable
from tools.skew import HouseVersions, Skew


def check(settings: str, json: bool) -> int:
    """0 when every program that is not optional fits, and none contradicts the house's own versions, else 30.

    The house is that of the settings file that is named, or of ./blackstart.yaml if there is one.
    """

    def body() -> int:
        began = time.monotonic()
        house, told = _house(settings)
        rows = [(row, held_against(row, house)) for row in survey()]
        lacking = [row for row, _ in rows if not row.usable and row.program.need.always]
        wrong = [row for row, (skew, _) in rows if skew is Skew.DOES_NOT_FIT]
        outcome = "lacking" if lacking else "unfit" if wrong else "fits"
        code = EXIT_OK if outcome == "fits" else EXIT_STEP_FAILED
        if json:
            counts = Counter(row.finding.value for row, _ in rows)
            result = {
                "verb": "tools.check", "outcome": outcome, "counts": dict(counts),
                "seconds": round(time.monotonic() - began, 3), "exit_code": code,
                "house": told, "programs": [_row(row, skew) for row, skew in rows],
            }  # fmt: skip
            JsonLines(sys.stdout).last(result)
        else:
            page = Page(sys.stdout)
            page.show(_table(rows))
            page.say(f"\n{told}")
            if lacking:
                page.say(f"{number(len(lacking), 'program is', 'programs are')} lacking. Next: invoke tools.build")
            if wrong:
                names = ", ".join(row.program.name for row in wrong)
                page.say(f"Not for this house: {names}. Next: put a version that fits on PATH")
        return code

    return guarded("tools.check", json, body, settings)


def _house(settings: str) -> tuple[HouseVersions | None, str]:
    """The versions of the house, and a sentence about them. A settings file that was named must be readable."""
    settings = named(settings)
    file = expanded(Path(settings or SETTINGS_FILE))
    if not settings and not file.exists():
        return None, "Not held against a house: --settings or BLACKSTART_SETTINGS names one."
    try:
        talconfig = talconfig_named(file)
    except SettingsInvalid as error:
        if settings:
            raise
        return None, f"Not held against a house: {error.what}."
    versions = versions_of(talconfig.talos_version if talconfig else "", talconfig.kubernetes_version if talconfig else "")
    return versions, f"Held against {file}: Talos {versions.talos or 'unknown'}, Kubernetes {versions.kubernetes or 'unknown'}."


def build(run: bool, only: str) -> int:
    """Build what is missing; `run`: only what a real run drives; `only`: the program of that name, whoever needs it."""

    def body() -> int:
        if only and only not in buildable():
            right = nearest(only, list(buildable())) or f"one of {', '.join(buildable())}"
            raise SettingsInvalid(f"--only {only} is no program that is built here; right would be: {right}")
        return _ours(lambda: build_programs(only or (Need.RUN if run else None)))

    return guarded("tools.build", False, body)


def _ours(act: Callable[[], object]) -> int:
    """tools/ is of the standard library alone: its errors become ours here."""
    try:
        act()
    except ToolError as error:
        raise PermanentError(
            error.what, evidence=error.evidence, hint=error.hint, next_command=error.next_command
        ) from error
    return EXIT_OK


def _row(row: Located, skew: tuple[Skew, str]) -> dict[str, object]:
    return {
        "name": row.program.name,
        "purpose": row.program.purpose,
        "need": row.program.need.value,
        "finding": row.finding.value,
        "version": str(row.version) if row.version else "",
        "wanted": str(row.program.fits),
        "path": str(row.path) if row.path else "",
        "why": row.why,
        "house": skew[0].value,
        "house_why": skew[1],
    }


def _table(rows: Sequence[tuple[Located, tuple[Skew, str]]]) -> Rows:
    """One row a program: whether it fits, what it is for and where it lies; below it what the house says of it."""
    lines = []
    for row, (skew, why) in rows:
        told = ", ".join(filter(None, (row.program.need.value, str(row.path or ""), row.why)))
        odd = skew not in (Skew.FITS, Skew.NOT_CONCERNED)
        below = (Text(f"this house: {skew.value}: {why}", "yellow"),) if odd else ()
        cells = (row.finding.value, str(row.version or "-"), row.program.name)
        lines.append(Row(tuple(map(Text, cells)), told, below))
    return Rows(lines, name=2)
