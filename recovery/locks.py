"""Whether the owner of a repository's lock is dead, by what is seen of it. Asks nobody, removes nothing.

restic renews its lock every five minutes under a new name, and gives up by itself where it could not for half an hour. A mover's
lock bears the name of its pod.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.backups.results import RepositoryLock
from adapters.backups.snapshots import pin_of
from adapters.context import ActContext, LookContext
from adapters.kubernetes.results import SeenPod
from engine.errors import BlackstartError
from engine.text.ages import age_of
from engine.text.lengths import span

STALE_S = 30 * 60.0
"""So long not renewed, its owner has given up, whoever it is."""
GONE_S = 10 * 60.0
"""Twice not renewed, which is enough where its owner was a mover's pod and is not there any more."""
WATCH_S = 6 * 60.0
"""For so long a lock is watched whose age rests on this machine's clock alone: who lives renews it, by another name."""
_MOVERS = "volsync-"


@dataclass(frozen=True)
class Owner:
    """What is known of a lock's owner: the pod that bears its name, and whether that pod's node is ready.

    `asked` False: the cluster gave no answer, so nobody knows whether there is such a pod.
    """

    asked: bool = False
    pod: SeenPod | None = None
    ready: bool = False

    @property
    def lives(self) -> bool:
        """Whether it is seen to be at work: a pod on a node that is ready."""
        return self.pod is not None and self.ready


@dataclass(frozen=True)
class Judged:
    """One lock, whether its owner is `dead`, and why that is so or not known. `watch`: it is to be watched before it is taken away,
    for that rests on nothing but this machine's clock."""

    lock: RepositoryLock
    dead: bool
    why: str
    watch: bool = False

    @property
    def told(self) -> str:
        """Whose it is, since when, and what speaks for or against its owner's death."""
        lock = self.lock
        if lock.garbage:
            written = f", written {pin_of(lock.written)}" if lock.written else ""
            return f"lock {lock.lock_id[:8]} cannot be read{written}: {self.why}"
        kind = "exclusive lock" if lock.exclusive else "shared lock"
        return f"{kind} {lock.lock_id[:8]} of {lock.who}, renewed last {pin_of(lock.since)}: {self.why}"


def owners(look: LookContext | ActContext, locks: Sequence[RepositoryLock]) -> dict[str, Owner]:
    """What the cluster knows of these locks' owners, by host. A cluster that is not there, or silent, knows nothing."""
    hosts = {lock.host for lock in locks if lock.host}
    try:
        pods = look.locks.pods(hosts) if hosts else ()
        ready = {node.name for node in look.cluster.nodes() if node.ready is True} if pods else set()
    except BlackstartError:
        return {}
    # Of several namespaces' pods of one name the one that lives comes last, and counts.
    by_name = {pod.name: Owner(True, pod, pod.node in ready) for pod in sorted(pods, key=lambda pod: pod.node in ready)}
    return {host: by_name.get(host, Owner(True)) for host in hosts}


def judged(lock: RepositoryLock, owner: Owner, now: float) -> Judged:
    """Dead only by a proof; `now` in seconds since the epoch.

    Its age is the lesser of what its owner's clock and the store's say of it: either may be wrong. Where the store tells no time
    both are held against this machine's clock, which may be wrong as well.
    """
    if owner.pod is not None and owner.lives:
        return Judged(lock, False, f"its pod {owner.pod.key} is there, on node {owner.pod.node}")
    moments = [moment for moment in (lock.since, lock.written) if moment]
    if not moments:
        return Judged(lock, False, "nobody knows when it was made")
    if (age := age_of(max(moments), now)) is None:
        return Judged(lock, False, f"dated {span(max(moments) - now)} ahead of this machine's clock: its owner may live")
    gone = owner.asked and owner.pod is None and lock.host.startswith(_MOVERS)
    if age >= (GONE_S if gone else STALE_S):
        watch = not (gone or lock.timed)
        first = f", by this machine's clock: it is watched for {span(WATCH_S)} first" if watch else ""
        return Judged(lock, True, f"not renewed for {span(age)}{_there(lock, owner)}{first}", watch)
    return Judged(lock, False, f"renewed {span(age)} ago: its owner may live; it is known after {span(STALE_S)}")


def _there(lock: RepositoryLock, owner: Owner) -> str:
    if owner.pod is not None:
        return f"; its pod {owner.pod.key} is still listed, on node {owner.pod.node or 'none'}, which is not ready"
    if not lock.host.startswith(_MOVERS):
        return ""
    return ", and its pod is gone" if owner.asked else "; the cluster could not be asked for its pod"
