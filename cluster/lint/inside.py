"""What answers only while the cluster does: addresses of its load balancers, gateways and nodes, names of its routes.

A large address pool says nothing: houses give it the whole network, the router in it. Names with variables are compared as far
as they are known: what only may be inside is said to be no more than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network, summarize_address_range
from typing import Any

from cluster.lint.programs import Program
from house.files import yamlfile
from house.files.grammar import Address, address_of, url_parts
from house.files.shapes import mapping, sequence
from house.files.yamlfile import YamlInvalid
from house.flux.rendered import Rendered, RenderedObject
from house.model import House
from house.repository.talconfigs.machine import Tells

ADDRESS_KEYS = (
    "lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips", "metallb.universe.tf/loadBalancerIPs", "metallb.io/loadBalancerIPs",
    "kube-vip.io/loadbalancerIPs",
)  # fmt: skip
"""Annotations of a Service or Gateway with the addresses that it is given."""
_POOLS = ("CiliumLoadBalancerIPPool", "IPAddressPool")
_SMALL = 32
"""So many addresses at most has a pool that is for load balancers alone."""
Network = IPv4Network | IPv6Network
_ROUTES = ("HTTPRoute", "TLSRoute", "GRPCRoute")
_HOST_RULE = re.compile(r"Host(?:SNI)?\(([^)]*)\)")
_QUOTED = re.compile(r"[`\"']([^`\"']+)[`\"']")
_AFTER_HOST = re.compile(r"[/?#]")
_VARIABLE = re.compile(r"\$\{[^}]*\}")
_OWN = re.compile(r"(?:^|\.)svc(?:\.cluster\.local)?$|\.cluster\.local$")
HOME = (".lan", ".local", ".home", ".internal", ".home.arpa", ".localdomain", ".intern")
"""Domains that a home's own router answers for."""
_NOBODYS = (".invalid", ".test", ".example", ".localhost")
"""Domains that no house has (RFC 2606)."""
_DEEPEST = 12


@dataclass(frozen=True)
class Server:
    """What of the cluster serves it, and where that is declared."""

    told: str
    declared_in: str


@dataclass(frozen=True)
class Inside:
    """All that is known to be served from inside. `patterns` are names with a variable or a wildcard in them."""

    addresses: dict[Address, Server]
    networks: tuple[tuple[Network, Server], ...]
    names: dict[str, Server]
    patterns: tuple[tuple[re.Pattern[str], Server], ...]
    namespaces: frozenset[str] = frozenset()

    def of(self, host: str) -> Server | None:
        """Who serves this host (a name or an address), None where it is not known to be the cluster."""
        name = host.strip("[]").lower().rstrip(".")
        space = name.partition(".")[2]
        if _OWN.search(name) or (space and space in self.namespaces and f".{space}" not in HOME):
            return Server("a Service of the cluster", "")
        address = address_of(name)
        if address is None:
            return self.names.get(name)
        found = self.addresses.get(address)
        return found or next((server for network, server in self.networks if address in network), None)

    def maybe(self, host: str) -> Server | None:
        """Who may serve it, as far as names tell that have variables, wildcards, or a namespace called like a home's domain."""
        name = host.lower().rstrip(".")
        if name.endswith(_NOBODYS):
            return None
        if (space := name.partition(".")[2]) and space in self.namespaces:
            return Server("a Service of the cluster", f"in namespace {space}")
        return next((server for pattern, server in self.patterns if pattern.fullmatch(name)), None)

    def answers(self, url: str) -> bool:
        """Whether what is asked at this URL runs in the cluster: a name without a dot is known there alone."""
        host = host_in(url if "://" in url else f"http://{url}")
        return bool(host) and (self.of(host) is not None or ("." not in host and address_of(host) is None))


def host_in(url: str) -> str:
    """The host of a URL; "" for none, and for one with a variable in it. What comes after the host may have any."""
    scheme, _, rest = url.partition("://")
    parts = url_parts(f"{scheme}://{_AFTER_HOST.split(rest)[0]}")
    return (parts.hostname or "") if parts is not None else ""


def inside_of(house: House, rendered: Rendered, programs: Iterable[Program]) -> Inside:
    """Everything that Git and talconfig show of it."""
    addresses: dict[Address, Server] = {}
    names: dict[str, Server] = {}
    patterns: dict[str, Server] = {}
    for text, server in _addresses(house, rendered, programs):
        for part in text.split(","):
            address = address_of(part.strip())
            if address is not None:
                addresses.setdefault(address, server)
    for text, server in (*_names(rendered), *(pair for program in programs for pair in _names_of_values(program))):
        name = text.strip().lower().rstrip(".")
        if "${" in name or name.startswith("*."):
            patterns.setdefault(name, server)
        elif "." in name:
            names.setdefault(name, server)
    namespaces = frozenset({*house.namespaces, *(one.namespace for one in rendered.objects if one.namespace)})
    return Inside(addresses, tuple(_networks(house, rendered)), names, tuple(_compiled(patterns)), namespaces)


def _addresses(house: House, rendered: Rendered, programs: Iterable[Program]) -> Iterator[tuple[str, Server]]:
    for node in house.nodes:
        yield node.address, Server(f"node {node.name}", "")
    yield house.cluster.vip, Server("the cluster's VIP", "")
    for one in rendered.objects:
        server = _server(one)
        if one.kind == "Service" and not one.group:
            yield str(one.spec.get("loadBalancerIP") or ""), server
            yield ",".join(map(str, sequence(one.spec.get("externalIPs")))), server
            yield from ((text, server) for text in _annotated(mapping(one.body.get("metadata")).get("annotations")))
        elif one.kind == "Gateway":
            for item in sequence(one.spec.get("addresses")):
                yield str(mapping(item).get("value") or ""), server
            yield from ((text, server) for text in _annotated(mapping(one.spec.get("infrastructure")).get("annotations")))
    for program in programs:
        server = Server(program.told, program.declared_in)
        for _, section in sections(program.values):
            yield from ((text, server) for text in _annotated(section.get("annotations")))
            yield from ((str(section[key]), server) for key in ("loadBalancerIP",) if isinstance(section.get(key), str))


def _annotated(annotations: Any) -> Iterator[str]:
    for key in ADDRESS_KEYS:
        text = mapping(annotations).get(key)
        if isinstance(text, str):
            yield text


def _networks(house: House, rendered: Rendered) -> Iterator[tuple[Network, Server]]:
    for one in rendered.objects:
        if one.kind in _POOLS:
            for item in (*sequence(one.spec.get("blocks")), *sequence(one.spec.get("addresses"))):
                for network in _of_pool(item):
                    yield network, _server(one)
    for setting in house.machine:
        if setting.tells is Tells.SERVICES:
            try:
                yield ip_network(setting.value), Server("a Service of the cluster", setting.declared_in)
            except ValueError:
                continue


def _of_pool(item: Any) -> list[Network]:
    """A block of a pool: a network, or its first and last address. None where other machines may have addresses of it too."""
    block = mapping(item)
    text = str(block.get("cidr") or (f"{block.get('start')}-{block.get('stop') or block.get('start')}" if block else item))
    try:
        if "-" in text:
            first, _, last = text.partition("-")
            found: list[Network] = list(summarize_address_range(ip_address(first.strip()), ip_address(last.strip())))
        else:
            found = [ip_network(text.strip(), strict=False)]
    except (ValueError, TypeError):
        return []
    return found if sum(network.num_addresses for network in found) <= _SMALL else []


def _names(rendered: Rendered) -> Iterator[tuple[str, Server]]:
    for one in rendered.objects:
        server = _server(one)
        if one.kind in _ROUTES and one.group == "gateway.networking.k8s.io":
            yield from ((str(name), server) for name in sequence(one.spec.get("hostnames")))
        elif one.kind == "Ingress" and one.group == "networking.k8s.io":
            yield from ((str(mapping(rule).get("host") or ""), server) for rule in sequence(one.spec.get("rules")))
        elif one.kind in ("IngressRoute", "IngressRouteTCP") and "traefik" in one.group:
            for route in sequence(one.spec.get("routes")):
                for told in _HOST_RULE.findall(str(mapping(route).get("match") or "")):
                    yield from ((name, server) for name in _QUOTED.findall(told))
        elif one.kind == "ConfigMap" and not one.group:
            yield from ((name, server) for text in mapping(one.body.get("data")).values() for name in _tunnelled(text))


def _tunnelled(text: Any) -> Iterator[str]:
    """Names that a configuration of cloudflared leads into the cluster."""
    if not isinstance(text, str) or "ingress:" not in text or "hostname:" not in text:
        return
    try:
        rules = sequence(mapping(yamlfile.value(text)).get("ingress"))
    except YamlInvalid:
        return
    for rule in map(mapping, rules):
        if rule.get("service") and isinstance(rule.get("hostname"), str):
            yield rule["hostname"]


def _names_of_values(program: Program) -> Iterator[tuple[str, Server]]:
    """`hostnames` of a route and `hosts` of an ingress, in the forms that charts have them in."""
    server = Server(program.told, program.declared_in)
    for path, section in sections(program.values):
        if not {"ingress", "ingresses", "route", "routes", "httproute"} & {step.lower() for step in path}:
            continue
        for item in (*sequence(section.get("hostnames")), *sequence(section.get("hosts"))):
            name = mapping(item).get("host", item)
            if isinstance(name, str):
                yield name, server
        for key in ("host", "hostname"):
            if isinstance(section.get(key), str):
                yield section[key], server


def sections(values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Every mapping in a chart's values with its path, but for those that say `enabled: false` and what lies below them."""
    if not isinstance(values, dict) or len(path) > _DEEPEST or values.get("enabled") is False:
        return
    yield path, values
    for key, item in values.items():
        for below in item if isinstance(item, list) else (item,):
            yield from sections(below, (*path, str(key)))


def _compiled(patterns: dict[str, Server]) -> Iterator[tuple[re.Pattern[str], Server]]:
    """Only those with a first label that is known, or a wildcard before a domain that is: others would fit everything."""
    for text, server in patterns.items():
        label, _, rest = text.partition(".")
        literal = "${" not in label and rest
        wildcard = label == "*" and "${" not in rest
        if not (wildcard if label == "*" else literal):
            continue
        parts = [re.escape(part) for part in _VARIABLE.split(text)]
        yield re.compile("[a-z0-9.-]+".join(parts).replace(re.escape("*"), "[a-z0-9-]+")), server


def _server(one: RenderedObject) -> Server:
    return Server(f"{one.kind} {one.namespace}/{one.name}", one.declared_in)
