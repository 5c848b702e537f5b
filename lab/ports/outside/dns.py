"""The port of servers of names, in process."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.dns.results import Answer
from engine.errors import TransientError
from house.values.dns import DnsServer
from lab.world.dns import LabDns
from lab.world.world import World


class ModelledDns:
    """Dns port (adapters.dns.port)."""

    def __init__(self, world: World, dns: LabDns, servers: Iterable[DnsServer]) -> None:
        self._world, self._dns = world, dns
        self._names = {(server.host, server.port): server.name for server in servers}

    def ask(self, host: str, port: int, name: str) -> Answer:
        """See port.DnsView."""
        with self._world.looking():
            server = self._names.get((host, port), "")
            if server in self._dns.silent or server not in self._dns.zones:
                raise TransientError(f"the server of names {host} does not say where {name} leads: it does not answer")
            if server in self._dns.failing:
                raise TransientError(f"the server of names {host} does not say where {name} leads: it answers SERVFAIL")
            return self._dns.zones[server].get(name, Answer())
