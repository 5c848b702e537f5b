"""Finds programs: first those built in the checkout, then PATH where the version fits. Knows not how to build them.

A program that is missing, does not fit, or does not tell its version are three different answers.
"""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tools.errors import ProgramMissing
from tools.manifest import PROGRAMS, Need, Program, named
from tools.places import Places, is_current, read_stamp
from tools.versions import Version, parse

# A wrapper on PATH (mise, asdf) may first fetch what it wraps; longer than this is not an answer.
_ASK_TIMEOUT_S = 20.0
# Without it helmfile asks the internet for its newest version before it prints its own.
_QUIET = {"HELMFILE_UPGRADE_NOTICE_DISABLED": "1"}


class Finding(Enum):
    """What came of looking for one program."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNREADABLE = "version unreadable"
    MISSING = "missing"


class Place(Enum):
    """Where a program was found."""

    CHECKOUT = ".tools/bin"
    PATH = "PATH"


@dataclass(frozen=True)
class Located:
    """One program and what was found: `path`, `place` and `version` are None where there is nothing to tell; `why` is a
    sentence for people; `current` is False for a program of ours that was built from an older recipe than the checkout's.
    """

    program: Program
    finding: Finding
    path: Path | None = None
    place: Place | None = None
    version: Version | None = None
    why: str = ""
    current: bool = True

    @property
    def usable(self) -> bool:
        """True when a run or the lab can use it."""
        return self.finding is Finding.FITS


def look(program: Program, *, places: Places | None = None, path: str | None = None) -> Located:
    """Look for one program; `path` stands for the environment's PATH when None.

    The checkout's own is taken whenever it is there and fits, else the first on PATH that fits, else the first found.
    """
    best: Located | None = None
    for place, candidate in _candidates(program, places or Places(), path):
        located = _judge(program, place, candidate, places or Places())
        if located.usable:
            return located
        best = best or located
    if best is not None:
        return best
    why = "it is neither in .tools/bin nor on PATH" if program.source else "it is not on PATH"
    return Located(program, Finding.MISSING, why=why)


def survey(*, places: Places | None = None, path: str | None = None) -> list[Located]:
    """Look for every program of the manifest, in its order."""
    return [look(program, places=places, path=path) for program in PROGRAMS]


def need(name: str, *, places: Places | None = None, path: str | None = None) -> Path:
    """The path of a program that fits; raises ProgramMissing, which says in one sentence what is wrong and what to type."""
    program = named(name)
    located = look(program, places=places, path=path)
    if located.usable and located.path is not None:
        return located.path
    if program.source is None:
        raise ProgramMissing(
            f"{name} ({program.purpose}) can't be used: {located.why}.",
            hint=f"install it: any version {program.fits} fits",
            next_command="invoke tools.check",
        )
    build = {Need.RUN: "invoke tools.build --run", Need.ASKED: f"invoke tools.build --only {name}"}.get(
        program.need, "invoke tools.build"
    )
    raise ProgramMissing(
        f"{name} ({program.purpose}) can't be used: {located.why}; `{build}` builds it.",
        hint=f"any version {program.fits} on PATH is used instead",
        next_command=build,
    )


def _candidates(program: Program, places: Places, path: str | None) -> list[tuple[Place, Path]]:
    ours = places.program(program.name)
    found = [(Place.CHECKOUT, ours)] if program.source is not None and _runnable(ours) else []
    for folder in (os.environ.get("PATH", "") if path is None else path).split(os.pathsep):
        candidate = Path(folder) / program.name
        if folder and _runnable(candidate) and not _same(candidate, ours):
            found.append((Place.PATH, candidate))
    return found


def _runnable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _judge(program: Program, place: Place, path: Path, places: Places) -> Located:
    current = True
    stamp = read_stamp(places, program.name) if place is Place.CHECKOUT else None
    if stamp is not None:
        version, trouble = parse(stamp.version), "its stamp names no version"
    else:
        version, trouble = _version_of(program, path)
    if place is Place.CHECKOUT and program.source is not None:
        current = is_current(places, program.name, program.source)
    if version is None:
        why = f"{path} does not tell its version: {trouble}"
        return Located(program, Finding.UNREADABLE, path, place, None, why, current)
    if version not in program.fits:
        reason = f" ({program.fits.because})" if program.fits.because else ""
        why = f"{path} is {version}, needed is {program.fits}{reason}"
        return Located(program, Finding.DOES_NOT_FIT, path, place, version, why, current)
    why = "" if current else "built from another recipe than this checkout's: `invoke tools.build` builds it again"
    return Located(program, Finding.FITS, path, place, version, why, current)


def _version_of(program: Program, path: Path) -> tuple[Version | None, str]:
    """The version a program tells, or None and what went wrong."""
    if not program.ask:
        return _version_in_file(program, path)
    try:
        answer = subprocess.run(
            [str(path), *program.ask],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_ASK_TIMEOUT_S,
            env={**os.environ, **_QUIET},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None, f"no answer within {_ASK_TIMEOUT_S:.0f} s"
    except OSError as error:
        return None, f"it does not start ({error.strerror})"
    # Some print the path they were called by, and folders have numbers too.
    text = answer.stdout.decode(errors="replace").replace(str(path), program.name).strip()
    version = parse(text) if answer.returncode == 0 else None
    if version is None:
        return None, f"exit code {answer.returncode}, it said {text[:120]!r}"
    return version, ""


def _version_in_file(program: Program, path: Path) -> tuple[Version | None, str]:
    """The version of the main module in the build information which Go links into every program.

    The text is plain inside the file since Go 1.18 (`mod<TAB>path<TAB>version<TAB>sum`), so it is read without Go.
    """
    if program.source is None:
        return None, "nothing is known of how it was built"
    mark = f"\nmod\t{program.source.module}\t".encode()
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            at = content.find(mark)
            told = content[at + len(mark) : at + len(mark) + 60] if at >= 0 else b""
    except (OSError, ValueError) as error:  # ValueError: an empty file can't be mapped
        return None, f"it can't be read ({error})"
    version = parse(told.split(b"\t")[0].split(b"\n")[0].decode(errors="replace"))
    return version, "" if version else "no version in its build information"


def main() -> int:
    """Print what was found; 0 when all that can be built is there and fits, else 1."""
    rows = survey()
    for row in rows:
        where = str(row.path) if row.path else "-"
        print(f"{row.program.name:24} {row.finding.value:18} {row.version or '-'!s:9} {where}  {row.why}")
    return 0 if all(row.usable for row in rows if row.program.need.always) else 1


if __name__ == "__main__":
    sys.exit(main())
