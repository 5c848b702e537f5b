"""Flux's controllers and flux-operator, which makes them from a FluxInstance. What Flux applies has rows of its own."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.results import Ask
from cluster.components.judging import fewer_than_declared, of_condition
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding, Weight
from engine.text.ages import ago, within

INSTANCE = Ask("fluxcd.controlplane.io", "fluxinstances", "FluxInstance")
_GET = "kubectl get fluxinstances,resourcesets -A"
_RECONCILED_S = 300.0
"""flux-operator's own bound of one reconciliation (annotation fluxcd.controlplane.io/reconcileTimeout, 5m): it says Progressing at
the beginning of each, and True or False by then."""


def _instances(facts: Facts) -> Iterator[Finding]:
    for one in facts.of(INSTANCE):
        said = one.condition("Ready")
        at_work = said is not None and (said.good, said.reason) == (None, "Progressing")
        if said is not None and at_work and said.since is not None and within(said.since, facts.now, _RECONCILED_S):
            told = f"being reconciled, begun {ago(said.since, facts.now)}"
            yield Finding(f"{one.kind} {one.key}", Weight.NOTED, told, command=_GET)
        else:
            yield of_condition(one, "Ready", "Flux is not as its instance says", _GET)
    yield from fewer_than_declared(facts, INSTANCE, _GET)


FLUX = Component(
    key="flux",
    title="Flux's controllers",
    images=("source-controller", "kustomize-controller", "helm-controller", "notification-controller", "source-watcher"),
    charts=("flux-instance", "flux2"),
    must=("source-controller", "kustomize-controller", "helm-controller"),
    means="what Git says reaches the cluster no more, or only in part",
)
FLUX_OPERATOR = Component(
    key="flux-operator",
    title="flux-operator",
    images=("flux-operator",),
    charts=("flux-operator",),
    means="Flux itself is not mended and not upgraded; its controllers go on",
    aspects=(
        Aspect(
            "instance", "its FluxInstance", (INSTANCE,),
            _instances, _GET,
        ),
    ),
)  # fmt: skip
