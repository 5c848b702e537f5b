"""What the client makes of answers and of silence, on a server that answers what it was told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.errors import AlreadyThere, Changed, FieldConflict, KindNotServed, ObjectAbsent, Refused
from adapters.kubernetes.kinds import CONFIG_MAP, REPLICATION_SOURCE, SECRET
from adapters.kubernetes.kubeconfig import load_config
from engine.errors import PermanentError, TransientError
from tests.builders import a_house


class Scripted(ThreadingHTTPServer):
    """Answers each request with the next line of its script, and fails loudly when the script is at its end."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script: list[tuple[int, bytes, str]] = []
        self.seen: list[str] = []

    def say(self, code: int, body: Any = None, content_type: str = "application/json") -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        self.script.append((code, raw, content_type))


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(f"{self.command} {self.path}")
        code, body, content_type = (
            self.server.script.pop(0) if self.server.script else (599, b"no script", "text/plain")
        )
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@pytest.fixture
def server() -> Iterator[Scripted]:
    made = Scripted()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def kubeconfig(folder: Path, url: str) -> Path:
    path = folder / "kubeconfig"
    path.write_text(
        f"""
current-context: c
contexts: [{{name: c, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{url}"}}}}]
users: [{{name: u, user: {{token: private}}}}]
"""
    )
    return path


@pytest.fixture
def client(server: Scripted, tmp_path: Path) -> Iterator[ApiClient]:
    made = ApiClient(load_config(kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}")))
    yield made
    made.close()


def status(code: int, reason: str, message: str, **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}


@pytest.mark.parametrize("code", [408, 410, 429, 500, 502, 503, 504])
def test_a_busy_server_is_transient(server: Scripted, client: ApiClient, code: int) -> None:
    server.say(code, status(code, "TooManyRequests", "storage is (re)initializing"))
    with pytest.raises(TransientError) as error:
        client.list_objects(REPLICATION_SOURCE)
    assert "storage is (re)initializing" in error.value.evidence


def test_an_object_without_a_name_is_none_and_the_collection_is_not_asked_for(server: Scripted, client: ApiClient) -> None:
    server.say(500, status(500, "InternalError", "nobody is to ask"))
    assert client.get(CONFIG_MAP, "", "ns") is None


def test_an_absent_object_is_none_and_an_unknown_kind_is_not(server: Scripted, client: ApiClient) -> None:
    server.say(404, status(404, "NotFound", 'configmaps "x" not found', name="x", kind="configmaps"))
    assert client.get(CONFIG_MAP, "x", "ns") is None
    server.say(404, b"404 page not found\n", "text/plain")
    with pytest.raises(KindNotServed):
        client.get(REPLICATION_SOURCE, "x", "ns")
    server.say(404, status(404, "NotFound", "the server could not find the requested resource"))
    assert client.list_if_served(REPLICATION_SOURCE) is None
    server.say(404, status(404, "NotFound", 'namespaces "ns" not found', name="ns", kind="namespaces"))
    with pytest.raises(ObjectAbsent):
        client.create(CONFIG_MAP, {"metadata": {"name": "x"}}, "ns")


def test_conflicts_are_told_apart(server: Scripted, client: ApiClient) -> None:
    obj = {"metadata": {"name": "x"}}
    server.say(409, status(409, "AlreadyExists", "exists", name="x"))
    with pytest.raises(AlreadyThere):
        client.create(CONFIG_MAP, obj, "ns")
    server.say(409, status(409, "Conflict", "the object has been modified", name="x"))
    with pytest.raises(Changed):
        client.replace(CONFIG_MAP, obj, "ns")
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "kustomize-controller"', "field": ".spec.a"}
    server.say(409, status(409, "Conflict", "Apply failed", causes=[cause]))
    with pytest.raises(FieldConflict) as error:
        client.apply(CONFIG_MAP, obj, "ns")
    assert error.value.fields == ('conflict with "kustomize-controller": .spec.a',)


@pytest.mark.parametrize("code", [400, 401, 403, 405, 413, 415, 422])
def test_a_refusal_is_permanent_and_tells_the_servers_words(server: Scripted, client: ApiClient, code: int) -> None:
    server.say(code, status(code, "Forbidden", "no, because"))
    with pytest.raises(Refused) as error:
        client.create(CONFIG_MAP, {"metadata": {"name": "x"}}, "ns")
    assert (error.value.status, error.value.message) == (code, "no, because")
    assert isinstance(error.value, PermanentError)


def test_words_about_a_secret_are_not_repeated(server: Scripted, client: ApiClient) -> None:
    server.say(422, status(422, "Invalid", "data: invalid value: aHVudGVyMg=="))
    with pytest.raises(Refused) as error:
        client.create(SECRET, {"metadata": {"name": "x"}}, "ns")
    assert "aHVudGVyMg" not in repr((error.value.args, error.value.evidence, error.value.message))


def test_an_answer_that_is_no_json_is_transient(server: Scripted, client: ApiClient) -> None:
    server.say(200, b"<html>a portal</html>", "text/html")
    with pytest.raises(TransientError, match="no JSON object"):
        client.get(CONFIG_MAP, "x", "ns")


def test_lists_are_read_page_by_page(server: Scripted, client: ApiClient) -> None:
    server.say(200, {"metadata": {"continue": "more"}, "items": [{"metadata": {"name": "a"}}]})
    server.say(200, {"metadata": {}, "items": [{"metadata": {"name": "b"}}]})
    assert [o["metadata"]["name"] for o in client.list_objects(CONFIG_MAP, "ns", labels="a=b")] == ["a", "b"]
    assert server.seen[1].endswith("?labelSelector=a%3Db&limit=500&continue=more")


def test_a_server_that_is_not_there_is_transient(tmp_path: Path) -> None:
    client = ApiClient(load_config(kubeconfig(tmp_path, "http://127.0.0.1:1")))
    with pytest.raises(TransientError, match="no answer"):
        client.get(CONFIG_MAP, "x", "ns")
    client.close()


def test_the_kubeconfig_is_read_when_it_appears_and_again_when_it_changes(server: Scripted, tmp_path: Path) -> None:
    clients = Clients(a_house(state_dir=tmp_path))
    with pytest.raises(TransientError, match="no kubeconfig yet"):
        clients.main()
    kubeconfig(tmp_path, "http://127.0.0.1:1")
    first = clients.main()
    assert clients.main() is first
    path = kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}/")
    assert path.exists()
    server.say(200, {"items": []})
    assert clients.main().list_objects(CONFIG_MAP) == []
    clients.close()


@pytest.mark.parametrize("text", ["[", "a: b", "current-context: x", "current-context: c\nclusters: private"])
def test_a_broken_kubeconfig_is_permanent_and_never_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(PermanentError) as error:
        Clients(a_house(state_dir=tmp_path)).main()
    assert "private" not in repr(error.value.evidence)
