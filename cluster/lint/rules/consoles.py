"""Consoles of the hosts (JetKVM and the like) that are reached by a name of the cluster's gateway."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject

NAME = "console-behind-the-cluster"
_CONSOLE = re.compile(r"(?:^|[-.])(?:jet|pi|nano)?kvm(?:[-.]|$)|(?:^|-)(?:ipmi|idrac|ilo|bmc)(?:-|$)")


def _find(given: Given) -> Iterator[Finding]:
    found: dict[str, tuple[list[str], str]] = {}
    for one in given.rendered.objects:
        if _CONSOLE.search(one.name) and (addresses := _addresses(one)):
            found.setdefault(one.name, (addresses, one.declared_in))
    if found:
        told = ", ".join(f"{name} at {', '.join(addresses)}" for name, (addresses, _) in sorted(found.items()))
        yield Finding(
            NAME, Weight.NOTE, ", ".join(sorted(found)), f"names of consoles lead through the cluster: {told}",
            found[min(found)][1],
            "the night in which a host has to be switched on is the one in which those names lead nowhere",
            "write the addresses where you find them in the dark (`kit.notes`), and try one of them without the cluster",
        )  # fmt: skip


def _addresses(one: RenderedObject) -> list[str]:
    """Where a name of the cluster leads to outside of it."""
    if one.kind == "EndpointSlice":
        return [str(item) for end in sequence(one.body.get("endpoints")) for item in sequence(mapping(end).get("addresses"))]
    if one.kind == "Endpoints":
        subsets = map(mapping, sequence(one.body.get("subsets")))
        return [str(mapping(item).get("ip")) for part in subsets for item in sequence(part.get("addresses"))]
    return []


RULE = Rule(NAME, "How does one reach a host's console when the cluster is dark?", _find)
