"""etcd's arithmetic: who votes, who is there, what one more loss does. Pure: it is told what others saw."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from adapters.talos.results import EtcdData, EtcdMember, EtcdState
from engine.errors import TransientError
from house.model import Node

PEER_PORT = 2380


@dataclass(frozen=True)
class Standing:
    """How an etcd stands: so many members vote, so many of them are there."""

    voters: int
    there: int

    @property
    def needed(self) -> int:
        """How many must be there for anything to be written."""
        return self.voters // 2 + 1

    @property
    def works(self) -> bool:
        """Whether anything can be written."""
        return self.there >= self.needed

    @property
    def spare(self) -> int:
        """How many more may be lost before nothing can be written; below 0 it stands still already."""
        return self.there - self.needed

    def without(self, lost: int) -> Standing:
        """The same once so many members that are not there have left the list."""
        return Standing(self.voters - lost, self.there)

    def __str__(self) -> str:
        head = f"{self.there} of {self.voters}"
        if not self.works:
            return f"{head}; it stands still, for it takes {self.needed}"
        if self.spare == 0:
            return f"{head}; one more loss stops it"
        return f"{head}; {self.spare} more may be lost"


def members_of(node: Node, listed: Collection[EtcdMember]) -> tuple[EtcdMember, ...]:
    """The members that live in this node by their name or, where they never started and have none, by their address."""
    host = f"[{node.address}]" if ":" in node.address else node.address
    url = f"https://{host}:{PEER_PORT}"
    found = (one for one in listed if one.hostname == node.name or url in one.peer_urls)
    return tuple(sorted(found, key=lambda one: one.member_id))


def listed_by(states: Mapping[str, EtcdState]) -> tuple[EtcdMember, ...]:
    """The member list as the healthy ones tell it; () where none is healthy. TransientError while they do not tell the same."""
    lists = {name: state.members for name, state in states.items() if state.healthy and state.members}
    if len({frozenset((one.member_id, one.learner) for one in members) for members in lists.values()}) > 1:
        told = (f"{name}: {', '.join(one.hostname or one.member_id for one in members)}" for name, members in lists.items())
        raise TransientError("the control planes do not list the same etcd members", evidence=tuple(told))
    return next(iter(lists.values()), ())


def standing(states: Mapping[str, EtcdState], listed: Collection[EtcdMember]) -> Standing:
    """How the etcd of this list stands: node → what it says of itself."""
    voters = [one for one in listed if not one.learner]
    there = [one for one in voters if (told := states.get(one.hostname)) and told.data is EtcdData.PRESENT and told.healthy]
    return Standing(len(voters), len(there))
