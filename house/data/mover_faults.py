"""What VolSync takes into a source or a destination and no mover can be made with: nothing is backed up by it, or restored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from house.files.quantity import is_more_than_nothing
from house.files.shapes import mapping, sequence
from house.flux.outside import BACKUP_GROUP
from house.flux.rendered import RenderedObject

_ENGINES = ("restic", "kopia")
_MOVERS = (*_ENGINES, "rclone", "rsync", "rsyncTLS", "syncthing", "external")
_MOST = 2**31 - 1
"""The highest user and group that an API server takes into a pod; VolSync's definition takes any whole number."""
_USERS = ("runAsUser", "runAsGroup", "fsGroup")


def mover_fault(one: RenderedObject) -> str:
    """`its restic.moverSecurityContext.runAsUser is -1, …`; "" for nothing that is known, and for any other object."""
    if one.group != BACKUP_GROUP:
        return ""
    named = [mover for mover in _MOVERS if isinstance(one.spec.get(mover), dict)]
    if len(named) > 1:
        return f"it names {' and '.join(named)}, and VolSync takes one mover"
    for engine in _ENGINES:
        for where, what in _faults(mapping(one.spec.get(engine))):
            return f"its {engine}.{where} {what}"
    return ""


def _faults(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    security = mapping(spec.get("moverSecurityContext"))
    users = [(key, security.get(key)) for key in _USERS]
    users += [(f"supplementalGroups[{at}]", one) for at, one in enumerate(sequence(security.get("supplementalGroups")))]
    for key, value in users:
        if isinstance(value, int) and not isinstance(value, bool) and not 0 <= value <= _MOST:
            yield f"moverSecurityContext.{key}", f"is {value}, and no pod is taken that runs so: 0 to {_MOST}"
    for key in ("capacity", "cacheCapacity"):
        value = spec.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and not is_more_than_nothing(str(value)):
            yield key, f"is {value}, and no volume is made of that"
