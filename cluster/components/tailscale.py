"""tailscale-operator, and the connectors and groups of proxies that it makes."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.components.results import Ask
from cluster.components.judging import fewer_than_declared, of_condition
from cluster.components.shape import Aspect, Component, Facts
from cluster.storage.findings import Finding

_GROUP, _VERSIONS = "tailscale.com", ("v1", "v1alpha1")
CONNECTOR = Ask(_GROUP, "connectors", "Connector", versions=_VERSIONS, namespaced=False)
PROXY_GROUP = Ask(_GROUP, "proxygroups", "ProxyGroup", versions=_VERSIONS, namespaced=False)
_GET = "kubectl get connectors,proxygroups"
_MEANS = "what is reached by it is not reached from the tailnet"


def _proxies(facts: Facts) -> Iterator[Finding]:
    for ask in (CONNECTOR, PROXY_GROUP):
        found = facts.of(ask)
        yield from (of_condition(one, f"{one.kind}Ready", _MEANS, _GET) for one in found)
        yield from fewer_than_declared(facts, ask, _GET)


TAILSCALE = Component(
    key="tailscale-operator",
    title="tailscale-operator",
    images=("tailscale/k8s-operator",),
    charts=("tailscale-operator",),
    means="no new proxy is made; those that run go on until they are restarted",
    aspects=(Aspect("proxies", "its connectors and groups of proxies", (CONNECTOR, PROXY_GROUP), _proxies, _GET),),
)
