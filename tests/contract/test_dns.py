"""The Dns port behind both doors: the modelled one, and dnspython against the lab's server of names."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import dns.message
import dns.query
import pytest

from adapters.dns.adapter import DnsQueries
from adapters.dns.port import DnsView
from adapters.dns.results import Answer
from engine.errors import TransientError
from house.dns import DnsServer
from lab.ports.dns import ModelledDns
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
    yield Asked(DnsQueries(timeout_s=0.3), world, server.port)
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

        def lie() -> None:
            asked, who = liar.recvfrom(512)
            liar.sendto(b"nonsense", who)
            other = dns.message.make_query("other.example", "A")
            other.id = dns.message.from_wire(asked).id
            liar.sendto(dns.message.make_response(other).to_wire(), who)

        thread = threading.Thread(target=lie, daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(TransientError):
            DnsQueries(timeout_s=0.3).ask("127.0.0.1", liar.getsockname()[1], "www.house.example")
        assert time.monotonic() - began < 2.0


def test_the_door_has_no_record_of_another_type_and_answers_no_nonsense() -> None:
    server = DnsDoor(LabDns({"inside": dict(ZONE)}), "inside", "127.0.0.1").start()
    try:
        told = dns.query.udp(dns.message.make_query("www.house.example", "TXT"), "127.0.0.1", 1.0, server.port)
        assert told.answer == []
        assert server.reply(b"nonsense") is None
    finally:
        server.close()
