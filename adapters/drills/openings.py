"""The way from a mover's pod to its store as a NetworkPolicy's rule: exactly there and on its port. Writes nothing.

A store on the public internet has addresses that change by the minute: its movers may go anywhere there, on that port, and to
nothing that is private. Any other is let through by its addresses; one inside the cluster by the labels of its pods, since
network plugins hold a rule against the address behind a Service.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from adapters.drills.store import StoreAt
from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import Kind
from adapters.kubernetes.objects import Obj, dig, rows, table, text
from engine.errors import TransientError

SERVICE = Kind("", "v1", "services", "Service")
SLICE = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice")
_PRIVATE_4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
_PRIVATE_6 = ("::/127", "64:ff9b:1::/48", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8")
_IN_CLUSTER = (".svc", ".svc.cluster.local")

Resolver = Callable[[str], tuple[str, ...]]
"""A host's addresses, in a stable order; () for a name that has none. TransientError while nobody says."""


@dataclass(frozen=True)
class Opening:
    """One exception: an egress rule (None: no network is needed), and `host:port` of what it leads to, as far as that is known."""

    rule: Obj | None
    addresses: tuple[str, ...]

    @property
    def mark(self) -> str:
        """A label's value: the same for the same rule."""
        return hashlib.sha256(json.dumps(self.rule, sort_keys=True).encode()).hexdigest()[:12]


def resolved(host: str) -> tuple[str, ...]:
    """As this machine resolves it."""
    try:
        return tuple(sorted({str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}))
    except socket.gaierror as error:
        raise TransientError(
            f"the store's name {host} cannot be resolved here", evidence=(str(error),),
            hint="a drill opens its fence to the store's addresses alone, so it must know them",
        ) from error  # fmt: skip


def addresses_of(client: ApiClient) -> tuple[str, ...]:
    """`host:port` of the cluster's own API: as we reach it, as its Service has it, and each of its servers.

    The first has just answered us, so that silence there is the fence's. What is only this machine's (loopback) is left out.
    """
    url = urlsplit(client.server)
    found = [at_port(address, url.port or 443) for address in _literal(url.hostname or "") or resolved(url.hostname or "")]
    service = client.get(SERVICE, "kubernetes", "default") or {}
    slices = client.list_objects(SLICE, "default", labels="kubernetes.io/service-name=kubernetes")
    ends = [
        at_port(str(at), int(port["port"]))
        for one in slices for port in rows(one, "ports") for end in rows(one, "endpoints") for at in dig(end, "addresses") or ()
    ]  # fmt: skip
    if cluster_ip := text(service, "spec", "clusterIP"):
        found.append(at_port(cluster_ip, 443))
    return tuple(dict.fromkeys(at for at in (*found, *sorted(ends)) if not _own(at)))


def _own(at: str) -> bool:
    """Whether this is whoever asks, from every machine and every pod."""
    return at.startswith(("127.0.0.1:", "[::1]:"))


def opening_to(client: ApiClient, store: StoreAt | None, namespace: str, resolver: Resolver) -> Opening:
    """The exception for a store, as a mover of this namespace reaches it."""
    if store is None:
        return Opening(None, ())
    if not store.host:
        return _public(store.port, ())
    service = _service_of(client, store.host, namespace)
    if service is not None:
        return _inside(client, service, store.port)
    addresses = _literal(store.host) or resolver(store.host)
    named = tuple(at_port(address, store.port) for address in addresses)
    if not addresses:
        hint = "a drill opens its fence to the store's addresses alone, so it must know them"
        raise TransientError(f"the store's name {store.host} has no address", hint=hint)
    if all(ipaddress.ip_address(address).is_global for address in addresses):
        return _public(store.port, named)
    return Opening(_rule([_block(address) for address in addresses], store.port), named)


def at_port(address: str, port: int) -> str:
    """`10.0.0.1:443`, or `[fd00::1]:443`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _literal(host: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(host)),)
    except ValueError:
        return ()


def _public(port: int, addresses: tuple[str, ...]) -> Opening:
    anywhere: list[Obj] = [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE_4)}}, {"ipBlock": {"cidr": "::/0", "except": list(_PRIVATE_6)}},
    ]  # fmt: skip
    return Opening(_rule(anywhere, port), addresses)


def _service_of(client: ApiClient, host: str, namespace: str) -> Obj | None:
    """The Service that a pod of this namespace means by this name, None for what is no Service's name."""
    inside = next((host.removesuffix(end) for end in reversed(_IN_CLUSTER) if host.endswith(end)), "")
    name, _, where = (inside or host).partition(".")
    if (not inside and host.count(".") > 1) or _literal(host):
        return None
    return client.get(SERVICE, name, where or namespace)


def _inside(client: ApiClient, service: Obj, port: int) -> Opening:
    where, name = text(service, "metadata", "namespace"), text(service, "metadata", "name")
    cluster_ip = text(service, "spec", "clusterIP")
    addresses = (at_port(cluster_ip, port),) if cluster_ip not in ("", "None") else ()
    ports = [p.get("targetPort") or p["port"] for p in rows(service, "spec", "ports") if p.get("port") == port]
    behind: list[Obj] = [{"protocol": "TCP", "port": one} for one in ports] or [{"protocol": "TCP", "port": port}]
    if selector := table(service, "spec", "selector"):
        space = {"matchLabels": {"kubernetes.io/metadata.name": where}}
        return Opening({"to": [{"namespaceSelector": space, "podSelector": {"matchLabels": selector}}], "ports": behind}, addresses)
    slices = client.list_objects(SLICE, where, labels=f"kubernetes.io/service-name={name}")
    found = sorted({str(at) for one in slices for end in rows(one, "endpoints") for at in dig(end, "addresses") or ()})
    wanted = sorted({int(p["port"]) for one in slices for p in rows(one, "ports") if p.get("port")}) or [port]
    behind = [{"protocol": "TCP", "port": one} for one in wanted]
    return Opening({"to": [_block(at) for at in found], "ports": behind} if found else None, addresses)


def _block(address: str) -> Obj:
    return {"ipBlock": {"cidr": f"{address}/{128 if ':' in address else 32}"}}


def _rule(to: list[Obj], port: int) -> Obj:
    return {"to": to, "ports": [{"protocol": "TCP", "port": port}]} if port else {"to": to, "ports": [{"protocol": "TCP"}]}
