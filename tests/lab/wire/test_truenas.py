"""The TrueNAS door on the wire: its frames and limits, and its answers held against the schemas of three releases."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from lab.wire.truenas import calls
from lab.wire.truenas.methods import METHODS, NONE_OF_THEM, listed
from lab.world.nas import FULL, LabAlert, LabDataset, LabReplication, LabUser
from tests.contract.truenas_bench import KEY, VERSIONS, NasBench, bench
from tools.places import CHECKOUT

FACTS = CHECKOUT.parent / "shared" / "truenas-api"
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUST.check_hostname, TRUST.verify_mode = False, ssl.CERT_NONE
# The library's threaded client reads and writes one TLS session from two threads: with 1.3 its tickets may come meanwhile.
TRUST.maximum_version = ssl.TLSVersion.TLSv1_2
LOGIN = {"mechanism": "API_KEY_PLAIN", "username": "blackstart", "api_key": KEY}
SUMMARY = {"method": "pool.dataset.encryption_summary", "params": ["tank/media"]}
RELEASES = {"25.04.2.6": "25.04", "25.10.6": "25.10", "26.0.0-BETA.3": "26.0"}


@pytest.fixture(params=VERSIONS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, "25.10.6") as made:
        yield made


Ask = Callable[..., Any]


@contextmanager
def dialled(made: NasBench, path: str = "/api/current", *, login: bool = True) -> Iterator[tuple[ClientConnection, Ask]]:
    """A connection, and `ask(method, *params)` that answers the whole frame."""
    with connect(f"wss://127.0.0.1:{made.door.port}{path}", ssl=TRUST, proxy=None, max_size=None) as ws:

        def ask(method: str, *params: Any, number: Any = 1) -> Any:
            ws.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}))
            while "method" in (frame := json.loads(ws.recv(timeout=10))):
                pass
            return frame

        if login:
            assert ask("auth.login_ex", LOGIN)["result"]["response_type"] == "SUCCESS"
        yield ws, ask


def schemas(version: str) -> dict[str, Any]:
    file = FACTS / "schemas" / f"{RELEASES[version]}.json"
    if not file.is_file():
        pytest.skip("the schemas of the API are not here")
    methods: dict[str, Any] = json.loads(file.read_text())["methods"]
    return methods


ASKED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("system.info", ()), ("system.version", ()), ("system.ready", ()), ("auth.me", ()), ("pool.query", ()),
    ("pool.query", ([], {"count": True})),
    ("pool.get_instance", (1,)), ("pool.scrub.query", ()), ("pool.dataset.query", ()), ("pool.snapshottask.query", ()),
    ("pool.snapshot.query", ()), ("zfs.snapshot.query", ()),
    ("zfs.resource.snapshot.query", ({"paths": ["tank/backup"], "properties": ["creation"]},)),
    ("replication.query", ()), ("sharing.nfs.query", ()), ("sharing.smb.query", ()), ("service.query", ()), ("alert.list", ()),
    ("smart.test.results", ()), ("filesystem.stat", ("/mnt/tank/backup",)), ("core.get_jobs", ()), ("core.set_options", ({},)),
    ("core.ping", ()), ("disk.query", ()), ("disk.temperatures", ()), ("boot.get_state", ()), ("cloudsync.query", ()),
    ("vm.query", ()), ("app.query", ()), ("service.started", ("nfs",)), ("system.product_type", ()), ("system.host_id", ()),
    ("filesystem.statfs", ("/mnt/tank/backup",)), ("filesystem.listdir", ("/mnt/tank",)),
    ("update.status", ()), ("virt.instance.query", ()), ("container.query", ()),
)  # fmt: skip


@pytest.mark.parametrize("wrong", [False, True], ids=["in order", "in trouble"])
def test_every_answer_keeps_the_schema_of_its_release(box: NasBench, wrong: bool) -> None:
    known = schemas(box.box.version)
    box.box.users[0].roles = frozenset({FULL})
    if wrong:
        pool = box.box.pool("tank")
        pool.status, pool.healthy, pool.code, pool.says = "DEGRADED", False, "FAULTED_DEV_R", "one is gone"
        pool.devices[0].status = "REMOVED"
        assert pool.scan is not None
        pool.scan.function, pool.scan.state, pool.scan.ended, pool.scan.paused = "RESILVER", "SCANNING", None, True
        box.box.dataset("tank/media").key_loaded = False
        box.box.alerts.append(LabAlert("VolumeStatus", "CRITICAL", "text", time.time()))
        box.box.replications.append(LabReplication("new", "tank", "x", state="PENDING"))
    with dialled(box) as (_, ask):
        ask("pool.dataset.encryption_summary", "tank/media")
        time.sleep(0.2)
        seen = 0
        for method, params in ASKED:
            frame = ask(method, *params)
            there = method in known or box.box.release in METHODS[method].hidden  # a full admin may call what is private
            assert ("result" in frame) == there, (method, frame)
            if method in known:
                jsonschema.validate(frame["result"], known[method]["result"])
                seen += 1
    assert seen >= 19


def test_what_a_method_wants_of_its_caller_is_what_the_release_says(box: NasBench) -> None:
    known = schemas(box.box.version)
    for name, method in METHODS.items():
        if name not in known:
            continue
        told = known[name]
        assert bool(told.get("job")) == method.job, name
        if isinstance(told["auth"], list) and told["auth"] != ["FULL_ADMIN"]:
            assert set(told["auth"]) <= set(method.roles), name
            assert ("READONLY_ADMIN" in method.roles) == told["readonly_admin"], name


def test_the_frames_of_the_facts_are_answered_as_they_say(box: NasBench) -> None:
    file = FACTS / "examples" / "frames.json"
    if not file.is_file():
        pytest.skip("the frames of the API are not here")
    release, tried = RELEASES[box.box.version], 0
    box.box.datasets.append(LabDataset("tank/secret", encrypted=True, key_loaded=False))
    for case in json.loads(file.read_text())["frames"]:
        if release not in case["versions"] or "in" not in case:
            continue
        anonymous = "before login" in case["what"]
        with dialled(box, case.get("path", "/api/current"), login=not anonymous) as (ws, _):
            ws.send(case["in"] if isinstance(case["in"], str) else json.dumps(case["in"]))
            frame = json.loads(ws.recv(timeout=10))
        wanted, got = case["out"], dict(frame)
        for told in (wanted, got):
            told.get("error", {}).get("data", {}).pop("trace", None)
        assert got == wanted, case["what"]
        tried += 1
    assert tried >= 8


def test_the_versions_that_are_listed_are_those_of_the_release() -> None:
    assert listed("25.04.0") == ["v25.04.0"]
    assert listed("25.04.2.6") == ["v25.04.0", "v25.04.1", "v25.04.2"]
    assert listed("25.10.3")[-1] == "v25.10.2"
    assert listed("25.10.6")[-1] == "v25.10.5"
    assert listed("26.0.0-BETA.3")[-2:] == ["v25.10.4", "v26.0.0"]


def test_paths_that_are_not_listed_are_404_and_a_login_is_needed(one: NasBench) -> None:
    with urllib.request.urlopen(f"https://127.0.0.1:{one.door.port}/api/versions", context=TRUST) as answer:
        assert json.load(answer) == listed("25.10.6")
    for path in ("/api/v25.10", "/api/v26.0.0", "/websocket", "/"):
        with pytest.raises(InvalidStatus, match="404"), connect(f"wss://127.0.0.1:{one.door.port}{path}", ssl=TRUST, proxy=None):
            pass
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"https://127.0.0.1:{one.door.port}/x", context=TRUST)
    with dialled(one, login=False) as (_, ask):
        assert ask("pool.query")["error"]["data"]["errname"] == "ENOTAUTHENTICATED"
        assert ask("core.ping")["result"] == "pong"
        assert ask("no.such", number="a") == {
            "jsonrpc": "2.0", "error": {"code": -32601, "message": "Method does not exist"}, "id": "a",
        }  # fmt: skip


def closed(ws: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed) as caught:
        ws.recv(timeout=10)
    return caught.value.rcvd.code if caught.value.rcvd is not None else None


def test_frames_that_are_too_long_binary_or_of_a_stranger_end_the_connection(one: NasBench) -> None:
    long = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "core.ping", "params": ["x" * 8200]})
    with dialled(one, login=False) as (ws, _):
        ws.send(long)
        assert closed(ws) == 1007
    with dialled(one) as (ws, ask):
        assert "id" in ask("core.ping", "x" * 8200)
        ws.send(long.replace("x" * 8200, "x" * 66000))
        assert closed(ws) == 1009
    with dialled(one) as (ws, _):
        ws.send(b"binary")
        assert closed(ws) == 1003
    one.box.weather.shut_out = True
    with dialled(one, login=False) as (ws, _):
        assert closed(ws) == 1008


def test_a_connection_on_which_the_box_says_nothing_is_cut_and_a_ping_keeps_it(tmp_path: Path) -> None:
    with bench(tmp_path, "25.10.6", idle_s=0.8) as made:
        with dialled(made) as (ws, _):
            assert closed(ws) is None
        with (
            connect(f"wss://127.0.0.1:{made.door.port}/api/current", ssl=TRUST, proxy=None, ping_interval=0.3) as ws,
            pytest.raises(TimeoutError),
        ):
            ws.recv(timeout=2.0)


def test_queries_filter_order_select_and_count(one: NasBench) -> None:
    with dialled(one) as (_, ask):
        def names(filters: list[Any], **options: Any) -> Any:
            return ask("pool.dataset.query", filters, {"select": ["name"], **options})["result"]

        assert names([["name", "^", "tank/"]], order_by=["-name"]) == [{"name": "tank/media"}, {"name": "tank/backup"}]
        assert names([["OR", [["id", "=", "tank"], ["id", "=", "tank/media"]]]], count=True) == 2
        assert names([["id", "in", ["tank"]]], get=True) == {"name": "tank"}
        assert names([["available.parsed", ">", 1]], limit=1, offset=1) == [{"name": "tank/backup"}]
        assert ask("pool.dataset.query", [["id", "=", "x"]], {"get": True})["error"]["data"]["reason"] == "MatchNotFound()"
        assert ask("pool.dataset.query", [["id", "is", "x"]])["error"]["code"] == -32602


def test_a_job_answers_by_its_number_by_its_result_and_by_an_event(box: NasBench) -> None:
    box.box.dataset("tank/media").key_loaded = False
    with dialled(box) as (ws, ask):
        assert isinstance(ask("core.subscribe", "core.get_jobs")["result"], str)
        assert ask("core.subscribe", "no.such")["error"]["data"]["errname"] == "EACCES"
        number = ask("pool.dataset.encryption_summary", "tank/media")["result"]
        event = json.loads(ws.recv(timeout=10))
        told = event["params"]
        assert (event["method"], told["id"], told["fields"]["state"]) == ("collection_update", number, "SUCCESS")
        assert "id" not in event
        (job,) = ask("core.get_jobs", [["id", "=", number]])["result"]
        assert job["result"][0]["key_format"] == "PASSPHRASE"
        assert ("message_ids" in job) == (box.box.release > (25, 4))
        if box.box.release > (25, 4):
            assert ask("core.set_options", {"legacy_jobs": False})["result"]["legacy_jobs"] is False
            ws.send(json.dumps({"jsonrpc": "2.0", "id": 7, **SUMMARY}))
            frames = [json.loads(ws.recv(timeout=10)) for _ in range(2)]
            assert [frame["result"][0]["locked"] for frame in frames if frame.get("id") == 7] == [True]
        else:
            assert ask("core.set_options", {"legacy_jobs": False})["result"] is None


def test_the_21st_call_at_once_is_refused_and_one_without_an_id_is_not_answered(one: NasBench) -> None:
    one.box.weather.stuck = True
    with dialled(one) as (ws, ask):
        ask("core.set_options", {"legacy_jobs": False})
        for number in range(21):
            ws.send(json.dumps({"jsonrpc": "2.0", "id": number, **SUMMARY}))
        error = {"code": -32000, "message": "Maximum number of concurrent calls (20) has exceeded"}
        assert json.loads(ws.recv(timeout=10)) == {"jsonrpc": "2.0", "id": 20, "error": error}
    with dialled(one) as (ws, ask):
        ws.send(json.dumps({"jsonrpc": "2.0", "method": "no.such", "params": []}))
        assert ask("core.ping")["result"] == "pong"


def test_a_right_key_without_tls_is_revoked(one: NasBench) -> None:
    from lab.wire.truenas.door import TrueNasDoor

    plain = TrueNasDoor(one.box, None).start()
    with connect(f"ws://127.0.0.1:{plain.port}/api/current", proxy=None) as ws:
        ws.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "auth.login_ex", "params": [LOGIN]}))
        assert json.loads(ws.recv())["result"] == {"response_type": "EXPIRED"}
    plain.close()
    assert one.box.users[0].revoked


def scrammed(ask: Ask, key: str, header: str = "n", binding: bytes = b"") -> dict[str, Any]:
    """A login by SCRAM-SHA-512 as RFC 5802 has it, written here a second time; the server's signature is compared."""
    number, _, secret = key.partition("-")
    bare = f"n=blackstart:{number},r={base64.b64encode(bytes(range(32))).decode()}"
    message = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": f"{header},,{bare}"}
    first: dict[str, Any] = ask("auth.login_ex", message)["result"]
    if first["response_type"] != "SCRAM_RESPONSE":
        return first
    told = dict(part.split("=", 1) for part in first["rfc_str"].split(","))
    salted = hashlib.pbkdf2_hmac("sha512", secret.encode(), base64.b64decode(told["s"]), int(told["i"]))
    plain = f"c={base64.b64encode(f'{header},,'.encode() + binding).decode()},r={told['r']}"
    said = f"{bare},{first['rfc_str']},{plain}".encode()
    client = hmac.digest(salted, b"Client Key", "sha512")
    signature = hmac.digest(hashlib.sha512(client).digest(), said, "sha512")
    proof = base64.b64encode(bytes(a ^ b for a, b in zip(client, signature, strict=True))).decode()
    last = {"mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE", "rfc_str": f"{plain},p={proof}"}
    result: dict[str, Any] = ask("auth.login_ex", last)["result"]
    if result["response_type"] == "SCRAM_RESPONSE":
        server = hmac.digest(hmac.digest(salted, b"Server Key", "sha512"), said, "sha512")
        assert result["rfc_str"] == f"v={base64.b64encode(server).decode()}"
    return result


def test_a_login_of_26_proves_the_key_without_sending_it_and_can_be_bound_to_the_certificate(tmp_path: Path) -> None:
    with bench(tmp_path, "26.0.0-BETA.3") as made, dialled(made, login=False) as (_, ask):
        assert "SCRAM" in ask("auth.mechanism_choices")["result"]
        bound = "p=tls-server-end-point"
        for key, header, binding in (
            ("3-" + "x" * 64, "n", b""), (f"4-{KEY[2:]}", "n", b""), (KEY, "y", b""), (KEY, bound, b"\x00" * 32), (KEY, bound, b""),
        ):
            assert scrammed(ask, key, header, binding) == {"response_type": "AUTH_ERR"}
            assert ask("auth.me")["error"]["data"]["errname"] == "ENOTAUTHENTICATED"
        for header, binding in (("n", b""), (bound, made.keys.digest)):
            answer = scrammed(ask, KEY, header, binding)
            assert (answer["scram_type"], answer["user_info"]["pw_name"]) == ("SERVER_FINAL_RESPONSE", "blackstart")
        jsonschema.validate(answer, schemas(made.box.version)["auth.login_ex"]["result"])
        made.box.users[0].expired = True
        assert scrammed(ask, KEY) == {"response_type": "EXPIRED"}
        made.box.users[0].expired, made.box.users[0].roles = False, frozenset()
        assert scrammed(ask, KEY) == {"response_type": "DENIED"}
        stray = {"mechanism": "SCRAM", "scram_type": "CLIENT_FINAL_MESSAGE", "rfc_str": "c=biws,r=x,p=y"}
        assert ask("auth.login_ex", stray)["result"] == {"response_type": "AUTH_ERR"}
        for text in ("", "n,,", "n,,n=blackstart:3,r=AAAA", "x,,n=a:3,r=" + "A" * 43 + "="):
            first = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": text}
            assert ask("auth.login_ex", first)["error"]["code"] == -32602


def test_before_26_there_is_no_such_login_and_passwords_open_nothing(
    one: NasBench, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls.log, "disabled", False)  # whoever configures logging meanwhile switches those off that there are
    caplog.set_level(logging.WARNING, logger=calls.log.name)
    with dialled(one, login=False) as (_, ask):
        first = {"mechanism": "SCRAM", "scram_type": "CLIENT_FIRST_MESSAGE", "rfc_str": "n,,n=blackstart:3,r=x"}
        assert ask("auth.login_ex", first)["error"]["code"] == -32602
        password = {"mechanism": "PASSWORD_PLAIN", "username": "root", "password": "hunter2"}
        assert ask("auth.login_ex", password)["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login_ex", {"mechanism": "TOKEN_PLAIN", "token": "t"})["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login", "root", "hunter2")["result"] is False
        assert ask("pool.export_everything")["error"]["code"] == -32601
    assert "'pool.export_everything', which is not known here" in caplog.text
    assert "hunter2" not in caplog.text


def test_one_row_by_its_id_and_a_folder_by_its_path(box: NasBench) -> None:
    with dialled(box) as (_, ask):
        for plugin in ("pool.dataset", "sharing.nfs", "replication", "service"):
            rows = ask(f"{plugin}.query")["result"]
            found = next(row for row in rows if row["id"] == ask(f"{plugin}.query", [], {"get": True})["result"]["id"])
            assert ask(f"{plugin}.get_instance", found["id"])["result"] == found
            assert ask(f"{plugin}.get_instance", 404)["error"]["data"]["extra"][0][2] == 2
        names = [row["name"] for row in ask("filesystem.listdir", "/mnt/tank")["result"]]
        assert names == ["backup", "media"]
        assert ask("filesystem.listdir", "/mnt/tank", [["name", "=", "media"]], {"count": True})["result"] == 1
        assert ask("filesystem.listdir", "/mnt/nowhere")["error"]["data"]["errname"] == "ENOENT"
        box.box.dataset("tank/media").key_loaded = False
        assert [row["name"] for row in ask("filesystem.listdir", "/mnt/tank")["result"]] == ["backup"]


def test_another_users_key_and_the_older_login(one: NasBench) -> None:
    one.box.users.append(LabUser("other", "4-" + "b" * 64))
    with dialled(one, login=False) as (_, ask):
        assert ask("auth.login_ex", {**LOGIN, "username": "other"})["result"] == {"response_type": "AUTH_ERR"}
        assert ask("auth.login_ex", {**LOGIN, "login_options": {"reconnect_token": True}})["error"]["code"] == -32602
        assert ask("auth.login_with_api_key", "4-wrong")["result"] is False
        assert ask("auth.login_with_api_key", KEY)["result"] is True
        assert ask("auth.me")["result"]["pw_name"] == "blackstart"
        assert ask("zfs.snapshot.query")["error"]["data"]["errname"] == "EACCES"
        assert ask("config.save")["error"]["data"]["reason"] == "[EACCES] Not authorized"


def test_what_the_box_has_none_of_is_an_empty_list_to_who_may_only_read(box: NasBench) -> None:
    """Clients that show a whole box read all of these, and end with the first that is not there."""
    with dialled(box) as (_, ask):
        for method in sorted(NONE_OF_THEM):
            assert ask(method).get("result") == ([] if box.box.release in METHODS[method].releases else None), method
        assert ask("system.global.id")["result"].count("-") == 4
        assert set(ask("directoryservices.status")["result"].values()) == {None}
