"""etcd as Talos keeps it: clusters, members, and the data directory on a node's disk. Knows no machine and no protocol."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class MemberRecord:
    """One member in the cluster's own list."""

    member_id: int
    hostname: str
    peer_url: str
    client_url: str
    learner: bool


@dataclass(eq=False)
class EtcdCluster:
    """One etcd cluster: two objects of this class in one World are two etcds, which is what must never happen."""

    cluster_id: int
    founder: str
    written: tuple[int, float] = (0, 0.0)  # the last revision, and when, as of the last moment that it had a quorum
    members: dict[int, MemberRecord] = field(default_factory=dict)

    def voters(self) -> tuple[MemberRecord, ...]:
        """Members that vote, in order of id."""
        return tuple(m for _, m in sorted(self.members.items()) if not m.learner)

    def learner(self) -> MemberRecord | None:
        """The one learner that etcd allows at a time."""
        return next((m for m in self.members.values() if m.learner), None)

    def quorum(self, running: frozenset[int]) -> bool:
        """Whether more than half of the voters are among the members that run."""
        voters = self.voters()
        return 2 * sum(m.member_id in running for m in voters) > len(voters)


@dataclass(frozen=True)
class EtcdStatus:
    """What a member says of itself: sizes in bytes, the id of who leads (0: nobody that it knows of)."""

    member_id: int
    leader: int
    learner: bool = False
    version: str = "3.6.12"
    storage_version: str = "3.6.0"
    size: int = 1 << 20
    in_use: int = 1 << 19
    index: int = 1
    term: int = 2
    applied: int = 1
    errors: tuple[str, ...] = ()


@dataclass(eq=False)
class EtcdDir:
    """What is in /var/lib/etcd. `key` names this directory for as long as it lives: real data can be kept under it.

    `broken` says why etcd does not start on it (a restore whose hash check failed leaves such a directory behind).
    """

    key: str
    cluster: EtcdCluster | None
    member_id: int = 0
    broken: str = ""
