"""Hosts, NAS and images that a run asks for by a name that only the cluster's own gateway answers."""

from __future__ import annotations

from collections.abc import Iterator

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.inside import Server
from cluster.lint.needs import host_of

NAME = "reached-through-the-cluster"
_WHY = "while the cluster is dark the name leads to its gateway, and that leads nowhere: the run cannot even ask"


def _find(given: Given) -> Iterator[Finding]:
    for what, host, where in _asked(given):
        if server := given.inside.of(host):
            todo = "write its address, or a name that the router knows"
            yield _finding(Weight.PARADOX, what, host, server, where, "leads through", todo)
        elif server := given.inside.maybe(host):
            todo = "look whether it does; if so, write its address, or a name that the router knows"
            yield _finding(Weight.UNKNOWN, what, host, server, where, "may lead through", todo)


def _asked(given: Given) -> Iterator[tuple[str, str, str]]:
    house = given.house
    for index, endpoint in enumerate(house.proxmox.endpoints):
        yield "Proxmox", host_of(endpoint.url), given.said_at("proxmox", "endpoints", index, "url")
    for nas in house.nas:
        yield f"NAS {nas.name}", nas.host, given.said_at("nas", nas.name, "url")
    for url, where in given.fetched_images():
        yield "the Talos image", host_of(url), where
    for source in house.crd_sources:
        yield f"definitions {source.key}", host_of(source.place), given.said_at("bootstrap", "crds")


def _finding(weight: Weight, what: str, host: str, server: Server, where: str, leads: str, todo: str) -> Finding:
    told = f"{what} is asked at {host}, which {leads} {server.told} ({server.declared_in or 'in the cluster'})"
    return Finding(NAME, weight, f"{what} at {host}", told, where, _WHY, todo)


RULE = Rule(NAME, "Does a run reach hosts, NAS or image only through the cluster it builds?", _find)
