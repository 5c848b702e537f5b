"""Which journal a verb writes: rehearsals have one of their own, with its lock, so that no run of the house waits for a drill."""

from __future__ import annotations

from pathlib import Path

REHEARSE = "dr.rehearse"


def journal_folder(state_dir: Path, verb: str) -> Path:
    """The folder of the verb's journal and lock; `state_dir` is the house's."""
    return state_dir / "rehearsal" if verb == REHEARSE else state_dir
