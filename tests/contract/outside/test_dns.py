"""The Dns port behind both doors: the modelled one, and dnspython against the lab's server of names."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import dns.message
import dns.query
import dns.rcode
import dns.rrset
import pytest

from adapters.dns.adapter import DnsQueries
from adapters.dns.port import DnsView
from adapters.dns.results import Answer
from engine.errors import TransientError
from house.values.dns import DnsServer
from lab.ports.outside.dns import ModelledDns
from lab.wire.dns import DnsDoor
from lab.world.clock import VirtualClock
from lab.world.dns import LabDns
from lab.world.world import World

MANY = tuple(f"10.9.{number // 200}.{number % 200 + 1}" for number in range(60))
ZONE = {
    "www.house.example": Answer(("10.0.0.60", "fd00::60")),
    "notes.house.example": Answer(("10.0.0.60",), ("gateway.house.example",)),
    "nowhere.house.example": Answer((), ("gone.house.example",)),
    "many.house.example": Answer(tuple(sorted(MANY))),
}


class Asked:
    """One door with the world behind it."""

    def __init__(self, view: DnsView, world: LabDns, port: int) -> None:
        self.view, self.world, self.port = view, world, port

    def ask(self, name: str) -> Answer:
        return self.view.ask("127.0.0.1", self.port, name)


@pytest.fixture(params=["modelled", "wire"])
def door(request: pytest.FixtureRequest) -> Iterator[Asked]:
    world = LabDns({"inside": dict(ZONE)})
    if request.param == "modelled":
        servers = [DnsServer("inside", "127.0.0.1", 53, ())]
        yield Asked(ModelledDns(World(VirtualClock()), world, servers), world, 53)
        return
    server = DnsDoor(world, "inside", "127.0.0.1").start()
    yield Asked(DnsQueries(timeout_s=1.0), world, server.port)
    server.close()


@pytest.mark.parametrize("name", ZONE)
def test_a_name_leads_where_its_server_says(door: Asked, name: str) -> None:
    assert door.ask(name) == ZONE[name]


def test_a_name_that_the_server_does_not_have_leads_nowhere(door: Asked) -> None:
    assert door.ask("other.house.example") == Answer()


def test_a_server_that_is_silent_or_fails_is_no_server_without_the_name(door: Asked) -> None:
    door.world.silent.add("inside")
    with pytest.raises(TransientError, match="does not answer"):
        door.ask("www.house.example")
    door.world.silent.clear()
    door.world.failing.add("inside")
    with pytest.raises(TransientError, match="SERVFAIL"):
        door.ask("www.house.example")


def test_a_port_that_nobody_listens_at_is_a_silent_server() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TransientError, match=f"dig @127.0.0.1 -p {port}|does not say") as told:
        DnsQueries(timeout_s=0.2).ask("127.0.0.1", port, "www.house.example")
    assert told.value.next_command == f"dig @127.0.0.1 -p {port} www.house.example"


def test_what_answers_nonsense_or_another_question_is_not_believed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as liar:
        liar.bind(("127.0.0.1", 0))
        liar.settimeout(5.0)
        lied: list[int] = []

        def lie() -> None:
            asked, who = liar.recvfrom(512)
            lied.append(liar.sendto(b"nonsense", who))
            other = dns.message.make_query("other.example", "A")
            other.id = dns.message.from_wire(asked).id
            lied.append(liar.sendto(dns.message.make_response(other).to_wire(), who))

        thread = threading.Thread(target=lie, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(TransientError):
            DnsQueries(timeout_s=1.0).ask("127.0.0.1", liar.getsockname()[1], "www.house.example")
        assert time.monotonic() - began < 20.0
        thread.join(10.0)
        assert len(lied) == 2


def test_the_door_has_no_record_of_another_type_and_answers_no_nonsense() -> None:
    server = DnsDoor(LabDns({"inside": dict(ZONE)}), "inside", "127.0.0.1").start()
    try:
        told = dns.query.udp(dns.message.make_query("www.house.example", "TXT"), "127.0.0.1", 1.0, server.port)
        assert told.answer == []
        assert server.reply(b"nonsense") is None
    finally:
        server.close()


def _said_once(*lines: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR, authority: str = "") -> Answer:
    """What the adapter makes of these records, whichever of its questions they answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10.0)

        def serve() -> None:
            for _ in range(2):
                with contextlib.suppress(OSError):
                    asked, who = server.recvfrom(512)
                    told = dns.message.make_response(dns.message.from_wire(asked))
                    told.set_rcode(rcode)
                    told.answer += [dns.rrset.from_text(*line.split()) for line in lines]
                    told.authority += [dns.rrset.from_text(*authority.split(" ", 4))] if authority else []
                    server.sendto(told.to_wire(), who)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            return DnsQueries(timeout_s=10.0).ask("127.0.0.1", server.getsockname()[1], "www.house.example")
        finally:
            server.close()


@pytest.mark.parametrize("authority", ["house.example. 60 IN NS ns.elsewhere.example.", ". 60 IN NS a.root-servers.example."])
def test_who_only_names_other_servers_does_not_say_that_a_name_is_not_there(authority: str) -> None:
    with pytest.raises(TransientError, match="only names other servers"):
        _said_once(authority=authority)


@pytest.mark.parametrize("authority", ["", "house.example. 60 IN SOA ns.house.example. me.house.example. 1 2 3 4 5"])
@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN])
def test_who_knows_the_zone_says_that_a_name_is_not_there(rcode: dns.rcode.Rcode, authority: str) -> None:
    assert _said_once(rcode=rcode, authority=authority) == Answer()


@pytest.mark.parametrize(("lines", "rcode"), [
    (("www.house.example. 60 IN CNAME gone.house.example.",), dns.rcode.NXDOMAIN),
    (("www.house.example. 60 IN CNAME a.example.", "a.example. 60 IN CNAME www.house.example."), dns.rcode.NOERROR),
    (("www.house.example. 60 IN CNAME www.house.example.",), dns.rcode.NOERROR),
])  # fmt: skip
def test_a_name_passed_through_to_what_is_not_there_leads_nowhere(lines: tuple[str, ...], rcode: dns.rcode.Rcode) -> None:
    found = _said_once(*lines, rcode=rcode)
    assert (found.addresses, bool(found.through), found.nowhere) == ((), True, True)


@pytest.mark.parametrize("line", ["60 IN A 10.0.0.60", "60 IN CNAME gateway.house.example."])
def test_records_of_another_name_are_no_answer(line: str) -> None:
    assert _said_once(f"other.house.example. {line}") == Answer()
