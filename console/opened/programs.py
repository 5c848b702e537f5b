"""Whether the programs that a run drives fit, themselves and with the house's own versions. Knows no verb and starts no run."""

from __future__ import annotations

import os
import shutil

from engine.errors import CouldNotLook, PreflightRefused
from house.model import House
from talos.versions import fit
from tools.golang import OLDEST_GO
from tools.locate import Located, look
from tools.manifest import Need, Program, needed_by
from tools.places import Places
from tools.skew import HouseVersions, Skew, against
from tools.versions import Version, parse


def versions_of(talos: str, kubernetes: str) -> HouseVersions:
    """The house's versions as talconfig.yaml writes them ("" where it does not)."""
    return HouseVersions(parse(talos), parse(kubernetes))


def held_against(row: Located, house: HouseVersions | None) -> tuple[Skew, str]:
    """What was found for one program, held against the house (None: there is none to hold it against)."""
    if house is None or row.version is None:
        return Skew.NOT_CONCERNED, ""
    if row.program.name == "talosctl":
        return _talosctl(row.version, house)
    return against(row.program.name, row.version, house)


def _talosctl(version: Version, house: HouseVersions) -> tuple[Skew, str]:
    if house.talos is None or house.kubernetes is None:
        return Skew.UNKNOWN, "the house does not say which Talos and which Kubernetes it runs"
    found = fit(f"v{house.talos}", f"v{house.kubernetes}", f"v{version}")
    problems = [problem for problem in found.problems if problem.startswith("talosctl")]  # the others are preflight.versions's
    if problems:
        return Skew.DOES_NOT_FIT, "; ".join(problems)
    return (Skew.WARNS, "; ".join(found.remarks)) if found.remarks else (Skew.FITS, "")


def refuse_unfit(house: House, places: Places | None = None, path: str | None = None) -> None:
    """Stop a run whose programs are missing, of a version that does not fit, or not for this house.

    Raises PreflightRefused with one line for each, or for each Talos patch that talhelper cannot apply.
    `path` stands for the environment's PATH when None.
    """
    where, known = places or Places(), versions_of(house.cluster.talos_version, house.cluster.kubernetes_version)
    search = searched(where, path)
    wrong = [told for program in needed_by(Need.RUN) if (told := _wrong(program, where, search, known))]
    if wrong:
        raise PreflightRefused(
            "the programs that a run drives do not fit",
            evidence=tuple(wrong),
            hint=_remedy(search),
            next_command="invoke tools.check",
        )
    if house.refused_patches:
        raise PreflightRefused(
            "talhelper will not render the machineconfigs",
            evidence=house.refused_patches,
            hint="nothing was made; a VM without its machineconfig helps nobody",
        )


def refuse_blind(places: Places | None = None, path: str | None = None) -> None:
    """Stop a look at everything that lacks a program: what only that one sees would pass for missing, and so for drift.

    Raises CouldNotLook. A program of another version still sees: whether it fits is for a run to ask.
    """
    search = searched(places, path)
    absent = [program.name for program in needed_by(Need.RUN) if shutil.which(program.name, path=search) is None]
    if absent:
        raise CouldNotLook(
            "the house was not looked at: programs that look are not on this machine",
            evidence=tuple(absent),
            hint=_remedy(search),
            next_command="invoke tools.build --run" if _go(search) else "invoke tools.check",
        )


def searched(places: Places | None = None, path: str | None = None) -> str:
    """Where a run looks for its programs, in the form of a PATH: the checkout's own before the environment's."""
    return os.pathsep.join((str((places or Places()).programs), os.environ.get("PATH", "") if path is None else path))


def _go(search: str) -> bool:
    return shutil.which("go", path=search) is not None


def _remedy(search: str) -> str:
    if _go(search):
        return "`invoke tools.build --run` builds what is missing; a fitting one on PATH does as well"
    oldest = f"Go {OLDEST_GO.major}.{OLDEST_GO.minor}"
    return f"Go is not on PATH, so none can be built: install {oldest} or newer and `invoke tools.build --run`, or put them on PATH"


def _wrong(program: Program, places: Places, search: str, house: HouseVersions) -> str:
    row = look(program, places=places, path=search)
    if not row.usable:
        return f"{program.name}: {row.why}"
    skew, why = held_against(row, house)
    if skew is Skew.DOES_NOT_FIT:
        return f"{program.name} {row.version}: {why}"
    first = shutil.which(program.name, path=search)  # what is started is the first there is
    if first is not None and row.path is not None and not row.path.samefile(first):
        return f"{program.name}: {first} comes before {row.path} on PATH, and does not fit"
    return ""
