"""What a NetworkPolicy leaves open to a pod of the lab, and that a pod which is fenced in gets there and nowhere else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.drills.jobs import restore_of
from adapters.drills.results import Phase
from adapters.drills.script import RESTORE
from adapters.volsync.reader import Request
from adapters.volsync.results import Snapshot
from lab.parts.kube import Object
from lab.parts.pods.contained import Contained, sidecar_files
from lab.parts.pods.netpolicy import Openings, matches, openings
from lab.parts.pods.podspec import Identity, Mount
from lab.parts.pods.sandbox import ERROR_CODE
from lab.parts.programs import CHECKOUT

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
    """Servers on this machine, each of which says its address and ends."""
    made = {}
    listening = [socket.create_server((host, 0)) for host in ("127.0.0.71", "127.0.0.72", "127.0.0.1")]
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


@pytest.mark.parametrize("left", [(), ("127.0.0.71",), ("127.0.0.71", "127.0.0.72"), ("127.0.0.1",)])
def test_a_fenced_pod_gets_where_it_may_and_nowhere_else(tmp_path: Path, servers: dict[str, int], left: tuple[str, ...]) -> None:
    asked = [f"{host}:{port}" for host, port in servers.items()]
    python = str(Path(sys.executable).resolve())
    one = Contained((python, "-I", "-c", ASK, *asked), {}, (), {}, NO_ONE, openings=tuple((host, servers[host]) for host in left))
    done = subprocess.run(one.argv_in(tmp_path, tmp_path / "exit"), capture_output=True, text=True, timeout=30)
    silent = {"127.0.0.1": "Connection refused"}  # the pod's own, at which nothing listens
    said = [f"{host} heard hello" if host in left else silent.get(host, "Network is unreachable") for host in servers]
    assert done.stdout.splitlines() == said, done
    assert (tmp_path / "exit").read_text() == "0"


RESTIC = """#!/bin/sh
exec {python} -I -c '
import socket
with socket.create_connection(("{host}", {port}), timeout=5) as there:
    there.sendall(b"hello")
    while there.recv(1 << 16):
        pass
print("{{\\"id\\": \\"aa\\"}}")
'
"""
MANY = 3 << 20


def test_a_fenced_restore_says_what_its_network_has_brought_it(tmp_path: Path) -> None:
    """The drill's own script, with a restic that fetches so much twice; what comes is a little more, for headers."""
    with socket.create_server(("127.0.0.73", 0)) as one:
        host, port = one.getsockname()[:2]
        threading.Thread(target=_send_many, args=(one,), daemon=True).start()
        restic = tmp_path / "restic"
        restic.write_text(RESTIC.format(python=Path(sys.executable).resolve(), host=host, port=port))
        restic.chmod(0o755)
        told = Request(against=Snapshot("aa", "bb")).environment() | {"RESTORED": "bb", "DAMAGE": ""}
        data, owner = Mount(tmp_path, "/data", read_only=True), Identity(0, 0, (), frozenset())
        asked = Contained(("sh", "-c", RESTORE), told, (data,), {"/usr/local/bin/restic": restic}, owner, openings=((host, port),))
        done = subprocess.run(asked.argv_in(tmp_path / "pod", tmp_path / "exit"), capture_output=True, text=True, timeout=60)
    found = restore_of(done.stdout)
    assert found.phase is Phase.DONE, done
    if found.received is None and not cables():
        pytest.skip("this kernel has no veth(4): nothing is counted")
    assert found.received is not None and 2 * MANY <= found.received < 2 * MANY * 1.1


def cables() -> bool:
    """Whether this kernel can lay a cable between two networks."""
    tried = "import sys; sys.path.insert(0, sys.argv[1]); from lab.parts.pods import podnet; sys.exit(not podnet.cable())"
    argv = ["unshare", "--user", "--map-root-user", "--net", sys.executable, "-I", "-c", tried, str(CHECKOUT)]
    return subprocess.run(argv, check=False, timeout=60).returncode == 0


def _send_many(one: socket.socket) -> None:
    for _ in range(2):
        taken, _ = one.accept()
        with taken:
            taken.recv(100)
            taken.sendall(b"x" * MANY)


SERVE = """
import http.server
print("it listens", flush=True)
http.server.HTTPServer(("127.0.0.1", 8080), http.server.SimpleHTTPRequestHandler).serve_forever()
"""
ASK_BESIDE = """
import http.client, os, time
while True:
    try:
        asked = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
        asked.request("GET", "/data/word")
        print(asked.getresponse().read().decode(), os.path.exists("/data"))
        break
    except ConnectionRefusedError:
        time.sleep(0.05)
"""


def test_a_sidecar_is_reached_from_its_own_pod_and_ends_with_it(tmp_path: Path) -> None:
    """In the pod's own network and with mounts of its own; nothing of it is left once the pod has ended."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "word").write_text("restored")
    data, python = Mount(tmp_path / "data", "/data"), str(Path(sys.executable).resolve())
    beside = Contained((python, "-I", "-c", SERVE), {}, (data,), {}, NO_ONE)
    one = Contained((python, "-I", "-c", ASK_BESIDE), {}, (), {}, NO_ONE, openings=(), beside={"application": beside})
    done = subprocess.run(one.argv_in(tmp_path, tmp_path / "exit"), capture_output=True, text=True, timeout=60)
    files = sidecar_files(tmp_path, "application")
    assert (done.stdout.strip(), files.last()) == ("restored False", None), done
    assert "it listens" in files.log.read_text()
    assert [one for one in Path("/proc").glob("[0-9]*/cmdline") if str(tmp_path) in _words(one)] == []


def test_a_sidecar_that_ends_is_begun_again_and_how_it_ended_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o777)
    (tmp_path / "data").chmod(0o777)
    data = Mount(tmp_path / "data", "/data")
    beside = Contained(("/bin/sh", "-c", "echo x >> /data/starts; exit 7"), {}, (data,), {}, NO_ONE)
    waiting = ("/bin/sh", "-c", 'until [ "$(wc -l < /data/starts)" = 3 ]; do sleep 0.05; done 2> /dev/null')
    one = Contained(waiting, {}, (data,), {}, NO_ONE, openings=(), beside={"application": beside})
    subprocess.run(one.argv_in(tmp_path, tmp_path / "exit"), check=True, timeout=60)
    last = sidecar_files(tmp_path, "application").last()
    assert last is not None and last.times >= 2 and last.code == 7
    assert last.began < last.ended


def test_a_sidecar_that_is_killed_has_not_the_code_of_the_time_before(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o777)
    (tmp_path / "data").chmod(0o777)
    data = Mount(tmp_path / "data", "/data")
    lives = "if [ -e /data/once ]; then touch /data/twice; exec sleep 60; fi; touch /data/once; exit 7"
    beside = Contained(("/bin/sh", "-c", lives), {}, (data,), {}, NO_ONE)
    waiting = ("/bin/sh", "-c", "until [ -e /data/over ]; do sleep 0.05; done")
    one = Contained(waiting, {}, (data,), {}, NO_ONE, openings=(), beside={"application": beside})
    files, told = sidecar_files(tmp_path, "application"), str(tmp_path / "sandbox-application.json")
    with subprocess.Popen(one.argv_in(tmp_path, tmp_path / "exit")) as pod:
        try:
            _until((tmp_path / "data" / "twice").exists)
            first = files.last()
            for found in [entry for entry in Path("/proc").glob("[0-9]*/cmdline") if told in _words(entry)]:
                with suppress(ProcessLookupError):  # it goes with its parent
                    os.kill(int(found.parent.name), signal.SIGKILL)
            _until(lambda: files.last() != first)
        finally:
            (tmp_path / "data" / "over").touch()
    last = files.last()
    assert first is not None and last is not None
    assert (first.times, first.code, last.times, last.code, pod.returncode) == (1, 7, 2, ERROR_CODE, 0)
    assert first.began < first.ended < last.began < last.ended
    now = files.since()
    assert now is None or now >= last.began


def _until(done: Callable[[], bool]) -> None:
    latest = time.monotonic() + 30
    while not done():
        assert time.monotonic() < latest
        time.sleep(0.02)


def _words(cmdline: Path) -> str:
    try:
        return cmdline.read_text().replace("\0", " ")
    except OSError:
        return ""
