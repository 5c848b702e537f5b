"""One call of talosctl, with a timeout, and its answer parsed. Knows what no answer means, and no step.

Without an own timeout talosctl waits for ever; without an explicit node it may ask another one, or all of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.process.results import Finished, Runner
from adapters.talos.errors import grpc_code, refusal
from engine.errors import PermanentError, TransientError
from engine.text.jsontext import Malformed, read_sequence

LOOK_S = 30.0  # a stalled connection takes talosctl 20 s to give up
ACT_S = 60.0
_COLUMNS = re.compile(r"\s{2,}")


class Talosctl:
    """talosctl with the talosconfig at `talosconfig`, run through `runner`."""

    def __init__(self, runner: Runner, talosconfig: Path) -> None:
        self._runner = runner
        self._talosconfig = talosconfig

    def call(self, address: str, what: str, *args: str, insecure: bool = False, timeout_s: float = LOOK_S) -> str:
        """Run one command for the node at `address` over the secure API (or maintenance API) and return its stdout.

        `what` completes "could not …". Raises Transient- or PermanentError by the gRPC code that it ended with.
        """
        whom = ["--insecure", "--nodes", address]
        if not insecure:
            whom = ["--talosconfig", str(self._talosconfig), "--endpoints", address, "--nodes", address]
        done = self._runner.run(["talosctl", *args, *whom], timeout_s=timeout_s, ok=(0, 1))
        if done.code != 0:
            raise _failed(what, done)
        return done.stdout.decode(errors="replace")

    def together(self, addresses: Sequence[str], through: Sequence[str], *args: str) -> str:
        """Run one look for several nodes by way of the endpoints `through`, and return its stdout, whole or not.

        Some nodes' answers may be lacking in it: talosctl then ends with 0 or 1, by command and by version.
        """
        whom = ("--talosconfig", str(self._talosconfig), "--endpoints", ",".join(through), "--nodes", ",".join(addresses))
        done = self._runner.run(["talosctl", *args, *whom], timeout_s=LOOK_S, ok=(0, 1))
        return done.stdout.decode(errors="replace")

    def version(self) -> str:
        """talosctl's own version, as in `v1.13.9`. PermanentError when it prints none."""
        done = self._runner.run(["talosctl", "version", "--client", "--short"], timeout_s=LOOK_S)
        found = re.search(r"v\d+\.\d+\.\S+", done.stdout.decode(errors="replace"))
        if found is None:
            raise PermanentError("talosctl does not tell its version", evidence=done.stderr_tail)
        return found.group()

    def resources(
        self, address: str, kind: str, *, name: str = "", insecure: bool = False
    ) -> tuple[Mapping[str, Any], ...]:
        """`talosctl get` of one resource type (full name) and, if given, one id, as parsed JSON."""
        what = f"get {name or kind.partition('.')[0]} of {address}"
        args = ("get", kind, name, "--output", "json") if name else ("get", kind, "--output", "json")
        return json_sequence(self.call(address, what, *args, insecure=insecure), what)

    def spec(self, address: str, kind: str, name: str) -> Any:
        """The spec of one resource; TransientError when the node does not have it (yet)."""
        found = self.resources(address, kind, name=name)
        if len(found) != 1 or "spec" not in found[0]:
            raise TransientError(f"{address} has no {kind.partition('.')[0]} {name}")
        return found[0]["spec"]


def _failed(what: str, done: Finished) -> Exception:
    # Errors found before any call append the whole usage text: the message itself is the first line then.
    lines = [line.strip() for line in done.stderr_tail if line.strip()]
    usage = next((n for n, line in enumerate(lines) if line == "Usage:"), len(lines))
    said = tuple(lines[:usage][-5:])
    text = "\n".join(lines)
    code = grpc_code(text)
    if not code and ("is not registered" in text or "no such file" in text):
        code = "NotFound"
    return refusal(f"could not {what}", code or "Unknown", said)


def json_sequence(text: str, what: str) -> tuple[Mapping[str, Any], ...]:
    """talosctl prints several objects one after another, not as an array. TransientError when it is cut off."""
    try:
        return tuple(value for value in read_sequence(text) if isinstance(value, Mapping))
    except Malformed:
        raise TransientError(f"could not {what}: the answer is not whole") from None


def table(text: str) -> tuple[dict[str, str], ...]:
    """Rows of a table with a header line, cells by the header's names. For the answers that talosctl has no JSON for."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return ()
    header = _COLUMNS.split(lines[0].strip())
    return tuple(dict(zip(header, _COLUMNS.split(line.strip()), strict=False)) for line in lines[1:])


def facts(text: str) -> dict[str, str]:
    """`NAME   value` lines of talosctl's descriptions of one thing."""
    pairs = (_COLUMNS.split(line.strip(), maxsplit=1) for line in text.splitlines())
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}
