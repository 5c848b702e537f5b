"""Programs that are scripts, and a Go that is one and keeps its calls in a file: nothing is compiled or fetched."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

_GO = """#!{python}
import json, os, pathlib, subprocess, sys, time
state = pathlib.Path({state!r})
arguments = sys.argv[1:]
with (state / "calls").open("a") as calls:
    calls.write(json.dumps({{"arguments": arguments, "cwd": os.getcwd(), "cgo": os.environ.get("CGO_ENABLED")}}) + "\\n")
if arguments[0] == "env":
    print((state / "version").read_text() + "\\n" + (state / "toolchain").read_text() + "\\n" + str(state / "cache"))
elif arguments[0] == "build":
    target = pathlib.Path(arguments[arguments.index("-o") + 1])
    if (state / f"hang-{{target.name}}").exists():
        compiler = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        target.write_text("half a program")
        (state / "hanging").write_text(f"{{os.getpid()}} {{compiler.pid}}")
        compiler.wait()
    if (state / f"fail-{{target.name}}").exists():
        sys.exit(f"{{target.name}}.go:1:1: does not compile")
    target.write_text("#!/bin/sh\\necho it was not asked\\nexit 1\\n")
    target.chmod(0o755)
elif arguments[:2] == ["mod", "download"]:
    (state / "cache" / "mover-restic").mkdir(parents=True)
    (state / "cache" / "mover-restic" / "entry.sh").write_text("#! /bin/bash\\n")
elif arguments[0] == "list":
    print(state / "cache" if (state / "cache").exists() else "")
"""


@dataclass(frozen=True)
class FakeGo:
    """The folder of the script, and the files by which a test tells it what to do."""

    programs: Path
    state: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a build is given: this Go, a git, and nothing else on PATH."""
        return {"PATH": str(self.programs)}

    def is_version(self, text: str, toolchain: str = "auto") -> None:
        (self.state / "version").write_text(text)
        (self.state / "toolchain").write_text(toolchain)

    def fails_on(self, name: str) -> None:
        (self.state / f"fail-{name}").touch()

    def hangs_on(self, name: str) -> None:
        (self.state / f"hang-{name}").touch()

    def works_again(self) -> None:
        for file in (*self.state.glob("fail-*"), *self.state.glob("hang-*")):
            file.unlink()

    def calls(self, verb: str) -> list[dict[str, str | list[str]]]:
        try:
            lines = (self.state / "calls").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [call for call in map(json.loads, lines) if call["arguments"][0] == verb]

    def built(self) -> list[str]:
        """The names of what was built, in order, the failed ones too."""
        return [Path(call["arguments"][call["arguments"].index("-o") + 1]).name for call in self.calls("build")]


def a_fake_go(folder: Path) -> FakeGo:
    """A Go 1.26.8 that may fetch newer ones, beside a git."""
    go = FakeGo(folder / "go-bin", folder / "go-state")
    go.programs.mkdir()
    go.state.mkdir()
    go.is_version("go1.26.8")
    script(go.programs / "go", _GO.format(python=sys.executable, state=str(go.state)))
    script(go.programs / "git", "#!/bin/sh\n")
    return go


def script(path: Path, text: str) -> Path:
    """An executable file with that text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def program_saying(path: Path, text: str, code: int = 0) -> Path:
    """A program that prints `text` whatever it is asked."""
    return script(path, f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {code}\n")
