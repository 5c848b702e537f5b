"""What a NetworkPolicy leaves open to a pod of the lab, and that a pod which is fenced in gets there and nowhere else."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.parts.contained import Contained
from lab.parts.kube import Object
from lab.parts.netpolicy import Openings, matches, openings
from lab.parts.podspec import Identity

POD: Object = {"metadata": {"name": "pod", "namespace": "space", "labels": {"app": "one", "tier": "back"}}}
NO_ONE = Identity(65534, 65534, (), frozenset())


def policy(selector: Object, egress: list[Object] | None, types: tuple[str, ...] = ("Egress",)) -> Object:
    spec = {"podSelector": selector, "policyTypes": list(types)} | ({"egress": egress} if egress is not None else {})
    return {"metadata": {"name": "policy"}, "spec": spec}


def to(cidr: str, port: object = 443, protocol: str = "TCP") -> Object:
    return {"to": [{"ipBlock": {"cidr": cidr}}], "ports": [{"protocol": protocol, "port": port}]}


@pytest.mark.parametrize(
    ("policies", "left"),
    [
        ([], None),
        ([policy({"matchLabels": {"app": "other"}}, [])], None),
        ([policy({}, [], ("Ingress",))], None),
        ([policy({}, [])], ()),
        ([policy({}, None)], ()),
        ([policy({}, []), policy({"matchLabels": {"app": "one"}}, [to("10.0.0.1/32")])], (("10.0.0.1", 443),)),
        ([policy({}, [to("10.0.0.0/24")])], ()),
        ([policy({}, [to("10.0.0.1/32", protocol="UDP")])], ()),
        ([policy({}, [to("10.0.0.1/32", port="https")])], ()),
        ([policy({}, [{"ports": [{"protocol": "UDP", "port": 53}]}])], ()),
        ([policy({}, [{"to": [{"podSelector": {}}]}])], ()),
        ([policy({}, []), policy({}, [{}])], None),
    ],
)  # fmt: skip
def test_what_is_left_open(policies: list[Object], left: Openings | None) -> None:
    assert openings(policies, POD) == left


@pytest.mark.parametrize(
    ("operator", "key", "values", "chosen"),
    [
        ("In", "app", ["one", "two"], True), ("In", "app", ["two"], False), ("NotIn", "app", ["two"], True),
        ("NotIn", "no", ["x"], True), ("Exists", "app", [], True), ("Exists", "no", [], False), ("DoesNotExist", "no", [], True),
    ],
)  # fmt: skip
def test_a_selector_of_expressions(operator: str, key: str, values: list[str], chosen: bool) -> None:
    selector = {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}
    assert matches(selector, POD["metadata"]["labels"]) is chosen


@pytest.fixture
def servers() -> Iterator[dict[str, int]]:
    """Two servers on this machine, each of which says its address and ends."""
    made = {}
    listening = [socket.create_server((host, 0)) for host in ("127.0.0.71", "127.0.0.72")]
    for one in listening:
        made[one.getsockname()[0]] = one.getsockname()[1]
        threading.Thread(target=_serve, args=(one,), daemon=True).start()
    yield made
    for one in listening:
        one.shutdown(socket.SHUT_RDWR)
        one.close()


def _serve(one: socket.socket) -> None:
    while True:
        try:
            taken, _ = one.accept()
        except OSError:
            return
        with taken:
            taken.sendall(f"{one.getsockname()[0]} heard {taken.recv(100).decode()}".encode())


ASK = """
import socket, sys
for at in sys.argv[1:]:
    host, port = at.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5) as there:
            there.sendall(b"hello")
            print(there.recv(100).decode())
    except OSError as error:
        print(error.strerror)
"""


@pytest.mark.parametrize("left", [(), ("127.0.0.71",), ("127.0.0.71", "127.0.0.72")])
def test_a_fenced_pod_gets_where_it_may_and_nowhere_else(tmp_path: Path, servers: dict[str, int], left: tuple[str, ...]) -> None:
    asked = [f"{host}:{port}" for host, port in servers.items()]
    python = str(Path(sys.executable).resolve())
    one = Contained((python, "-I", "-c", ASK, *asked), {}, (), {}, NO_ONE, openings=tuple((host, servers[host]) for host in left))
    done = subprocess.run(one.argv_in(tmp_path, tmp_path / "exit"), capture_output=True, text=True, timeout=30)
    said = [f"{host} heard hello" if host in left else "Network is unreachable" for host in servers]
    assert done.stdout.splitlines() == said, done
    assert (tmp_path / "exit").read_text() == "0"
