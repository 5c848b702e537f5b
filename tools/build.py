"""Builds the programs that are missing, one at a time, out of the Go modules in tools/go. Knows no house and no lab.

It can be ended at any moment and started again: a program is put in place whole or not at all, and with it a stamp of what
it was made from, so that a changed module, and nothing else, is built again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.files.whole import put_in_place
from engine.text.lengths import about, duration
from engine.text.words import number
from tools.errors import BuildFailed, BuildRefused, DefinitionsMissing, ToolError
from tools.golang import Go, find_go, module_folder, require_for
from tools.locate import Place, look
from tools.manifest import Need, Program, Source, named, needed_by
from tools.places import BUILD_FLAGS, Places, Stamp, is_current, recipe, write_stamp

Out = Callable[[str], None]

# How often the line "still at it" comes.
_BEAT_S = 20.0
# So much (with empty caches) must be done before its pace is that of the rest.
_PACE_S = 90
_CACHE_BYTES = 24 * 10**9
_END_GRACE_S = 5.0


@dataclass(frozen=True)
class Built:
    """A program that was built, and the seconds that took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Order:
    """What a build will do: the programs to build, in order, and those that need nothing, each with the reason."""

    to_build: tuple[Program, ...]
    at_hand: tuple[tuple[Program, str], ...]

    @property
    def cold_s(self) -> int:
        """The seconds that this order takes with empty caches on 2 cores."""
        return sum(program.source.cold_s for program in self.to_build if program.source)


def order(only: Need | str | None = None, *, places: Places | None = None, path: str | None = None) -> Order:
    """What `build` would do now. A fitting program on PATH is used instead of building one."""
    where = places or Places()
    to_build: list[Program] = []
    at_hand: list[tuple[Program, str]] = []
    for program in (named(only),) if isinstance(only, str) else needed_by(only):
        if program.source is not None and is_current(where, program.name, program.source):
            at_hand.append((program, "Built before"))
            continue
        located = look(program, places=where, path=path)
        if located.usable and located.place is Place.PATH:
            at_hand.append((program, f"On PATH at {located.version}"))
        else:
            to_build.append(program)
    return Order(tuple(to_build), tuple(at_hand))


def build(
    only: Need | str | None = None,
    out: Out = print,
    *,
    places: Places | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[Built, ...]:
    """Build what is missing: `Need.RUN` what a real run drives, `Need.LAB` the lab's own, None all of it; a
    name builds that program alone.

    `out` gets the lines a person reads; `environment` stands for the process's own when None. Raises BuildRefused before
    anything is done (no Go, no git, a broken checkout) and BuildFailed at the end when some programs could not be built;
    the others are in place.
    """
    where = places or Places()
    path = None if environment is None else environment.get("PATH", "")
    if order(only, places=where, path=path).to_build:
        go = find_go(environment)
        with _locked(where, out):
            todo = order(only, places=where, path=path)  # again: another build may just have ended
            if todo.to_build:
                _announce(todo, go, out)
                return _build_all(where, go, todo, out)
    out("All programs are at hand.")
    return ()


def _announce(todo: Order, go: Go, out: Out) -> None:
    for reason, names in _by_reason(todo.at_hand).items():
        out(f"{reason}: {', '.join(names)}.")
    out(f"To build with Go {go.version}: {', '.join(program.name for program in todo.to_build)}.")
    out(
        f"With empty caches this takes {about(todo.cold_s)} on 2 cores (all programs: about 25 minutes), much less when "
        "Go has built them before. It can be interrupted and continued."
    )
    cache = next(folder for folder in (go.module_cache, *go.module_cache.parents) if folder.exists())
    free = shutil.disk_usage(cache).free
    if free < _CACHE_BYTES:
        out(f"Go's caches grow to about {_CACHE_BYTES // 10**9} GB, and {cache} has {free / 10**9:.0f} GB free.")


def _by_reason(at_hand: tuple[tuple[Program, str], ...]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for program, reason in at_hand:
        grouped.setdefault(reason, []).append(program.name)
    return grouped


def _build_all(places: Places, go: Go, todo: Order, out: Out) -> tuple[Built, ...]:
    built: list[Built] = []
    failed: list[tuple[str, str]] = []
    began = time.monotonic()
    for turn, program in enumerate(todo.to_build, start=1):
        assert program.source is not None  # an order holds nothing else
        place = f"[{turn}/{len(todo.to_build)}] {program.name} {program.source.version}"
        left = about(left_s(todo, turn - 1, time.monotonic() - began))
        out(f"{place}: building ({about(program.source.cold_s)} with empty caches; {left} left in all)")
        try:
            seconds = _build_one(places, go, program.name, program.source, place, out)
        except BuildFailed as error:
            out(f"{place}: failed")
            failed.append((program.name, "\n".join((error.what, *error.evidence))))
            continue
        out(f"{place}: built in {duration(seconds)}")
        built.append(Built(program.name, seconds))
    if failed:
        names = ", ".join(name for name, _ in failed)
        raise BuildFailed(
            f"{len(failed)} of {number(len(todo.to_build), 'program')} could not be built: {names}.",
            evidence=tuple(text for _, text in failed),
            hint="what was built is kept; the same command goes on from there",
        )
    return tuple(built)


def left_s(todo: Order, done: int, spent_s: float) -> float:
    """The seconds that an order still takes when its first `done` programs took `spent_s`: what is left goes on at that pace.

    Until that much is done that a pace can be told, what empty caches take.
    """
    whole, behind = todo.cold_s, Order(todo.to_build[:done], ()).cold_s
    return (whole - behind) * (spent_s / behind if behind >= _PACE_S else 1.0)


def _build_one(places: Places, go: Go, name: str, source: Source, label: str, out: Out) -> float:
    """Build one program and put it in place with its stamp; the seconds it took. Raises BuildFailed, BuildRefused."""
    started = time.monotonic()
    module = places.module(source)
    try:
        made_from = recipe(places, source)
        require_for(go, module)
    except OSError as error:
        raise BuildRefused(f"the checkout is not whole: {error}.", next_command="git status") from error
    # A folder of this process's own: the Go of a killed build may still be at it, and would write over ours.
    unfinished = places.unfinished / str(os.getpid())
    for folder in (places.programs, places.logs, unfinished):
        folder.mkdir(parents=True, exist_ok=True)
    new = unfinished / name
    if source.script:
        _copy(go, module, source, new)
    else:
        _compile(places, go, name, source, new, label, out)
    size = new.stat().st_size
    # The program first: a stamp without its program is ignored by its size, a program without a stamp is built again.
    put_in_place(new, places.program(name))
    write_stamp(places, name, Stamp(source.version, made_from, size))
    return time.monotonic() - started


def _copy(go: Go, module: Path, source: Source, new: Path) -> None:
    """Take a script out of its Go module, as Go fetched it. Raises BuildFailed."""
    try:
        shutil.copyfile(module_folder(go, module, source.module) / source.script, new)
    except (OSError, DefinitionsMissing) as error:
        told = f"{source.script} could not be taken out of {source.module} {source.version}: {error}"
        raise BuildFailed(told, evidence=getattr(error, "evidence", ())) from error
    new.chmod(0o755)  # Go keeps no file of a module executable


def _compile(places: Places, go: Go, name: str, source: Source, new: Path, label: str, out: Out) -> None:
    """Have Go build the program `new`. Raises BuildFailed."""
    log = places.logs / f"{name}.log"
    arguments = [go.command, "build", *BUILD_FLAGS, "-ldflags", source.linker_flags, "-o", str(new), source.package]
    code = _run_go(arguments, places.module(source), go, log, label, out)
    if code != 0 or not new.is_file():
        raise BuildFailed(f"go build of {name} ended with exit code {code} ({log}).", evidence=_tail(log, 12))


def _run_go(arguments: list[str], module: Path, go: Go, log: Path, label: str, out: Out) -> int:
    """Run Go in a group of its own, saying every now and then that it lives; its exit code. Ends the group when we end."""
    started = time.monotonic()
    with log.open("wb") as said:
        process = subprocess.Popen(
            arguments,
            cwd=module,
            env=dict(go.environment),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                try:
                    return process.wait(timeout=_BEAT_S)
                except subprocess.TimeoutExpired:
                    last = "".join(f", {line}" for line in _tail(log, 1))
                    out(f"{label}: {duration(time.monotonic() - started)} so far{last}")
        finally:
            _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Go's compilers are its children: the group is ended, not Go alone. Nothing happens when Go has ended by itself."""
    if process.poll() is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=_END_GRACE_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _locked(places: Places, out: Out) -> Iterator[None]:
    """One build at a time in one checkout; a second one waits, since what the first makes is what it wants."""
    places.lock.parent.mkdir(parents=True, exist_ok=True)
    with places.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            out(f"Another build is running (process {lock.read().strip() or 'unknown'}); waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        shutil.rmtree(places.unfinished, ignore_errors=True)
        yield


def _tail(log: Path, count: int) -> tuple[str, ...]:
    lines = log.read_text(errors="replace").splitlines()
    return tuple(line for line in lines[-count:] if line.strip())


def main(arguments: list[str]) -> int:
    """`python -m tools.build [--run | --ready]`: works before there is a virtual environment.

    `--run` builds only what a run drives; `--ready` builds and says nothing, and ends with 0 when nothing is left to build.
    Exit codes: 0 done, 1 not, 2 not understood, 130 interrupted.
    """
    if arguments not in ([], ["--run"], ["--ready"]):
        print("usage: python -m tools.build [--run | --ready]", file=sys.stderr)
        return 2
    if arguments == ["--ready"]:
        return 1 if order().to_build else 0
    # A plain SIGTERM would leave Go behind; this way it ends as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        build(Need.RUN if arguments else None, lambda line: print(line, flush=True))
    except ToolError as error:
        print("\n".join((error.what, *error.evidence, *([error.hint] if error.hint else []))), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. What was built is kept; the same command goes on from there.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
