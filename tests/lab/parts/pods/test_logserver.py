"""The kubelet's door: what it does not simulate is refused by name, as text that kubectl shows, and is never made up."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lab.parts.knobs import Knobs
from lab.parts.plane.pki import authority, issue
from lab.parts.pods.logserver import PORT, LogServer

ADDRESS = "127.101.77.11"
LOG = "/containerLogs/apps/notes/main"


@pytest.fixture(scope="module")
def kubelet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("kubelet")
    ca = authority("kubernetes")
    (folder / "ca.crt").write_bytes(ca.certificate)
    own = issue(ca, "w-1", addresses=(ADDRESS,)).write(folder, "kubelet")
    client = issue(ca, "kube-apiserver").write(folder, "client")
    (folder / "log").write_text("one\ntwo\nthree\n")
    door = LogServer(ADDRESS, *own, folder / "ca.crt", Knobs(), lambda space, name, container: _log(folder, name))
    door.start()
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(*client)
    with httpx.Client(base_url=f"https://{ADDRESS}:{PORT}", verify=context, trust_env=False) as made:
        yield made
    door.stop()


def _log(folder: Path, name: str) -> Path | None:
    return folder / "log" if name == "notes" else None


def test_a_log_is_given_whole_or_by_its_last_lines(kubelet: httpx.Client) -> None:
    assert kubelet.get(LOG).text == "one\ntwo\nthree\n"
    assert kubelet.get(LOG, params={"tailLines": "1", "previous": "false"}).text == "three\n"
    assert kubelet.get(LOG, params={"limitBytes": "6"}).text == "one\ntw"


@pytest.mark.parametrize("asked", ["previous", "timestamps", "sinceSeconds", "sinceTime"])
def test_a_log_that_is_asked_for_otherwise_is_refused_by_name(kubelet: httpx.Client, asked: str) -> None:
    answer = kubelet.get(LOG, params={asked: "true"})
    assert (answer.status_code, answer.text) == (501, f"lab: a log with {asked} is not simulated\n")


@pytest.mark.parametrize("what", ["attach", "portForward", "run"])
def test_what_is_done_inside_of_a_pod_by_spdy_is_refused_by_name_and_as_text(kubelet: httpx.Client, what: str) -> None:
    answer = kubelet.post(f"/{what}/apps/notes/main", params={"command": "sh"})
    assert answer.status_code == 501
    assert answer.text == f"lab: {what} is not simulated\n"
    assert answer.headers["content-type"] == "text/plain"


def test_a_pod_that_is_not_there_and_a_page_that_is_not_there(kubelet: httpx.Client) -> None:
    assert kubelet.get("/containerLogs/apps/other/main").status_code == 404
    assert kubelet.get("/pods").status_code == 404
