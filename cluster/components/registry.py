"""Every component that has a file here, and the rows that a house gets: for what it declares, and for what its cluster has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from adapters.components.results import Ask, Program
from adapters.context import LookContext
from cluster.components.actions_runners import ACTIONS_RUNNERS
from cluster.components.applied import AppliedReady
from cluster.components.cert_manager import CERT_MANAGER
from cluster.components.cilium import CILIUM
from cluster.components.cloudflared import CLOUDFLARED
from cluster.components.cloudnative_pg import CLOUDNATIVE_PG
from cluster.components.coredns import COREDNS
from cluster.components.external_dns import EXTERNAL_DNS
from cluster.components.external_secrets import EXTERNAL_SECRETS
from cluster.components.flux import FLUX, FLUX_OPERATOR
from cluster.components.onepassword import ONEPASSWORD
from cluster.components.prometheus import KUBE_PROMETHEUS_STACK
from cluster.components.rows import HELM_RELEASE, Runs, Says, instance, programs_of
from cluster.components.shape import Aspect, Component
from cluster.components.sops import AgeKeys
from cluster.components.spegel import SPEGEL
from cluster.components.tailscale import TAILSCALE
from cluster.components.volsync import VOLSYNC
from cluster.course import HouseCheck
from engine.errors import PermanentError, TransientError
from house.model import House

COMPONENTS: tuple[Component, ...] = (
    CILIUM, COREDNS, SPEGEL, CERT_MANAGER, EXTERNAL_SECRETS, ONEPASSWORD, EXTERNAL_DNS, CLOUDFLARED, ACTIONS_RUNNERS,
    KUBE_PROMETHEUS_STACK, TAILSCALE, FLUX_OPERATOR, FLUX, VOLSYNC, CLOUDNATIVE_PG,
)  # fmt: skip


def component_checks(look: LookContext, house: House) -> Iterator[HouseCheck]:
    """The rows of every component that Git or the helmfile declares, or that runs already; of the rest of what Flux applied one.

    Where no API server answers only what is declared has rows, and they cannot be looked at.
    """
    running = _running(look)
    for component in COMPONENTS:
        declared = tuple(one for one in house.programs if component.is_declared(one))
        there = programs_of(component, declared, running or ())
        if component.apart:
            names = dict.fromkeys([*(one.key for one in declared), *map(instance, there)])
            for name in names:
                yield Runs(house, component, tuple(one for one in declared if one.key == name), name)
        elif declared or there:
            yield Runs(house, component, declared)
        for aspect in component.aspects:
            if declared or there or (running is not None and _may_have_any(look, aspect)):
                yield Says(house, component, aspect)
    if house.flux_apps:
        yield AgeKeys(house)
        yield AppliedReady(house, COMPONENTS)


def asks(look: LookContext) -> tuple[Callable[[], object], ...]:
    """Everything that these rows ask of the cluster, each once, for who asks it all at the same time."""
    wanted: dict[Ask, None] = {ask: None for one in COMPONENTS for aspect in one.aspects for ask in aspect.asks}
    of_kinds = (partial(look.components.objects, ask) for ask in (*wanted, HELM_RELEASE))
    return (look.components.programs, look.components.applied, look.components.age_keys, look.cluster.nodes, *of_kinds)


def _running(look: LookContext) -> tuple[Program, ...] | None:
    """None where nobody answers."""
    try:
        return look.components.programs()
    except (TransientError, PermanentError):
        return None


def _may_have_any(look: LookContext, aspect: Aspect) -> bool:
    """Whether the cluster has objects of these kinds; one that cannot be listed may be there, and its row says so."""
    try:
        return any(look.components.objects(ask) for ask in aspect.asks)
    except (TransientError, PermanentError):
        return True
