"""The Cephs that a house has, and how each is asked: that of the Proxmox hosts, and those that Rook runs or knows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from adapters.context import LookContext
from cluster.storage.ceph.judge import judge
from cluster.storage.ceph.rook import judge_rook
from cluster.storage.ceph.verdict import CephVerdict
from cluster.storage.findings import Finding, Weight
from engine.text.words import number


class Place(Protocol):
    """One Ceph, asked anew at each look. `name` is the instance in the ids of its checks."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def asked_through(self) -> str:
        """The check without which it cannot be asked at all."""

    def verdict(self, look: LookContext) -> CephVerdict: ...
    def by_hand(self) -> str: ...


@dataclass(frozen=True)
class OnHosts:
    """The Ceph of the Proxmox hosts. `fsid` is the one that is meant, "" for whichever they have."""

    fsid: str = ""
    name = "proxmox"
    title = "Ceph of the Proxmox hosts"
    asked_through = "preflight.privileges"

    def verdict(self, look: LookContext) -> CephVerdict:
        """By what it says of itself. Raises TransientError when no host's Ceph gives an answer."""
        hosted = look.proxmox.ceph()
        if hosted is None:
            return CephVerdict((Finding("Ceph", Weight.BLOCKS, "none of the hosts that are online has one"),))
        found = judge(hosted.status, self.fsid)
        there = sorted({version for _, version in hosted.versions if version})
        if len(there) > 1:
            told = f"{number(len(there), 'version')} on the hosts: {', '.join(there)}"
            found = replace(found, whole=(*found.whole, Finding("versions", Weight.NOTED, told, hint="finish the upgrade")))
        return found

    def by_hand(self) -> str:
        """On a host, as root."""
        return "ceph status && ceph health detail   # on a host with a monitor: every OSD up and in, every group active+clean"


@dataclass(frozen=True)
class InRook:
    """The CephCluster of one namespace."""

    namespace: str
    asked_through = "kubernetes.api-servers"

    @property
    def name(self) -> str:
        """Its namespace: Rook has one in each at most."""
        return self.namespace

    @property
    def title(self) -> str:
        """With its namespace."""
        return f"Ceph of Rook in {self.namespace}"

    def verdict(self, look: LookContext) -> CephVerdict:
        """By what its operator wrote down."""
        there = [one for one in look.cluster.ceph_clusters() if one.namespace == self.namespace]
        if not there:
            return CephVerdict((Finding("Ceph", Weight.BLOCKS, f"there is no CephCluster in {self.namespace}"),))
        return judge_rook(there[0], look.clock.now())

    def by_hand(self) -> str:
        """Through the toolbox, where there is one."""
        seen = f"kubectl -n {self.namespace} get cephcluster -o wide"
        return f"{seen} && kubectl -n {self.namespace} exec deploy/rook-ceph-tools -- ceph status   # every group active+clean"


@dataclass(frozen=True)
class RookUnread:
    """What Rook has written down, where nobody may read that or nothing answers: whether there is a Ceph nobody knows."""

    name = "rook"
    title = "Ceph of Rook, if there is one"
    asked_through = "kubernetes.api-servers"

    def verdict(self, look: LookContext) -> CephVerdict:
        """Raises what the look raises; where that goes by now, what it found was not looked into."""
        found = look.cluster.ceph_clusters()
        told = f"could not be read a moment ago; by now it tells of {number(len(found), 'Ceph', 'Cephs')}"
        return CephVerdict((Finding("Rook", Weight.UNKNOWN, told, hint="run the same again"),))

    def by_hand(self) -> str:
        """As who may read it."""
        return "kubectl get cephclusters --all-namespaces -o wide   # as somebody who may list them"


@dataclass(frozen=True)
class Unseen:
    """A Ceph that a storage class names, and that nobody here can ask."""

    name: str
    title = "Ceph that a storage class names"
    asked_through = "kubernetes.api-servers"

    def verdict(self, look: LookContext) -> CephVerdict:
        """That nobody knows."""
        told = f"a storage class names {self.name}, and neither the hosts nor Rook have a Ceph of that name or id"
        return CephVerdict((Finding("Ceph", Weight.UNKNOWN, told, hint="nobody here can tell whether it can be written to"),))

    def by_hand(self) -> str:
        """Wherever it is."""
        return "ceph status && ceph health detail   # of that Ceph: every OSD up and in, every group active+clean"
