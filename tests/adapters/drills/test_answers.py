"""An application that is started on its restored data and asked over HTTP: what it answers counts, and silence never does."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from adapters.drills.answers import APPLICATION, ASK, told_of
from adapters.drills.jobs import probe_job
from adapters.drills.probes import told
from adapters.drills.results import Examination, Examined, Health, Order, Phase
from adapters.volsync.results import Snapshot
from house.values.rehearsing import PYTHON, ClaimProbe, Preset

PROBE = ClaimProbe(
    Preset.HTTP, "ghcr.io/me/app:1", command=("serve",), limit_s=600.0, port=8080, page="/health", at="/config",
    environment=(("TZ", "UTC"),),
)  # fmt: skip


@contextmanager
def an_application(*answers: int) -> Iterator[int]:
    """One that answers with these in turn, the last one for ever; its port."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(left.pop(0) if len(left) > 1 else left[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def asked(port: int, patience: float = 0.4) -> Examined:
    """What the script says, without its pauses."""
    text = ASK.replace("time.sleep(1)", "time.sleep(0.01)")
    env = {"PORT": str(port), "PAGE": "/health", "PATIENCE_S": str(patience)}
    done = subprocess.run([sys.executable, "-I", "-c", text], env=env, capture_output=True, text=True, check=True)
    return told(done.stdout)


@pytest.mark.parametrize(
    ("answers", "health", "says"),
    [((200,), Health.SOUND, "answers 200 to /health"), ((302,), Health.SOUND, "302"), ((503, 500, 204), Health.SOUND, "204"),
     ((500,), Health.ILL, "answers 500"), ((503, 404), Health.ILL, "404")],
)  # fmt: skip
def test_what_it_answers_in_the_end_counts(answers: tuple[int, ...], health: Health, says: str) -> None:
    with an_application(*answers) as port:
        found = asked(port)
    assert found.health is health and says in found.detail, found


def test_one_that_answers_nothing_has_shown_nothing() -> None:
    with an_application(200) as port:
        pass
    found = asked(port)
    assert found.health is Health.UNSEEN and "nothing has answered" in found.detail


def the_job(probe: ClaimProbe = PROBE) -> dict[str, Any]:
    order = Order("notes-back", "apps", "notes-dst", Snapshot("r", "s"), 5)
    return probe_job(Examination(order, probe), "mover:1", ({"runAsUser": 7}, {"runAsGroup": 8}))


def test_the_application_has_the_data_and_who_asks_it_has_none() -> None:
    pod = the_job()["spec"]["template"]["spec"]
    (application,), (asking,) = pod["initContainers"], pod["containers"]
    assert (application["image"], application["command"], application["restartPolicy"]) == ("ghcr.io/me/app:1", ["serve"], "Always")
    assert application["volumeMounts"][0] == {"name": "data", "mountPath": "/config"}
    assert application["env"] == [{"name": "TZ", "value": "UTC"}]
    assert asking["image"] == PYTHON and [mount["name"] for mount in asking["volumeMounts"]] == ["tmp"]
    assert {one["name"]: one["value"] for one in asking["env"]} == {"PORT": "8080", "PAGE": "/health", "PATIENCE_S": "540.0"}
    assert "envFrom" not in application, "nothing opens a store"


def test_without_words_the_image_starts_as_it_says() -> None:
    assert "command" not in the_job(replace(PROBE, command=()))["spec"]["template"]["spec"]["initContainers"][0]


UNSEEN = Examined(Phase.DONE, Health.UNSEEN, "nothing has answered")


@pytest.mark.parametrize(
    ("found", "status", "says"),
    [
        (UNSEEN, {"restartCount": 3, "lastState": {"terminated": {"exitCode": 1}}}, "ended 3 times, with exit code 1"),
        (UNSEEN, {"restartCount": 0, "state": {"terminated": {"exitCode": 143}}}, "nothing has answered"),
        (UNSEEN, {}, "nothing has answered"),
        (Examined(Phase.DONE, Health.ILL, "it answers 500"), {"restartCount": 3, "lastState": {"terminated": {}}}, "500"),
    ],
)
def test_one_that_ends_is_named_and_is_no_failure_of_the_data(found: Examined, status: dict[str, Any], says: str) -> None:
    pod = {"status": {"initContainerStatuses": [{"name": APPLICATION, **status}]}}
    seen = told_of(found, pod)
    assert seen.health is found.health and says in seen.detail
