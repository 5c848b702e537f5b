"""All storage systems, and what else is named, asked at the same time: a pass over their rows takes as long as the slowest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from adapters.context import LookContext
from adapters.longhorn.results import WHAT
from adapters.remembering import remembering
from engine.errors import PermanentError, TransientError
from engine.workers import Workers, each
from house.model import House

Ask = Callable[[], object]


def asked_at_once(
    look: LookContext, house: House, workers: Workers, also: Callable[[LookContext], Iterable[Ask]] = lambda _: ()
) -> LookContext:  # fmt: skip
    """The same views for one pass, with the answer of every system in them; what gave none says so to whoever asks.

    `also` names by the views that remember what else is asked at the same time.
    """
    seen = remembering(look, workers)
    asks: list[Ask] = [
        seen.proxmox.ceph, seen.cluster.ceph_clusters, partial(seen.cluster.longhorn, WHAT), seen.cluster.storage_classes,
        seen.cluster.claims, seen.trials.look, seen.csi.look, *(partial(seen.nas.look, nas) for nas in house.nas),
        *(partial(seen.proxmox.backups, nas.vm) for nas in house.nas if nas.vm and nas.vm_backup_age), *also(seen),
    ]  # fmt: skip
    each(workers, _told, asks, at_once=len(asks))
    return seen


def _told(ask: Callable[[], object]) -> None:
    try:
        ask()
    except (TransientError, PermanentError):
        return  # remembered, and told by the rows that ask for it
