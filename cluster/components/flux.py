"""Flux's controllers and flux-operator, which makes them from a FluxInstance. What Flux applies has rows of its own."""

from __future__ import annotations

from adapters.components.results import Ask
from cluster.components.judging import by_condition
from cluster.components.shape import Aspect, Component

INSTANCE = Ask("fluxcd.controlplane.io", "fluxinstances", "FluxInstance")
_GET = "kubectl get fluxinstances,resourcesets -A"

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
            by_condition(INSTANCE, "Ready", "Flux is not as its instance says", _GET), _GET,
        ),
    ),
)  # fmt: skip
