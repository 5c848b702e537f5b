"""Which data a backup of whole namespaces may hold, by what it says of namespaces and resources. Opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from house.files.shapes import sequence

_CLAIMS = frozenset({"persistentvolumeclaims", "persistentvolumeclaim", "pvc", "persistentvolumes", "persistentvolume", "pv"})
_WITH_CLAIMS = _CLAIMS | {"*", "pods", "pod", "po"}
"""velero copies a pod's claims with the pod."""


@dataclass(frozen=True)
class Reach:
    """`of`: patterns of the namespaces that it copies, none for all; `but` those that it leaves out; `data`: claims among it."""

    of: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    data: bool = True

    def may_hold(self, namespace: str) -> bool:
        """Whether data of this namespace may be in it ("" for what is in none, as a share is)."""
        return self.data and (not self.of or _any(self.of, namespace)) and not _any(self.but, namespace)


EVERYWHERE = Reach()


def of_velero(template: Mapping[str, Any]) -> Reach:
    """The reach of a velero Schedule's `template`. Namespaces that it maps to others when it restores are copied all the same."""
    kept, dropped = _texts(template.get("includedResources")), _texts(template.get("excludedResources"))
    kinds, without = ({one.lower().partition(".")[0] for one in some} for some in (kept, dropped))
    data = (not kinds or bool(kinds & _WITH_CLAIMS)) and not without & (_CLAIMS | {"*"})
    spaces = tuple(one for one in _texts(template.get("includedNamespaces")) if one != "*")
    return Reach(spaces, _texts(template.get("excludedNamespaces")), data)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(one for one in sequence(value) if isinstance(one, str))


def _any(patterns: Iterable[str], namespace: str) -> bool:
    return any(fnmatchcase(namespace, pattern) for pattern in patterns)
