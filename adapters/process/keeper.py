"""The Runner: asks the keeper process to start programs, feeds and reads them, and turns their ends into our errors.

The keeper process (minding.py) outlives our SIGKILL by a few seconds and ends whatever we had running. This side knows no
particular program and no journal: it reports each group before its program starts, and whoever made it notes that.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from adapters.process import groups
from adapters.process.conversation import Conversation, NoRoom, Order
from adapters.process.endings import judge, no_room, require_code, tail_lines
from adapters.process.results import (
    NO_ENVIRONMENT,
    Finished,
    ProgramEnded,
    ProgramMissing,
    SecretInArgv,
)
from engine.errors import TransientError
from engine.files.whole import write_whole
from engine.secrets import Secret, redact

OnStart = Callable[[int, str, str], None]
"""Called with group id, start time (opaque, for groups.end_group) and shown argv, before the program starts."""

GRACE_S = 5.0
_YOUNG_S = 60.0
_SEEN_S = 0.2
_CHECKOUT = Path(__file__).resolve().parents[2]
_PASSED_ON = (
    "SSL_CERT_FILE", "SSL_CERT_DIR",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip


class Keeper:
    """Runs programs, many at once from as many threads; everything it started is gone when it is closed or killed.

    `directory` gets a private folder (HOME and TMPDIR of the programs) that is removed at the end; `search` are folders to
    look for programs in before PATH; `on_start` is told of each group before its program starts (in the caller's thread);
    `on_argv` gets every argument list, for the test that greps them for secrets.
    """

    def __init__(
        self,
        directory: Path,
        *,
        search: Sequence[Path] = (),
        on_start: OnStart | None = None,
        on_argv: Callable[[tuple[str, ...]], None] | None = None,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        wipe_leftovers(directory)
        self._path = os.pathsep.join([*(str(folder) for folder in search), os.environ.get("PATH", os.defpath)])
        self._on_start = on_start
        self._on_argv = on_argv
        self._lock = threading.Lock()
        self._running: set[Conversation] = set()
        self._stopping = False
        self.directory = Path(tempfile.mkdtemp(prefix="programs-", dir=directory))
        for folder in ("home", "tmp"):
            (self.directory / folder).mkdir(mode=0o700)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (self.directory / "keeper.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-P", "-m", "adapters.process.minding", str(theirs.fileno()), str(self.directory)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
                env={"PYTHONPATH": str(_CHECKOUT), "PATH": self._path},
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._control = ours
        pid = self._process.pid
        write_whole(self.directory / "owner", f"{pid} {groups.start_of(pid)}\n", lasting=False)  # for runs that start now

    @property
    def pid(self) -> int:
        """Process id of the keeper process."""
        return self._process.pid

    def hold(self, descriptor: int) -> None:
        """Give the keeper a duplicate of an open lock file, so that the lock outlives us until our programs are gone."""
        with self._lock:
            try:
                socket.send_fds(self._control, [b"hold"], [descriptor])
                held = self._control.recv(16)
            except OSError:
                held = b""
        if held == b"full":
            raise no_room("the process that keeps our programs", "it could not take the lock in")
        if held != b"held":
            raise self._lost()

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        """See Runner.run."""
        kept = bytearray()
        finished = self._go(argv, kept.extend, env, cwd, stdin, timeout_s, shielded)
        finished = replace(finished, stdout=bytes(kept))
        require_code(finished, argv[0], ok)
        return finished

    def stream(
        self,
        argv: Sequence[str],
        sink: Callable[[bytes], object],
        *,
        env: Mapping[str, str | Secret] = NO_ENVIRONMENT,
        cwd: Path | None = None,
        stdin: bytes | Secret | None = None,
        timeout_s: float,
        ok: Collection[int] = (0,),
        shielded: bool = False,
    ) -> Finished:
        """See StreamingRunner.stream."""
        finished = self._go(argv, sink, env, cwd, stdin, timeout_s, shielded)
        require_code(finished, argv[0], ok)
        return finished

    def end_all(self, grace_s: float) -> None:
        """Tell every running group to end within `grace_s` seconds (0: killed now), and refuse to start any more.

        Returns at once; the calls that wait for those programs raise ProgramEnded. Called again, only less grace counts.
        """
        with self._lock:
            self._stopping = True
            for conversation in tuple(self._running):  # a call that is over takes itself out meanwhile
                conversation.end(grace_s)

    def close(self, grace_s: float = GRACE_S) -> None:
        """End everything, wait until it is gone and the private folder is removed; held locks are let go."""
        self.end_all(grace_s)
        self._control.close()
        try:
            self._process.wait(grace_s + GRACE_S + 5.0)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _go(
        self,
        argv: Sequence[str],
        sink: Callable[[bytes], object],
        env: Mapping[str, str | Secret],
        cwd: Path | None,
        stdin: bytes | Secret | None,
        timeout_s: float,
        shielded: bool,
    ) -> Finished:
        program = self._checked(argv)
        shown = redact(shlex.join(argv))
        order = Order(
            argv=(program, *argv[1:]),
            env=self._environment(env),
            cwd=str(cwd or self.directory),
            timeout_s=timeout_s,
            grace_s=GRACE_S,
            shielded=shielded,
        )
        started = time.monotonic()
        with self._open() as conversation:
            try:
                group, start = conversation.greeting()
            except NoRoom as error:
                raise no_room(argv[0], str(error)) from error
            except OSError as error:
                raise (self._lost() if self._is_gone() else no_room(argv[0], "the keeper could not take it in")) from error
            if self._on_start is not None:
                self._on_start(group, start, shown)
            given = stdin.reveal().encode() if isinstance(stdin, Secret) else stdin or b""
            outcome = conversation.converse(order, given, sink)
        if outcome.reason == "vanished":
            groups.end_group(group, start)
        groups.await_end(group, start)
        tail = tail_lines(outcome.stderr) + (self._log_tail() if outcome.reason == "vanished" else ())
        judge(outcome, argv[0], timeout_s, tail)
        return Finished(shown, outcome.code, b"", tail, time.monotonic() - started)

    def _checked(self, argv: Sequence[str]) -> str:
        for word in argv:
            if redact(word) != word:
                raise SecretInArgv(f"{argv[0]}: argument {list(argv).index(word)} holds a secret")
        if self._on_argv is not None:
            self._on_argv(tuple(argv))
        program = shutil.which(argv[0], path=self._path)
        if program is None:
            raise ProgramMissing(
                f"the program {argv[0]} is not on this machine",
                evidence=(f"searched: {self._path}",),
                hint="put it on PATH, or have it built, for which Go is needed; `invoke tools.check` tells what else is missing",
                next_command="invoke tools.build --run",
            )
        return str(Path(program).absolute())

    def _environment(self, extra: Mapping[str, str | Secret]) -> dict[str, str]:
        clean = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        clean |= {
            "PATH": self._path,
            "HOME": str(self.directory / "home"),
            "TMPDIR": str(self.directory / "tmp"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }
        clean |= {name: value.reveal() if isinstance(value, Secret) else value for name, value in extra.items()}
        return clean

    def _open(self) -> Conversation:
        with self._lock:
            if self._stopping:
                raise ProgramEnded("this run is stopping: no program is started any more")
            try:
                conversation = Conversation(self._running.discard)
            except OSError as error:
                raise no_room("a program", str(error)) from error
            try:
                conversation.hand_over(self._control)
            except OSError as error:
                conversation.close()
                raise self._lost() from error
            self._running.add(conversation)
            return conversation

    def _is_gone(self) -> bool:
        """Whether the keeper has ended; one that was killed just now gets a moment to be seen to."""
        try:
            self._process.wait(_SEEN_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _lost(self) -> TransientError:
        return TransientError(
            "the process that keeps our programs is gone", evidence=self._log_tail(), hint="start the same command again"
        )

    def _log_tail(self) -> tuple[str, ...]:
        """What the keeper or a minder said when it broke, which is a bug of ours or somebody's kill."""
        log = self.directory / "keeper.log"
        return tail_lines(log.read_bytes()) if log.exists() else ()


def wipe_leftovers(directory: Path) -> None:
    """Remove private folders (rendered values files lie there) whose keeper is dead: it was killed before it could."""
    for folder in directory.glob("programs-*"):
        try:
            age = time.time() - folder.stat().st_mtime
            owner = folder / "owner"
            pid, _, start = owner.read_text().strip().partition(" ") if owner.exists() else ("", "", "")
        except FileNotFoundError:
            continue  # another run that starts now was quicker
        if pid.isdigit() and groups.start_of(int(pid)) == start:
            continue
        if not pid and age < _YOUNG_S:
            continue  # just being made by another run
        shutil.rmtree(folder, ignore_errors=True)
