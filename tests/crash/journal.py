"""Every single bit of a journal of three runs turned over, every splice of two journals, each read: how many are accepted.

`python -m tests.crash.journal` prints the table; 0 accepted is what is right.
An older version's journal, gone on with, is tried too.
"""

from __future__ import annotations

import sys
import tempfile
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from engine.journal import open_journal
from engine.sealed.entries import Begin, Damage, End, Note, decode

STEPS = ("proxmox.create-vm/cp-1", "talos.apply-config/cp-1", "recovery.restore/apps/notes")
OLD = (
    '{"seq":0,"run":"run-0","at":1.0,"kind":"journal","lineage":"house-1","schema":1}',
    '{"seq":1,"run":"run-0","at":2.0,"kind":"begin","step":"proxmox.create-vm/cp-1","inputs":"v1"}',
)


def three_runs(folder: Path, lineage: str = "house-1") -> bytes:
    """A journal that three runs wrote, the last one cut off in an act."""
    for number in range(1, 4):
        with open_journal(folder, lineage=lineage, run=f"run-{number}") as journal:
            journal.append(Note("", "run", f"run-{number}"))
            for step in STEPS:
                journal.append(Begin(step, "digest"), Note(step, "task", "UPID:pve-1:0001"))
                if (number, step) != (3, STEPS[-1]):
                    journal.append(End(step, "changed", "as it should be"))
    return (folder / "journal").read_bytes()


def an_older_ones(folder: Path) -> bytes:
    """As the first version wrote it, gone on with by this one."""
    folder.mkdir()
    lines = (b"%08x %s\n" % (zlib.crc32(text.encode()), text.encode()) for text in OLD)
    (folder / "journal").write_bytes(b"".join(lines))
    return three_runs(folder)


def flips(raw: bytes) -> Iterator[bytes]:
    """One bit turned over, for each bit."""
    for place in range(len(raw)):
        for bit in range(8):
            yield raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]


def splices(ours: bytes, theirs: bytes) -> Iterator[bytes]:
    """Our first lines with the other's last ones behind, at every pair of places; what is our own whole is none."""
    mine, others = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    for here in range(1, len(mine) + 1):
        for there in range(len(others)):
            joined = b"".join((*mine[:here], *others[there:]))
            if joined != ours:
                yield joined


def accepted(damaged: Iterator[bytes]) -> tuple[int, int]:
    """How many were tried, and how many of them were read without a word."""
    tried = taken = 0
    for raw in damaged:
        tried += 1
        try:
            decode(raw)
        except Damage:
            continue
        taken += 1
    return tried, taken


def main(every: int = 1) -> int:
    """Print the table; 1 when anything was accepted. `every`: only each so many-th damage is tried."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = three_runs(folder / "ours"), three_runs(folder / "theirs", "house-2")
        older = an_older_ones(folder / "older")
    rows = {
        "every bit turned over": accepted(islice(flips(ours), 0, None, every)),
        "every bit turned over, begun by an older version": accepted(islice(flips(older), 0, None, every)),
        "another house's lines behind ours": accepted(islice(splices(ours, theirs), 0, None, every)),
        "our own lines missing, twice or in another order": accepted(islice(splices(ours, ours), 0, None, every)),
    }
    for what, (tried, taken) in rows.items():
        print(f"{what:<52} {tried:>7} tried, {taken} accepted")  # noqa: T201 - its table is what it is for
    return 1 if any(taken for _, taken in rows.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
