"""What the clone port answers. Knows nothing of the git program."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CloneState:
    """The home-ops clone: its commit, whether anything is uncommitted, and the commit that the branch Flux pulls is at.

    `remote_commit` is "" and `remote_detail` says why when the remote could not be asked.
    """

    commit: str
    branch: str
    dirty: tuple[str, ...]
    remote_commit: str
    remote_detail: str = ""
