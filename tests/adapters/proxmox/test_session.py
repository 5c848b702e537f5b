"""The border to Proxmox: certificates, endpoints, odd answers, lost connections. Against hand-made HTTPS servers."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from adapters.proxmox.adapter import ProxmoxAdapter
from adapters.proxmox.session import Sessions, Timeouts
from engine.errors import BlackstartError, PermanentError, SettingsInvalid, TransientError
from engine.secrets import Secret
from house.model import ProxmoxAccess, ProxmoxEndpoint, SecretRef
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA

VALUE = "c0ffee00-very-secret"
NOBODY = "https://127.0.0.1:1"  # nothing listens on port 1
VERSION = json.dumps({"data": {"version": "9.1.4"}}).encode()


class Servers:
    """Starts hand-made endpoints; all end with the test."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ca = LabCA(folder)
        self.keys = self.ca.server("pve", "127.0.0.1")
        self._stack = stack
        self.seen: list[Request] = []

    def start(self, answer: Callable[[Request], Reply]) -> str:
        """URL of a new endpoint."""

        def noted(request: Request) -> Reply:
            self.seen.append(request)
            return answer(request)

        server = HttpsServer("127.0.0.1", 0, self.keys.context("http/1.1"), noted).start()
        self._stack.callback(server.close)
        return server.url

    def sessions(self, *endpoints: ProxmoxEndpoint, answer_s: float = 5.0, patience_s: float = 45.0) -> Sessions:
        """Sessions over these endpoints, closed with the test."""
        access = ProxmoxAccess(endpoints, "blackstart@pve!run", SecretRef(("env:X",)))
        sessions = Sessions(access, lambda: Secret(VALUE), Timeouts(2.0, answer_s, patience_s))
        self._stack.callback(sessions.close)
        return sessions

    def pinned(self, *urls: str, answer_s: float = 5.0, patience_s: float = 45.0) -> Sessions:
        """Sessions that take only our certificate."""
        endpoints = (ProxmoxEndpoint(url, self.keys.fingerprint) for url in urls)
        return self.sessions(*endpoints, answer_s=answer_s, patience_s=patience_s)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        yield Servers(tmp_path, stack)


def version(request: Request) -> Reply:
    """A good endpoint."""
    return Reply(body=VERSION, headers={"Content-Type": "application/json"})


def look(sessions: Sessions) -> object:
    """One look."""
    return sessions.send("GET", "/version", "read the version")


class TestCertificates:
    def test_the_pinned_one_is_taken_and_the_token_sent(self, servers: Servers) -> None:
        assert look(servers.pinned(servers.start(version))) == {"version": "9.1.4"}
        assert servers.seen[0].headers["authorization"] == f"PVEAPIToken=blackstart@pve!run={VALUE}"

    def test_another_one_is_refused_before_the_token_leaves(self, servers: Servers) -> None:
        url = servers.start(version)
        with pytest.raises(PermanentError, match="not the one in the settings") as caught:
            look(servers.sessions(ProxmoxEndpoint(url, "AB:" * 31 + "AB")))
        assert caught.value.evidence == (f"its SHA-256 fingerprint is {servers.keys.fingerprint}",)  # as it can be pasted
        assert servers.seen == []

    def test_a_changed_fingerprint_does_not_fall_back_to_another_endpoint(self, servers: Servers) -> None:
        bad, good = servers.start(version), servers.start(version)
        sessions = servers.sessions(
            ProxmoxEndpoint(bad, "AB:" * 31 + "AB"), ProxmoxEndpoint(good, servers.keys.fingerprint)
        )
        with pytest.raises(PermanentError, match="not the one in the settings"):
            look(sessions)

    def test_an_authority_file_is_enough(self, servers: Servers) -> None:
        assert look(servers.sessions(ProxmoxEndpoint(servers.start(version), "", str(servers.ca.ca_file))))

    def test_an_unknown_authority_is_refused(self, servers: Servers, tmp_path: Path) -> None:
        other = LabCA(tmp_path / "other")
        for ca_file in (str(other.ca_file), ""):
            with pytest.raises(PermanentError, match="not signed by a known authority"):
                look(servers.sessions(ProxmoxEndpoint(servers.start(version), "", ca_file)))
        assert servers.seen == []

    def test_the_environment_does_not_matter(self, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", NOBODY)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
        assert look(servers.pinned(servers.start(version)))


class TestEndpoints:
    def test_they_are_tried_in_order_and_the_good_one_is_remembered(self, servers: Servers) -> None:
        first = servers.start(version)
        sessions = servers.pinned(NOBODY, first, servers.start(lambda request: pytest.fail("the third one was asked")))
        for _ in range(3):
            assert look(sessions)
        assert len(servers.seen) == 3

    def test_nobody_answers(self, servers: Servers) -> None:
        with pytest.raises(TransientError, match="no Proxmox endpoint can be reached") as caught:
            look(servers.pinned(NOBODY, "https://127.0.0.2:1"))
        assert len(caught.value.evidence) == 2

    def test_a_look_moves_on_when_a_connection_is_lost(self, servers: Servers) -> None:
        assert look(servers.pinned(servers.start(lambda request: Reply(drop=True)), servers.start(version)))

    def test_a_look_moves_on_when_a_host_cannot_reach_another(self, servers: Servers) -> None:
        lost = servers.start(lambda request: Reply(595, "No route to host", close=True))
        assert look(servers.pinned(lost, servers.start(version)))

    def test_a_change_that_may_have_arrived_is_never_sent_again(self, servers: Servers) -> None:
        urls = servers.start(lambda request: Reply(drop=True)), servers.start(version)
        with pytest.raises(TransientError):
            servers.pinned(*urls).send("POST", "/nodes/a/qemu", "create VM 100", {"vmid": 100})
        assert len(servers.seen) == 1

    def test_a_change_that_cannot_have_arrived_is_sent_to_the_next(self, servers: Servers) -> None:
        upid = "UPID:a:00001ED0:00035693:66343A23:qmstop:100:blackstart@pve!run:"
        url = servers.start(lambda request: Reply(body=json.dumps({"data": upid}).encode()))
        assert servers.pinned(NOBODY, url).send("POST", "/nodes/a/qemu/100/status/stop", "stop VM 100") == upid

    def test_a_slow_endpoint_is_given_up(self, servers: Servers) -> None:
        release = threading.Event()

        def hang(request: Request) -> Reply:
            release.wait(10.0)
            return version(request)

        try:
            with pytest.raises(TransientError, match="did not answer in time"):
                look(servers.pinned(servers.start(hang), answer_s=0.2))
        finally:
            release.set()

    def test_a_host_that_hangs_is_named_whichever_endpoint_was_asked(self, servers: Servers) -> None:
        silent = [servers.start(lambda request: Reply(596, "Connection timed out", close=True)) for _ in range(2)]
        with pytest.raises(TransientError, match="host pve-3 gives no answer: could not read its clock") as caught:
            servers.pinned(NOBODY, *silent).send("GET", "/nodes/pve-3/time", "read its clock")
        assert len(servers.seen) == 2
        assert len(caught.value.evidence) == 3

    def test_once_patience_is_over_no_further_endpoint_is_asked_about_a_host_that_hangs(self, servers: Servers) -> None:
        silent = [servers.start(lambda request: Reply(596, "Connection timed out", close=True)) for _ in range(4)]
        with pytest.raises(TransientError, match="host pve-3 gives no answer"):
            servers.pinned(NOBODY, *silent, patience_s=0.0).send("GET", "/nodes/pve-3/time", "read its clock")
        assert len(servers.seen) == 1

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8006", "127.0.0.1:8006", "https://"])
    def test_an_address_that_is_none(self, servers: Servers, url: str) -> None:
        with pytest.raises(SettingsInvalid):
            look(servers.sessions(ProxmoxEndpoint(url, "")))

    def test_every_thread_has_its_own_client(self, servers: Servers) -> None:
        sessions, gate = servers.pinned(servers.start(version)), threading.Barrier(4)
        results: list[object] = []

        def ask() -> None:
            gate.wait(5.0)
            results.extend(look(sessions) for _ in range(5))
            sessions.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10.0)
        assert results == [{"version": "9.1.4"}] * 20


class TestAnswers:
    @pytest.mark.parametrize(
        ("reply", "kind", "text"),
        [
            (Reply(body=b"<html>log in</html>"), PermanentError, "does not answer as a Proxmox API"),
            (Reply(body=b'{"ok": true}'), PermanentError, "does not answer as a Proxmox API"),
            (Reply(body=b"[]"), PermanentError, "does not answer as a Proxmox API"),
            (Reply(302, "Found", {"Location": "https://127.0.0.1:1/"}), PermanentError, "redirect"),
            (Reply(401, "No ticket", close=True), PermanentError, "No ticket"),
            (Reply(403, "Permission check failed (/, Sys.Audit)", close=True), PermanentError, "Sys.Audit"),
            (Reply(404, "Not Found", body=b"[1]"), PermanentError, "does not answer as a Proxmox API"),
            (Reply(500, "VM is locked (backup)", body=b'{"data":null}'), TransientError, "locked"),
            (Reply(500, "cluster not ready - no quorum?", body=b'{"data":null}'), TransientError, "no quorum"),
            (Reply(500, "something new", body=b'{"data":null}'), TransientError, "something new"),
            (Reply(596, "Broken pipe", close=True), TransientError, "Broken pipe"),
        ],
    )
    def test_each_odd_one_has_its_meaning(
        self, servers: Servers, reply: Reply, kind: type[BlackstartError], text: str
    ) -> None:
        with pytest.raises(kind, match=text) as caught:
            look(servers.pinned(servers.start(lambda request: reply)))
        assert caught.value.hint

    def test_a_refused_parameter_is_named(self, servers: Servers) -> None:
        body = json.dumps({"data": None, "errors": {"memory": "value must have a minimum value of 16"}}).encode()
        url = servers.start(lambda request: Reply(400, "Parameter verification failed.", body=body, close=True))
        with pytest.raises(PermanentError, match="memory: value must have a minimum") as caught:
            look(servers.pinned(url))
        assert caught.value.evidence == (
            "400 Parameter verification failed.",
            "memory: value must have a minimum value of 16",
        )

    @pytest.mark.parametrize("data", [None, {}, "done", 7, "UPID:a:b:c"])
    def test_a_change_without_a_task_is_looked_at_again(self, servers: Servers, data: object) -> None:
        url = servers.start(lambda request: Reply(body=json.dumps({"data": data}).encode()))
        access = ProxmoxAccess(
            (ProxmoxEndpoint(url, servers.keys.fingerprint),), "blackstart@pve!run", SecretRef(("env:X",))
        )
        adapter = ProxmoxAdapter(access, lambda: Secret(VALUE))
        with pytest.raises(TransientError, match="did not name the task"):
            adapter.start_vm("a", 100)
        with pytest.raises(TransientError, match="unknown shape"):
            adapter.storages("a")
        adapter.close()

    def test_booleans_are_numbers_on_the_wire(self, servers: Servers) -> None:
        servers.pinned(servers.start(version)).send(
            "POST", "/x", "try", {"onboot": True, "tablet": False, "name": "a b"}
        )
        assert sorted(servers.seen[0].body.decode().split("&")) == ["name=a+b", "onboot=1", "tablet=0"]


def test_the_secret_is_in_no_log_and_no_error(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("proxmoxer", "proxmoxer.core", "proxmoxer.backends.https"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    sessions = servers.pinned(servers.start(lambda request: Reply(500, "no", body=b"{}", close=True)))
    with pytest.raises(TransientError) as caught:
        sessions.send("POST", "/access/x", "try", {"password": VALUE})
    texts = [caplog.text, repr(caught.value), str(caught.value.evidence), repr(sessions)]
    assert not any(VALUE in text for text in texts)


def test_the_secret_is_asked_for_once_and_late(servers: Servers) -> None:
    asked: list[int] = []

    def secret() -> Secret:
        asked.append(1)
        return Secret(VALUE)

    url = servers.start(lambda request: Reply(body=VERSION, close=True))
    access = ProxmoxAccess(
        (ProxmoxEndpoint(url, servers.keys.fingerprint),), "blackstart@pve!run", SecretRef(("env:X",))
    )
    sessions = Sessions(access, secret)
    assert asked == []
    look(sessions)
    sessions.close()
    look(sessions)
    sessions.close()
    assert asked == [1]


@pytest.mark.parametrize("value", ["c0ffee00\nsecond-line", "c0ffee\u2026", "c0ffee\x1b[0m"])
def test_a_secret_that_is_no_token_is_refused_and_not_quoted(servers: Servers, value: str) -> None:
    access = ProxmoxAccess(
        (ProxmoxEndpoint(servers.start(version), servers.keys.fingerprint),), "blackstart@pve!run", SecretRef(("env:X",))
    )
    with pytest.raises(SettingsInvalid) as caught:
        look(Sessions(access, lambda: Secret(value)))
    assert "c0ffee" not in f"{caught.value} {caught.value.evidence} {caught.value.hint}"
    assert servers.seen == []


class TestAWrongToken:
    @staticmethod
    def no(request: Request) -> Reply:
        """As the API says it, after its three seconds."""
        return Reply(401, "Authentication failed!")

    def test_it_is_asked_once_and_everybody_is_told(self, servers: Servers) -> None:
        sessions = servers.pinned(servers.start(self.no), servers.start(version))
        told: list[str] = []

        def ask() -> None:
            with pytest.raises(PermanentError) as caught:
                look(sessions)
            told.append(caught.value.hint)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ask()
        assert len(told) == 9 and all("token" in hint for hint in told)
        assert len(servers.seen) == 1

    def test_a_good_one_lets_everybody_go_on_at_the_same_time(self, servers: Servers) -> None:
        together = threading.Barrier(3, timeout=5.0)

        def answer(request: Request) -> Reply:
            if len(servers.seen) > 1:
                together.wait()
            return version(request)

        sessions = servers.pinned(servers.start(answer))
        look(sessions)
        threads = [threading.Thread(target=look, args=(sessions,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not together.broken

    def test_what_is_no_refusal_of_the_token_is_not_remembered(self, servers: Servers) -> None:
        answers = iter([Reply(500, "not well"), version(Request("GET", "/", {}, b""))])
        sessions = servers.pinned(servers.start(lambda request: next(answers)))
        with pytest.raises(TransientError):
            look(sessions)
        assert look(sessions)
