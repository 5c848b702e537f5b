"""kube-prometheus-stack: the operator, and each Prometheus and Alertmanager that it makes."""

from __future__ import annotations

from adapters.components.results import Ask
from cluster.components.judging import by_condition
from cluster.components.shape import Aspect, Component

PROMETHEUS = Ask("monitoring.coreos.com", "prometheuses", "Prometheus")
ALERTMANAGER = Ask("monitoring.coreos.com", "alertmanagers", "Alertmanager")
_GET = "kubectl get prometheuses,alertmanagers -A"

KUBE_PROMETHEUS_STACK = Component(
    key="kube-prometheus-stack",
    title="kube-prometheus-stack",
    images=("prometheus-operator",),
    charts=("kube-prometheus-stack", "prometheus-operator"),
    means="what Prometheus watches changes no more, and nothing tells of what goes wrong",
    aspects=(
        Aspect(
            "prometheus", "every Prometheus is available", (PROMETHEUS,),
            by_condition(PROMETHEUS, "Available", "nothing is measured, and no alert fires", _GET), _GET,
        ),
        Aspect(
            "alertmanager", "every Alertmanager is available", (ALERTMANAGER,),
            by_condition(ALERTMANAGER, "Available", "alerts fire, and nobody is told", _GET), _GET,
        ),
    ),
)  # fmt: skip
