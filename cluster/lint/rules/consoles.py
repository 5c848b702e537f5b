"""Consoles of the hosts (JetKVM and the like) that are reached by a name of the cluster's gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from house.flux.rendered import RenderedObject
from house.shapes import mapping, sequence

NAME = "console-behind-the-cluster"
_CONSOLE = re.compile(r"(?:^|[-.])(?:jet|pi|nano)?kvm(?:[-.]|$)|(?:^|-)(?:ipmi|idrac|ilo|bmc)(?:-|$)")


def _find(given: Given) -> Iterator[Finding]:
    for one in given.objects("discovery.k8s.io", "EndpointSlice"):
        if _CONSOLE.search(one.name):
            yield _finding(one, [str(item) for end in sequence(one.spec.get("endpoints") or one.body.get("endpoints"))
                                 for item in sequence(mapping(end).get("addresses"))])  # fmt: skip
    for one in given.objects("", "Endpoints"):
        if _CONSOLE.search(one.name):
            subsets = map(mapping, sequence(one.body.get("subsets")))
            yield _finding(one, [str(mapping(item).get("ip")) for part in subsets for item in sequence(part.get("addresses"))])


def _finding(one: RenderedObject, addresses: list[str]) -> Finding:
    at = ", ".join(addresses) or "an address that Git does not show"
    return Finding(
        NAME, Weight.NOTE, one.name, f"console {one.name} is at {at}, and its name leads through the cluster", one.declared_in,
        "the night in which a host has to be switched on is the one in which that name leads nowhere",
        f"write {at} where you find it in the dark (`kit.notes`), and try it once without the cluster",
    )  # fmt: skip


RULE = Rule(NAME, "How does one reach a host's console when the cluster is dark?", _find)
