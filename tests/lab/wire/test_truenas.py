"""The TrueNAS door on the wire: its frames and limits, and its answers held against the schemas of three releases."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from lab.wire.truenas.methods import METHODS, NONE_OF_THEM, listed
from lab.world.nas import FULL, LabAlert, LabDataset, LabReplication
from tests.contract.nas.truenas_bench import VERSIONS, NasBench, bench
from tests.lab.wire.truenas_dialling import FACTS, RELEASES, TRUST, dialled, schemas

SUMMARY = {"method": "pool.dataset.encryption_summary", "params": ["tank/media"]}


@pytest.fixture(params=VERSIONS)
def box(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, request.param) as made:
        yield made


@pytest.fixture
def one(tmp_path: Path) -> Iterator[NasBench]:
    with bench(tmp_path, "25.10.6") as made:
        yield made


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


def test_one_row_by_its_id_and_a_folder_by_its_path(box: NasBench) -> None:
    with dialled(box) as (_, ask):
        for plugin in ("pool.dataset", "sharing.nfs", "replication", "service"):
            rows = ask(f"{plugin}.query")["result"]
            found = next(row for row in rows if row["id"] == ask(f"{plugin}.query", [], {"get": True})["result"]["id"])
            assert ask(f"{plugin}.get_instance", found["id"])["result"] == found
            absent = "tank/none" if plugin == "pool.dataset" else 404
            assert ask(f"{plugin}.get_instance", absent)["error"]["data"]["extra"][0][2] == 2
        names = [row["name"] for row in ask("filesystem.listdir", "/mnt/tank")["result"]]
        assert names == ["backup", "media"]
        assert ask("filesystem.listdir", "/mnt/tank", [["name", "=", "media"]], {"count": True})["result"] == 1
        assert ask("filesystem.listdir", "/mnt/nowhere")["error"]["data"]["errname"] == "ENOENT"
        box.box.dataset("tank/media").key_loaded = False
        assert [row["name"] for row in ask("filesystem.listdir", "/mnt/tank")["result"]] == ["backup"]


def test_what_the_box_has_none_of_is_an_empty_list_to_who_may_only_read(box: NasBench) -> None:
    """Clients that show a whole box read all of these, and end with the first that is not there."""
    with dialled(box) as (_, ask):
        for method in sorted(NONE_OF_THEM):
            assert ask(method).get("result") == ([] if box.box.release in METHODS[method].releases else None), method
        assert ask("system.global.id")["result"].count("-") == 4
        assert set(ask("directoryservices.status")["result"].values()) == {None}


WRONG: tuple[tuple[str, list[Any], str], ...] = (
    ("pool.query", [[], {"order_by": "name"}], "options.order_by: Input should be a valid list"),
    ("pool.query", [[], {"order_by": [5]}], "options.order_by.0: Input should be a valid string"),
    ("pool.query", [[], {"limit": "5"}], "options.limit: Input should be a valid integer"),
    ("pool.query", [[], {"offset": True}], "options.offset: Input should be a valid integer"),
    ("pool.query", [[], {"select": [["name"]]}], "options.select.0: Input should be a valid string"),
    ("pool.query", [[], {"nonsense": 1}], "options.nonsense: Extra inputs are not permitted"),
    ("pool.query", [[], {}, {}], "Too many arguments (expected 2, found 3)"),
    ("pool.query", [[["name", ["x"], "a"]]], "Invalid filter"),
    ("pool.query", [[["OR", [5]]]], "Invalid filter"),
    ("cronjob.query", [[["id", "like", 5]]], "Invalid filter"),
    ("pool.get_instance", [True], "id: Input should be a valid integer"),
    ("pool.get_instance", [], "id: Field required"),
    ("core.subscribe", [["alert.list"]], "event: Input should be a valid string"),
    ("service.started", [], "service: Field required"),
    ("system.info", [1], "Too many arguments (expected 0, found 1)"),
    ("filesystem.stat", [5], "path: Input should be a valid string"),
    ("pool.dataset.encryption_summary", [], "id: Field required"),
)


def test_what_a_method_does_not_take_is_refused_and_never_left_without_an_answer(one: NasBench) -> None:
    with dialled(one) as (_, ask):
        for method, params, words in WRONG:
            error = ask(method, *params)["error"]
            assert (error["code"], words in error["data"]["reason"]) == (-32602, True), (method, params, error)
        assert ask("pool.query", [], {"select": [["name", "called"]]})["result"] == [{"called": "tank"}]
        assert "path must be absolute" in ask("filesystem.stat", "mnt/tank")["error"]["data"]["reason"]
        assert "not found" in ask("filesystem.stat", "/mnt/tank/../../etc")["error"]["data"]["reason"]
        assert ask("filesystem.stat", "/mnt/tank/./backup/")["result"]["realpath"] == "/mnt/tank/backup"
