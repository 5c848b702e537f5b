"""Programs that are scripts, and a Go that is one and keeps its calls in a file: nothing is compiled or fetched."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

# One line a call, its fields apart by US: the folder, CGO_ENABLED, the arguments. A shell, since it is started hundreds of times.
_GO = r"""#!/bin/sh
PATH=/usr/bin:/bin
call=$(printf '%s\037' "$(pwd -P)" "$CGO_ENABLED" "$@")
state={state}
echo "$call" >> "$state/calls"
case "$1 $2" in
env\ *) cat "$state/version"; echo; cat "$state/toolchain"; echo; echo "$state/cache" ;;
build\ *)
    while [ "$1" != -o ]; do shift; done
    target=$2 name=${{2##*/}}
    if [ -e "$state/hang-$name" ]; then
        sleep 600 &
        printf 'half a program' > "$target"
        printf '%s' "$$ $!" > "$state/hanging"
        wait
    fi
    if [ -e "$state/fail-$name" ]; then
        echo "$name.go:1:1: does not compile" >&2
        exit 1
    fi
    printf '#!/bin/sh\necho it was not asked\nexit 1\n' > "$target"
    chmod 755 "$target" ;;
mod\ download)
    mkdir -p "$state/cache/mover-restic"
    echo '#! /bin/bash' > "$state/cache/mover-restic/entry.sh" ;;
list\ *) [ -e "$state/cache" ] && echo "$state/cache" || echo ;;
esac
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
        fields = (line.removesuffix("\x1f").split("\x1f") for line in lines)
        return [{"cwd": cwd, "cgo": cgo, "arguments": words} for cwd, cgo, *words in fields if words[0] == verb]

    def built(self) -> list[str]:
        """The names of what was built, in order, the failed ones too."""
        return [Path(call["arguments"][call["arguments"].index("-o") + 1]).name for call in self.calls("build")]


def a_fake_go(folder: Path) -> FakeGo:
    """A Go 1.26.8 that may fetch newer ones, beside a git."""
    go = FakeGo(folder / "go-bin", folder / "go-state")
    go.programs.mkdir()
    go.state.mkdir()
    go.is_version("go1.26.8")
    script(go.programs / "go", _GO.format(state=quote(str(go.state))))
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
