"""tools.*: check tells which programs were found and whether they fit, build makes those that are missing."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable

from console.jsonlines import JsonLines
from console.session import guarded
from engine.errors import EXIT_OK, EXIT_STEP_FAILED, PermanentError
from tools.build import build as build_programs
from tools.errors import ToolError
from tools.locate import Located, survey
from tools.manifest import Need


def check(json: bool) -> int:
    """0 when every program that is not optional fits, else 30."""

    def body() -> int:
        began = time.monotonic()
        rows = survey()
        lacking = [row for row in rows if not row.usable and row.program.need is not Need.OPTIONAL]
        if json:
            counts = Counter(row.finding.value for row in rows)
            result = {
                "verb": "tools.check", "outcome": "lacking" if lacking else "fits", "counts": dict(counts),
                "seconds": round(time.monotonic() - began, 3), "programs": [_row(row) for row in rows],
            }  # fmt: skip
            JsonLines(sys.stdout).write({"result": result})
        else:
            sys.stdout.writelines(_line(row) for row in rows)
            if lacking:
                sys.stdout.write(f"{len(lacking)} programs are lacking. Next: invoke tools.build\n")
        return EXIT_STEP_FAILED if lacking else EXIT_OK

    return guarded("tools.check", json, body)


def build(run: bool) -> int:
    """Build what is missing; `run`: only what a real run drives."""

    def body() -> int:
        return _ours(lambda: build_programs(Need.RUN if run else None))

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


def _row(row: Located) -> dict[str, object]:
    return {
        "name": row.program.name,
        "purpose": row.program.purpose,
        "need": row.program.need.value,
        "finding": row.finding.value,
        "version": str(row.version) if row.version else "",
        "wanted": str(row.program.fits),
        "path": str(row.path) if row.path else "",
        "why": row.why,
    }


def _line(row: Located) -> str:
    """One program as one line: terminals are narrower than paths are long."""
    version = str(row.version) if row.version else "-"
    where = f"{row.path}" if row.path else "-"
    wrong = f"  {row.why}" if row.why else ""
    return f"{row.program.name:24} {row.program.need.value:9} {row.finding.value:19} {version:9} {where}{wrong}\n"
