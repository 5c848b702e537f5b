"""DNS that the cluster itself serves, to its own machines or to the house."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cluster.lint.finding import Finding, Rule, Weight
from cluster.lint.given import Given
from cluster.lint.inside import ADDRESS_KEYS, sections
from cluster.lint.programs import Program
from house.files.shapes import mapping, sequence
from house.flux.rendered import RenderedObject
from house.repository.talconfigs.machine import Tells

NAME = "dns-inside"
_SERVERS = ("pihole", "adguard-home", "adguardhome", "blocky", "technitium-dnsserver", "bind9", "powerdns", "unbound")
_INSTEAD = "let the router or another machine answer what a rebuild asks for, and have the cluster's names as a branch of that"


def _find(given: Given) -> Iterator[Finding]:
    asked = list(_asked(given))
    yield from asked
    known = {finding.subject for finding in asked}
    for told, where, addresses in _serving(given):
        if not known & set(addresses):
            at = f" at {', '.join(addresses)}" if addresses else ""
            yield Finding(
                NAME, Weight.PARADOX, told, f"{told} answers DNS for the house{at}, from inside the cluster", where,
                "while the cluster is dark its names are known to nobody: not to the router that asks it, not to you, and not to a "
                "NAS or a host that is called by one of them",
                f"{_INSTEAD}; in the settings write addresses, or names that the router knows by itself",
            )  # fmt: skip


def _asked(given: Given) -> Iterator[Finding]:
    """Resolvers of the machines that are addresses of the cluster."""
    for setting in given.house.machine:
        server = given.inside.of(setting.value) if setting.tells is Tells.NAMESERVER else None
        if server is not None:
            others = [s for s in given.house.machine if s.tells is Tells.NAMESERVER and given.inside.of(s.value) is None]
            yield Finding(
                NAME, Weight.PARADOX, setting.value, f"the machines ask {setting.value} for names, which {server.told} serves",
                setting.declared_in,
                "a machine that boots knows no registry and no time server by name, so that nothing is pulled that would answer it"
                + ("; the other resolver is asked after a while" if others else ""),
                _INSTEAD,
            )  # fmt: skip


def _serving(given: Given) -> Iterator[tuple[str, str, list[str]]]:
    """What listens for DNS outside of the cluster: its name, its place, its addresses."""
    for one in given.objects("", "Service"):
        if one.spec.get("type") == "LoadBalancer" and _has_port(one.spec.get("ports")):
            yield f"Service {one.namespace}/{one.name}", one.declared_in, _addresses_of(one)
    for program in given.programs:
        addresses = list(_of_values(program))
        if addresses or _by_itself(program):
            yield program.told, program.declared_in, sorted({part for text in addresses for part in text.split(",") if part})


def _has_port(ports: Any) -> bool:
    return any(mapping(port).get("port") == 53 for port in sequence(ports))


def _addresses_of(one: RenderedObject) -> list[str]:
    annotations = mapping(mapping(one.body.get("metadata")).get("annotations"))
    texts = [str(annotations.get(key) or "") for key in ADDRESS_KEYS] + [str(one.spec.get("loadBalancerIP") or "")]
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _of_values(program: Program) -> Iterator[str]:
    """Addresses, "" where none is written, of each section of values that is a load balancer with port 53."""
    for _, section in sections(program.values):
        if "LoadBalancer" not in (section.get("type"), section.get("serviceType")):
            continue
        if section.get("port") == 53 or _any_53(section.get("ports")) or _any_53(program.values.get("servers")):
            annotations = mapping(section.get("annotations"))
            yield next((str(annotations[key]) for key in ADDRESS_KEYS if key in annotations), "")


def _any_53(ports: Any) -> bool:
    """A list of ports or servers, or a mapping of named ones."""
    each = ports.values() if isinstance(ports, dict) else sequence(ports)
    return any(mapping(port).get("port") == 53 and mapping(port).get("enabled") is not False for port in each)


def _by_itself(program: Program) -> bool:
    """k8s-gateway is a load balancer on port 53 unless its values say otherwise; a chart of a DNS server where it is made one."""
    if program.chart == "k8s-gateway":
        return program.at("service", "type") in (None, "LoadBalancer")
    return program.chart in _SERVERS and any(
        "LoadBalancer" in (section.get("type"), section.get("serviceType")) for _, section in sections(program.values)
    )


RULE = Rule(NAME, "Who answers names to machines, and does the cluster have to be there for it?", _find)
