"""kopia, connected to one repository for the length of one look: read-only, its settings and caches in a folder that goes with it.

A connection is a file that names the store, with the keys of a bucket in it: it lies in memory where the machine has such a folder.
Knows no verdict.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kopia.reading import Blob, Content, blob_of, content_of
from adapters.process.lines import Lines
from adapters.process.results import Finished, StreamingRunner
from engine.secrets import Secret
from engine.text.jsontext import Malformed, a_list, an_object, read

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - made with mode 0700 below it, under a name nobody can foretell
OPEN_S = 120.0
_OURS = "blackstart-kopia-"
_QUIET = {
    "KOPIA_CHECK_FOR_UPDATES": "false",  # else it asks the internet
    "KOPIA_PERSIST_CREDENTIALS_ON_CONNECT": "false",
    "KOPIA_USE_KEYRING": "false",
}


@dataclass(frozen=True)
class Store:
    """Where a repository lies, in kopia's words (`filesystem --path=…`), and all that is secret, by variable."""

    words: tuple[str, ...]
    env: Mapping[str, str | Secret]


@dataclass(frozen=True)
class Client:
    """One connection. Every question starts kopia anew; each may take `limit_s` seconds. All raise the Runner's errors."""

    runner: StreamingRunner
    options: tuple[str, ...]
    env: Mapping[str, str | Secret]
    limit_s: float

    def ask(self, *words: str) -> Finished:
        """What kopia answers."""
        return self.runner.run(["kopia", *words, *self.options], env=self.env, timeout_s=self.limit_s)

    def unique_id(self) -> str:
        """The repository's own id, made with it. ValueError where kopia tells none."""
        told = read(self.ask("repository", "status", "--json").stdout, an_object)
        if not told.get("uniqueIDHex"):
            raise Malformed("kopia tells no id of the repository")
        return str(told["uniqueIDHex"])

    def snapshots(self) -> list[dict[str, Any]]:
        """Every snapshot of everybody, unfinished ones too, as kopia prints them. ValueError for another shape: kopia says
        `[]` of none, and what is not understood is not none."""
        told = self.ask("snapshot", "list", "--all", "--incomplete", "--json").stdout
        return read(told, lambda found: [an_object(one) for one in a_list(found)])

    def blobs(self) -> dict[str, Blob]:
        """Every file of the store, by name. ValueError for a line that is not understood."""
        found: dict[str, Blob] = {}

        def take(told: dict[str, Any]) -> None:
            blob = blob_of(told)
            found[blob.name] = blob

        self._each(take, "blob", "list", "--json")
        return found

    def contents(self, take: Callable[[Content], None]) -> None:
        """Hands over each piece that the indexes know, deleted ones too. There may be millions: none is kept here."""
        self._each(lambda told: take(content_of(told)), "content", "list", "--deleted", "--json")

    def _each(self, take: Callable[[dict[str, Any]], None], *words: str) -> None:
        last = ""

        def line(text: str) -> None:
            nonlocal last
            last = text.strip()
            if told := last.strip("[],"):
                read(told, take)

        lines = Lines(line)
        self.runner.stream(["kopia", *words, *self.options], lines.feed, env=self.env, timeout_s=self.limit_s)
        lines.end()
        if not last.endswith("]"):
            raise Malformed(f"kopia's {' '.join(words[:2])} breaks off")


@contextmanager
def connected(runner: StreamingRunner, store: Store, limit_s: float) -> Iterator[Client]:
    """A client of the repository, whose folder is removed at the end. Raises the Runner's errors where it does not open."""
    _clear_after_the_dead()
    prefix = f"{_OURS}{os.getpid()}-"
    with (
        tempfile.TemporaryDirectory(prefix=prefix, dir=_memory()) as memory,
        tempfile.TemporaryDirectory(prefix=prefix) as cache,
    ):
        options = (f"--config-file={memory}/connection", "--disable-file-logging", "--disable-content-log", "--no-progress")
        env = {**store.env, **_QUIET, "HOME": memory}
        words = (*store.words, "--readonly", f"--cache-directory={cache}", "--disable-repository-format-cache")
        runner.run(["kopia", "repository", "connect", *words, *options], env=env, timeout_s=min(OPEN_S, limit_s))
        yield Client(runner, options, env, limit_s)


def _clear_after_the_dead() -> None:
    """A process that was killed could not take its folder away: whoever looks next does, where that folder is its own user's."""
    for base in {Path(tempfile.gettempdir()), IN_MEMORY}:
        for left in base.glob(f"{_OURS}*-*") if base.is_dir() else ():
            pid = left.name.removeprefix(_OURS).partition("-")[0]
            if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
                shutil.rmtree(left, ignore_errors=True)


def _memory() -> str | None:
    """A folder whose files never reach a disk; None, for the usual one, where there is none that can be written to."""
    return str(IN_MEMORY) if IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) else None


def words_of(options: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """`--name=value` for each that has a value."""
    return tuple(f"--{name}={value}" for name, value in options if value)
