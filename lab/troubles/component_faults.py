"""Troubles of a cluster's systems in a running house: each gives the house all of them in order first, where it has none yet."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType

from lab.parts.objects.components import is_down, is_workload, lose_pods, name_of, pods_of, put_components
from lab.running.house import LabHouse
from lab.troubles.component import COMPONENT_TROUBLES, ComponentTrouble
from lab.world.cluster.components import healthy

Act = Callable[[LabHouse, str], None]
_VOLSYNC = "the real VolSync runs here, and writes its own objects: a source without backups for hours takes hours"
NOT_HERE: Mapping[str, str] = MappingProxyType({
    "flux-instance-failed": "the stand-in of flux-operator writes its FluxInstance anew at once",
    "sops-key-of-another": "no Kustomization of this house decrypts outside of Flux's own namespace",
    "applied-gone": "Flux alone knows what it applied here: delete one of its objects by kubectl",
    "volsync-backup-late": _VOLSYNC,
    "volsync-retention-of-one": _VOLSYNC,
})  # fmt: skip
"""Troubles that the modelled house has and a running one cannot, each with the reason."""


def component_faults() -> Iterator[tuple[str, str, str, Act, Act]]:
    """Of each its name, its system, what it is, how it begins and how it ends."""
    for trouble in COMPONENT_TROUBLES.values():
        if trouble.name not in NOT_HERE:
            yield trouble.name, trouble.of, trouble.what, partial(_begin, trouble), _in_order


def _begin(trouble: ComponentTrouble, house: LabHouse, target: str) -> None:
    _in_order(house, target)
    kube, since = house.cluster.kube, time.time() - trouble.age_s
    put = list(trouble.puts(since))
    put_components(kube, put, trouble.loses(since))
    down = set(pods_of(kube, (one for one in put if is_down(one))))
    house.cluster.knobs.unpulled |= down
    lose_pods(kube, down)


def _in_order(house: LabHouse, target: str) -> None:
    """Everything is there and well, as its operators would have written it just now, and what troubles alone bring is gone."""
    house.cluster.knobs.unpulled.clear()
    now = time.time()
    whole = list(healthy(now, len(house.shape.nodes)))
    names = {name_of(one) for one in whole}
    besides = (one for name, trouble in COMPONENT_TROUBLES.items() if name not in NOT_HERE for one in trouble.puts(now))
    put_components(house.cluster.kube, whole, [one for one in besides if not is_workload(one) and name_of(one) not in names])
