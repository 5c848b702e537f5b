"""The vault by op, with a memory and a count of reads in one file of the state folder: titles, labels and times, never a value.

1Password counts reads: of a personal or family account, or a service account's token, a thousand a day or an hour are all there are
(developer.1password.com/docs/service-accounts/rate-limits), and the rest of the house lives on the same ones.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from adapters.process.results import ProgramFailed, Runner
from adapters.secrets.op import op_environment
from adapters.vault.port import SeenItem, VaultItem
from engine.errors import BlackstartError
from engine.files.whole import write_whole
from engine.text.jsontext import Malformed, an_object, read, read_file
from engine.text.words import number
from engine.waiting import Clock
from house.files.shapes import mapping, sequence

FRESH_S, OLD_S, DAY_S = 86400.0, 7 * 86400.0, 86400.0
"""So long what was seen is not asked again; so long it still counts where nothing more may be asked."""
_LOOK_S = 60.0
_NOT_THERE = re.compile(r"isn't an item|isn't a vault|no item found|not found in vault", re.IGNORECASE)
_LIMITED = re.compile(r"\b429\b|too many requests|rate.?limit", re.IGNORECASE)


class OpVault:
    """See port.VaultView. `file` is where it remembers."""

    def __init__(self, runner: Runner, file: Path, clock: Clock, environ: Mapping[str, str] = os.environ) -> None:
        self._runner, self._file, self._clock, self._environ = runner, file, clock, environ

    def look(self, wanted: Mapping[VaultItem, Collection[str]], most: int) -> tuple[SeenItem, ...]:
        """See port.VaultView. Once nobody answers, or reads are refused for their number, nothing more is asked."""
        known, reads = self._remembered()
        stopped, found = "", []
        for one, fields in wanted.items():
            before = known.get(one)
            seen = before if self._counts(before, fields, FRESH_S) else None
            if seen is None and not stopped and len(reads) + len(one.vaults) > most:
                stopped = f"{number(len(reads), 'read')} in 24 hours, and {most} may be made (limits.op_reads)"
            if seen is None and not stopped:
                seen, stopped = self._ask(one, known, reads)
            if seen is None and self._counts(before, fields, OLD_S):
                seen = before
            if seen is not None:
                known[one] = seen
            found.append(seen or SeenItem(one, None, self._clock.now(), stopped))
        self._remember(known, reads)
        return tuple(found)

    def _counts(self, before: SeenItem | None, fields: Collection[str], seconds: float) -> bool:
        """Whether what was seen is not so old, and lacked nothing: what did may have been put there since."""
        there = before is not None and before.fields is not None and before.fields.issuperset(fields)
        return before is not None and there and self._clock.now() - before.at < seconds

    def _ask(self, one: VaultItem, known: Mapping[VaultItem, SeenItem], reads: list[float]) -> tuple[SeenItem | None, str]:
        """What op says, or why there is no answer. Each read is noted before it is made, so that a kill leaves none uncounted."""
        for vault in one.vaults:
            reads.append(self._clock.now())
            self._remember(known, reads)
            argv = ["op", "item", "get", one.item, "--vault", vault, "--format", "json"]
            try:
                told = self._runner.run(argv, env=op_environment(self._environ), timeout_s=_LOOK_S).stdout
                return SeenItem(one, read(told, lambda item: frozenset(_labels(an_object(item)))), self._clock.now()), ""
            except Malformed:
                return None, "op answers what is no item"
            except ProgramFailed as error:
                words = " ".join(error.finished.stderr_tail)
                if not _NOT_THERE.search(words):
                    limited = "1Password refuses reads for their number"
                    return None, limited if _LIMITED.search(words) else f"op: {words or error.what}"
            except BlackstartError as error:
                return None, error.what
        return SeenItem(one, None, self._clock.now()), ""

    def _remembered(self) -> tuple[dict[VaultItem, SeenItem], list[float]]:
        """What earlier runs saw, and the reads of the last 24 hours; a file that nobody can read is as none."""
        try:
            return read_file(self._file, self._noted)
        except (OSError, Malformed):
            return {}, []

    def _noted(self, told: dict[str, Any]) -> tuple[dict[VaultItem, SeenItem], list[float]]:
        """Of what is to come nothing counts."""
        now = self._clock.now()
        seen = map(_seen, told["items"])
        reads = [at for at in map(float, told["reads"]) if now - DAY_S < at <= now]
        return {one.asked: one for one in seen if one.at <= now}, reads

    def _remember(self, known: Mapping[VaultItem, SeenItem], reads: Sequence[float]) -> None:
        rows = [
            {"vaults": one.asked.vaults, "item": one.asked.item, "at": one.at, "fields": sorted(one.fields)}
            for one in known.values() if one.fields is not None and self._clock.now() - one.at < OLD_S
        ]  # fmt: skip
        try:
            write_whole(self._file, json.dumps({"reads": list(reads), "items": rows}))
        except OSError:
            return  # it only spares reads


def _seen(row: dict[str, Any]) -> SeenItem:
    asked = VaultItem(tuple(map(str, row["vaults"])), str(row["item"]))
    return SeenItem(asked, frozenset(map(str, row["fields"])), float(row["at"]))


def _labels(told: object) -> Iterator[str]:
    """What the fields and files of an item are called; their values are not looked at."""
    body = mapping(told)
    for one in map(mapping, (*sequence(body.get("fields")), *sequence(body.get("files")))):
        names = [str(one[name]) for name in ("label", "id", "name") if one.get(name)]
        section = mapping(one.get("section")).get("label")
        yield from names
        yield from (f"{section}.{name}" for name in names if section)
