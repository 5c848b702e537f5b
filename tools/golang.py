"""What is asked of Go: is it there and new enough, run it in a module, where does a module lie. Knows no program."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.errors import BuildRefused, DefinitionsMissing
from tools.places import BUILD_ENVIRONMENT
from tools.versions import Version, parse

OLDEST_GO = Version(1, 26, 0)
_ASK_TIMEOUT_S = 60.0
_DOWNLOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class Go:
    """A Go that is new enough: its command, its version, and whether it may fetch a newer toolchain when a module asks."""

    command: str
    version: Version
    fetches_newer: bool
    module_cache: Path
    environment: Mapping[str, str]


def find_go(environment: Mapping[str, str] | None = None) -> Go:
    """The Go on PATH (`environment` stands for the process's own when None).

    Raises BuildRefused with one sentence when Go or git is missing, when Go is too old or does not answer.
    """
    base = dict(os.environ if environment is None else environment)
    # Set for another machine, these would build programs that do not start here.
    clean = {k: v for k, v in base.items() if k not in ("GOOS", "GOARCH", "GOBIN")} | BUILD_ENVIRONMENT
    command = shutil.which("go", path=base.get("PATH", ""))
    if command is None:
        raise BuildRefused(
            f"Go is not on PATH: install Go {OLDEST_GO.major}.{OLDEST_GO.minor} or newer to build the programs.",
            hint="without it the modelled demo still runs, and fitting programs on PATH are used",
        )
    if shutil.which("git", path=base.get("PATH", "")) is None:
        raise BuildRefused("git is not on PATH: install git, which Go and the lab's house repository need.")
    told = _ask(command, clean, "env", "GOVERSION", "GOTOOLCHAIN", "GOMODCACHE")
    lines = told.splitlines()
    version = parse(lines[0]) if lines else None
    if version is None or len(lines) < 3:
        raise BuildRefused(f"{command} does not tell its version.", evidence=(told[:200],))
    if version < OLDEST_GO:
        raise BuildRefused(
            f"{command} is Go {version}; Go {OLDEST_GO.major}.{OLDEST_GO.minor} or newer is needed to build the programs."
        )
    return Go(command, version, lines[1].endswith("auto"), Path(lines[2]), clean)


def require_for(go: Go, module: Path) -> None:
    """Raise BuildRefused when the module asks for a newer Go than there is and Go may not fetch it itself."""
    asked = next((line for line in (module / "go.mod").read_text().splitlines() if line.startswith("go ")), "")
    version = parse(asked)
    if version is not None and go.version < version and not go.fetches_newer:
        raise BuildRefused(
            f"the module {module.name} needs Go {version}, {go.command} is Go {go.version}, and GOTOOLCHAIN forbids fetching it."
        )


def module_folder(go: Go, within: Path, module: str) -> Path:
    """Where Go keeps the files of `module` at the version which the Go module in the folder `within` asks for.

    Fetches it when the cache does not hold it. Raises DefinitionsMissing when Go does not give it.
    """
    question = ("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module)
    folder = _run(go, within, _ASK_TIMEOUT_S, *question)
    if not folder:
        _run(go, within, _DOWNLOAD_TIMEOUT_S, "mod", "download", module)
        folder = _run(go, within, _ASK_TIMEOUT_S, *question)
    if not folder:
        raise DefinitionsMissing(f"Go has no files of {module}.")
    return Path(folder)


def _run(go: Go, within: Path, timeout_s: float, *arguments: str) -> str:
    try:
        answer = subprocess.run(
            [go.command, *arguments],
            cwd=within,
            env=dict(go.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DefinitionsMissing(f"`go {arguments[0]}` in {within} did not answer: {error}.") from error
    if answer.returncode != 0:
        lines = tuple(answer.stderr.strip().splitlines()[-5:])
        raise DefinitionsMissing(f"`go {' '.join(arguments)}` failed in {within}.", evidence=lines)
    return answer.stdout.strip()


def _ask(command: str, environment: Mapping[str, str], *arguments: str) -> str:
    # Asked in the root folder: inside a module Go would first fetch the toolchain that the module asks for.
    try:
        answer = subprocess.run(
            [command, *arguments],
            cwd="/",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ASK_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildRefused(f"{command} does not answer: {error}.") from error
    if answer.returncode != 0:
        raise BuildRefused(f"{command} does not work.", evidence=tuple(answer.stderr.strip().splitlines()[-3:]))
    return answer.stdout
