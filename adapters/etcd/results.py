"""What is known of a snapshot of etcd, in our words. Knows no file format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EtcdSnapshot:
    """One snapshot, or copy of a node's database, looked at as a whole.

    `name` is how it is called in the state folder, or its path. `problem` says why nothing can be recovered from it, "" for
    nothing. `hashed`: it carries its own SHA-256, which fits; a copy off a node's disk carries none. `digest` is the SHA-256 of the
    file. `revision` is the last one in it, `keys` how many keys are alive. `taken` is when the cluster last wrote into it by its
    nodes' Leases, `written` when the file was written, both in epoch seconds; 0.0: nobody says. `authority` is the Kubernetes CA's
    certificate in it, "" for none, and `ours` whether that is this house's. `members` are the names of the etcd it came from.
    """

    name: str
    problem: str = ""
    hashed: bool = False
    digest: str = ""
    size: int = 0
    revision: int = 0
    keys: int = 0
    taken: float = 0.0
    authority: str = ""
    ours: bool = False
    members: tuple[str, ...] = ()
    written: float = 0.0

    @property
    def sound(self) -> bool:
        """Whether something can be recovered from it."""
        return not self.problem
