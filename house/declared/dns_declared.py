"""The servers of names of the settings, with the names that external-dns gets from Git."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from house.files.shapes import mapping, sequence
from house.flux.rendered import Rendered
from house.settings.dns import DnsSection, name_of
from house.values.dns import DnsName, DnsServer

_GROUP, _KIND = "externaldns.k8s.io", "DNSEndpoint"
_LEADING = ("A", "AAAA", "CNAME")
"""Records that lead a name somewhere; others (TXT, MX, SRV) are not asked for."""


def declared_dns(sections: Mapping[str, DnsSection], rendered: Rendered) -> tuple[DnsServer, ...]:
    """One server per section, by name. What the settings say of a name counts more than that Git has it."""
    return tuple(_server(name, section, rendered) for name, section in sorted(sections.items()))


def _server(name: str, section: DnsSection, rendered: Rendered) -> DnsServer:
    host, port = section.server
    wanted = {one: DnsName(one, leads, f"dns.{name}.names") for one, leads in section.names.items()}
    left = 0
    for text, place in _endpoints(rendered) if section.endpoints else ():
        whole = _whole(text)
        left += not whole
        if whole:
            wanted.setdefault(whole, DnsName(whole, None, place))
    return DnsServer(name, host, port, tuple(wanted.values()), left)


def _endpoints(rendered: Rendered) -> Iterator[tuple[str, str]]:
    """Each name of a DNSEndpoint, and where that is written."""
    for one in rendered.objects:
        if (one.group, one.kind) != (_GROUP, _KIND):
            continue
        for endpoint in map(mapping, sequence(one.spec.get("endpoints"))):
            if endpoint.get("recordType", "A") in _LEADING and endpoint.get("dnsName"):
                yield str(endpoint["dnsName"]), one.declared_in


def _whole(text: str) -> str:
    """The name as it is asked for, "" for a variable or a wildcard."""
    try:
        return name_of(text)
    except ValueError:
        return ""
