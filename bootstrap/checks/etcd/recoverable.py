"""Whether a snapshot is fit to make etcd again from: whole, this house's, and the newest that anybody has. Asks no node to act."""

from __future__ import annotations

from dataclasses import dataclass, field

from adapters.context import LookContext
from adapters.etcd.results import EtcdSnapshot
from bootstrap.etcd_files import copied_from
from bootstrap.standstill import look_at_ground
from engine.probe import Probe, Risk, drifted, missing, satisfied
from engine.step import BaseCheck, StepId
from engine.text.ages import within
from engine.text.lengths import span
from engine.text.words import number
from house.model import House, Node
from talos.age import ago

SAVE = "invoke cluster.save-etcd"
FRESH_S = 3600.0
"""How old a file may be that is as good as one of now: a copy of an earlier loss says nothing of what the disk has today."""


@dataclass(frozen=True)
class OlderSnapshot(Risk):
    """One is taken although another is newer, which a person may have a reason for."""

    digest_of: str
    newer: str
    words: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Recoverable(BaseCheck):
    """`snapshot` as the verb saw it, None where there is none. Looked at again here, and held against what else there is."""

    house: House
    snapshot: EtcdSnapshot | None
    id = StepId("preflight.snapshot")
    title = "the snapshot is whole, ours, and the newest"
    needs = ("preflight.standstill",)

    def probe(self, look: LookContext) -> Probe:
        ground = look_at_ground(look.proxmox, look.talos, self.house)
        if ground.works:
            return satisfied("none is needed")
        kept, at = look.etcd.kept(), look.clock.now()
        copies = {node: [one for one in kept if copied_from(node, one) and fresh(one, at)] for node in ground.having}
        uncopied = [node for node, found in copies.items() if not found]
        if self.snapshot is None:
            return self._none(uncopied, kept)
        now = look.etcd.look(self.snapshot.name)
        unfit = [f"{one.name}: {why}" for found in copies.values() for one in found if (why := why_not(one))]
        return self._unfit(now) or self._uncopied(uncopied) or self._older(now, kept) or satisfied(told(now, at), *unfit)

    def _none(self, uncopied: list[Node], kept: tuple[EtcdSnapshot, ...]) -> Probe:
        lines = [f"{one.name}: {why_not(one)}" for one in kept]
        if uncopied:
            names = ", ".join(node.name for node in uncopied)
            return missing(f"there is no snapshot yet, and {names} still has etcd's data", *lines, hint=f"{SAVE} copies them")
        return missing(
            "there is no snapshot of etcd to recover from", *lines,
            hint="--snapshot FILE names one from elsewhere; without any, invoke cluster.bootstrap makes an empty etcd, and Git and "
            "the backups of claims fill it",
        )  # fmt: skip

    def _unfit(self, now: EtcdSnapshot) -> Probe | None:
        assert self.snapshot is not None
        if now.problem:
            return missing(f"{now.name} is not sound: {now.problem}", hint="take another one: --snapshot FILE")
        if not now.ours:
            whose = f"it came from {', '.join(now.members)}" if now.members else "nobody knows where it came from"
            found = "has another Kubernetes CA" if now.authority else "has no Kubernetes CA in it"
            return missing(
                f"{now.name} is of another cluster: it {found} than this house's secrets bundle", whose,
                hint="its Secrets could not be read either; take one of this house, or the bundle that it was made with",
            )  # fmt: skip
        if now.digest != self.snapshot.digest:
            return missing(f"{now.name} is not the file any more that was looked at first", hint="the same again")
        return None

    def _uncopied(self, uncopied: list[Node]) -> Probe | None:
        if not uncopied:
            return None
        names = ", ".join(node.name for node in uncopied)
        return missing(
            f"{names} still has etcd's data, and nobody has looked how new they are now",
            hint=f"{SAVE} copies them first: they are probably newer than any snapshot, and are wiped by a recovery",
        )

    def _older(self, now: EtcdSnapshot, kept: tuple[EtcdSnapshot, ...]) -> Probe | None:
        newer = newest(tuple(one for one in kept if is_newer(one, now)))
        if newer is None:
            return None
        lost = f"{newer.name} is newer by {by_how_much(newer, now)}"
        risk = OlderSnapshot(now.digest, newer.digest, f"{now.name} is taken although {lost}: what was written between is lost")
        return drifted(
            f"{now.name} is older than needed: {lost}",
            hint="take that one (without --snapshot the newest is taken), or go on by consent",
            identity=risk,
        )

    def by_hand(self) -> str:
        name = self.snapshot.name if self.snapshot is not None else "FILE"
        return f"cat {name} | sha256sum   # others: {self.house.state_dir}/etcd; etcdutl snapshot status tells revisions"


def why_not(one: EtcdSnapshot) -> str:
    """Why nothing can be recovered from it here, "" for nothing."""
    return one.problem or ("" if one.ours else "of another cluster")


def newest(kept: tuple[EtcdSnapshot, ...]) -> EtcdSnapshot | None:
    """The sound one of this house that was written to last; of those alike one that carries a hash, and the first that was made.

    So one more copy of the same data, which a run makes before it wipes them, changes nobody's consent.
    """
    fit = (one for one in kept if not why_not(one))
    return max(fit, key=lambda one: (_as_of(one), one.revision, one.hashed, -one.written, one.name), default=None)


def is_newer(one: EtcdSnapshot, than: EtcdSnapshot) -> bool:
    """Whether a sound one of this house holds what the other does not. By the time first: an etcd that was made anew or again
    from an older snapshot counts its revisions from there. By the revision where one of them says no time, or they say the same."""
    if why_not(one):
        return False
    if _as_of(one) and _as_of(than) and _as_of(one) != _as_of(than):
        return _as_of(one) > _as_of(than)
    return one.revision > than.revision


def by_how_much(newer: EtcdSnapshot, than: EtcdSnapshot) -> str:
    """In revisions where both count alike, and in time where both say one."""
    more = newer.revision - than.revision
    time = span(_as_of(newer) - _as_of(than)) if _as_of(newer) and _as_of(than) else ""
    return " and ".join(filter(None, (number(more, "revision") if more > 0 else "", time)))


def _as_of(one: EtcdSnapshot) -> float:
    """When it was last written into. A node whose clock was far ahead says a later time than that at which the file was there."""
    return one.written if one.written and one.taken > one.written + FRESH_S else one.taken


def fresh(one: EtcdSnapshot, now: float) -> bool:
    """Whether the file was written within FRESH_S; `now` in epoch seconds."""
    return within(one.written, now, FRESH_S)


def told(one: EtcdSnapshot, now: float) -> str:
    """What it is, for a person; `now` in epoch seconds."""
    hashed = "its hash fits" if one.hashed else "a copy off a disk, without a hash"
    return f"{one.name}: as of {ago(one.taken, now)}, revision {one.revision}, {number(one.keys, 'key')}, {hashed}"


def check(house: House, snapshot: EtcdSnapshot | None) -> Recoverable:
    """The check of this house."""
    return Recoverable(house, snapshot)
