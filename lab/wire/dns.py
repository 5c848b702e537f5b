"""A server of names over datagrams and connections, which answers from the World. Knows no house.

It answers A and AAAA, and every name that leads through another by that CNAME first; other types have no record. An answer that
does not fit a datagram of 512 bytes is cut, so that who asks comes back over a connection.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from ipaddress import ip_address
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from adapters.dns.results import Answer
from lab.world.dns import LabDns

_TTL_S, _FITS = 60, 512
_TRIES = 20
_TYPES = {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 6}


class DnsDoor:
    """One server of names at an address, as the world has it under `name`; port 0 takes any that is free."""

    def __init__(self, world: LabDns, name: str, host: str, port: int = 0) -> None:
        self._world, self._name = world, name
        self._udp, self._tcp = self._bound(host, port)
        self.port = int(self._udp.server_address[1])
        both = (self._udp, self._tcp)
        self._threads = [threading.Thread(target=one.serve_forever, args=(0.05,), name=f"dns {name}", daemon=True) for one in both]

    def _bound(self, host: str, port: int) -> tuple[_Datagrams, _Connections]:
        """Both at one port: a connection of somebody else may have the one that was free for datagrams."""
        for left in reversed(range(1 if port else _TRIES)):
            udp = _Datagrams((host, port), self)
            try:
                return udp, _Connections((host, int(udp.server_address[1])), self)
            except OSError:
                udp.server_close()
                if not left:
                    raise
        raise AssertionError("a port is tried at least once")

    def start(self) -> DnsDoor:
        """Begin to answer."""
        for thread in self._threads:
            thread.start()
        return self

    def close(self) -> None:
        """Stop."""
        for one in (self._udp, self._tcp):
            one.shutdown()
            one.server_close()

    def reply(self, asked: bytes, most: int = 65535) -> bytes | None:
        """The answer to a question; None: none at all."""
        if self._name in self._world.silent:
            return None
        try:
            question = dns.message.from_wire(asked)
        except dns.exception.DNSException:
            return None
        answer = dns.message.make_response(question, recursion_available=True)
        if self._name in self._world.failing or not question.question:
            answer.set_rcode(dns.rcode.SERVFAIL)
        else:
            self._fill(answer, question)
        wire = answer.to_wire()
        if len(wire) <= most:
            return wire
        answer.answer.clear()
        answer.flags |= dns.flags.TC
        return answer.to_wire()

    def _fill(self, answer: dns.message.Message, question: dns.message.Message) -> None:
        asked = question.question[0]
        name = str(asked.name).rstrip(".").lower()
        found = self._world.zones.get(self._name, {}).get(name)
        if found is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
            return
        answer.answer += _records(name, found, _TYPES.get(asked.rdtype, 0))


def _records(name: str, found: Answer, family: int) -> list[dns.rrset.RRset]:
    made, owner = [], f"{name}."
    for target in found.through:
        made.append(dns.rrset.from_text(owner, _TTL_S, "IN", "CNAME", f"{target}."))
        owner = f"{target}."
    addresses = [one for one in found.addresses if ip_address(one).version == family]
    if addresses:
        made.append(dns.rrset.from_text(owner, _TTL_S, "IN", "A" if family == 4 else "AAAA", *addresses))
    return made


class _Datagrams(socketserver.ThreadingUDPServer):
    daemon_threads = True

    def __init__(self, place: tuple[str, int], door: DnsDoor) -> None:
        self.door = door
        super().__init__(place, _Datagram)


class _Connections(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, place: tuple[str, int], door: DnsDoor) -> None:
        self.door = door
        super().__init__(place, _Connection)


class _Datagram(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        asked, place = self.request
        said = cast("_Datagrams", self.server).door.reply(asked, _FITS)
        if said is not None:
            place.sendto(said, self.client_address)


class _Connection(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while len(head := self.rfile.read(2)) == 2:
            said = cast("_Connections", self.server).door.reply(self.rfile.read(struct.unpack("!H", head)[0]))
            if said is None:
                return
            self.wfile.write(struct.pack("!H", len(said)) + said)
