"""The port over psql in a pod: what goes there and how, and whose no it is. The API and kubectl are stood in for."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.cnpg.adapter import CloudNativePg, Said
from adapters.cnpg.results import Left, Login
from adapters.kubernetes.client import Clients
from adapters.process.results import Finished, ProgramFailed, Runner
from engine.errors import PermanentError, TransientError
from engine.secrets import Secret
from house.values.databases import DatabaseQuestion
from tests.databases import a_database, a_manifest

COUNT = DatabaseQuestion("SELECT count(*) FROM notes", "> 1", "notes")
LOGIN = "an-app-s-own-password"


@dataclass
class Api:
    """What stands for the API server: objects by (kind, name), and what was made."""

    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    made: list[dict[str, Any]] = field(default_factory=list)

    def main(self) -> Api:
        return self

    def kubeconfig(self) -> Path:
        return Path("/state/kubeconfig")

    def get(self, kind: Any, name: str, namespace: str = "") -> dict[str, Any] | None:
        return self.objects.get((kind.name, name))

    def list_if_served(self, kind: Any, namespace: str = "", *, labels: str = "") -> list[dict[str, Any]] | None:
        return self.list_objects(kind, namespace) or None

    def list_objects(self, kind: Any, namespace: str = "", *, labels: str = "") -> list[dict[str, Any]]:
        return [one for (name, _), one in self.objects.items() if name == kind.name]

    def create(self, kind: Any, obj: dict[str, Any], namespace: str = "") -> None:
        self.made.append(obj)

    def merge(self, kind: Any, name: str, patch: dict[str, Any], namespace: str = "") -> None:
        self.made.append(patch)
        notes = self.objects[kind.name, name]["metadata"].setdefault("annotations", {})
        for key, value in patch["metadata"]["annotations"].items():
            notes.pop(key, None)
            notes |= {key: value} if value is not None else {}


@dataclass
class Kubectl:
    """Answers with one text, or fails with these lines; remembers what it was asked."""

    answer: str = ""
    fails: tuple[str, ...] = ()
    asked: list[tuple[tuple[str, ...], Any]] = field(default_factory=list)

    def run(self, argv: Sequence[str], *, stdin: Any = None, timeout_s: float, **_: Any) -> Finished:
        self.asked.append((tuple(argv), stdin))
        finished = Finished("kubectl", 1 if self.fails else 0, self.answer.encode(), self.fails, 0.1)
        if self.fails:
            raise ProgramFailed("kubectl ended with 1", finished, self.fails)
        return finished


def cluster(phase: str = "Cluster in healthy state", **status: Any) -> dict[str, Any]:
    spec = {"bootstrap": {"recovery": {"source": "old"}}}
    metadata = {"name": "pg", "uid": "u-1", "creationTimestamp": "2026-01-02T03:04:05Z"}
    return {"metadata": metadata, "spec": spec, "status": {"phase": phase, "currentPrimary": "pg-1", **status}}


@dataclass
class Bench:
    """The port on both stand-ins."""

    port: CloudNativePg
    api: Api
    kubectl: Kubectl
    state: Path


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    api, kubectl = Api({("Cluster", "pg"): cluster()}), Kubectl()
    return Bench(CloudNativePg(cast("Clients", api), cast("Runner", kubectl), tmp_path), api, kubectl, tmp_path)


def test_sql_goes_by_standard_input_to_the_primary_in_a_session_that_changes_nothing(bench: Bench) -> None:
    bench.kubectl.answer = "41\n"
    assert bench.port.answer("apps", "pg", COUNT) == "41"
    ((words, given),) = bench.kubectl.asked
    there = ("kubectl", "--kubeconfig", "/state/kubeconfig", "-n", "apps", "exec", "-i", "pg-1", "-c", "postgres", "--", "env")
    assert words[:12] == there
    assert "default_transaction_read_only=on" in words[12]
    assert (words[-2:], given) == (("-d", "notes"), COUNT.sql.encode())


def test_the_database_s_own_error_is_its_answer_and_a_silent_pod_is_none(bench: Bench) -> None:
    bench.kubectl.fails = ('psql:<stdin>:1: ERROR:  relation "notes" does not exist', "command terminated with exit code 3")
    assert 'relation "notes" does not exist' in bench.port.answer("apps", "pg", COUNT)
    with pytest.raises(Said):
        bench.port.reached("apps", "pg")
    for words in ("error: unable to upgrade connection: pod not found", "psql: error: FATAL:  the database system is starting up"):
        bench.kubectl.fails = (words,)
        with pytest.raises(TransientError, match="cannot be asked in its pod pg-1"):
            bench.port.answer("apps", "pg", COUNT)


def test_without_a_primary_nobody_is_asked(bench: Bench) -> None:
    bench.api.objects[("Cluster", "pg")] = cluster("Setting up primary", currentPrimary="")
    with pytest.raises(TransientError, match="no primary yet"):
        bench.port.reached("apps", "pg")
    assert bench.kubectl.asked == []


def test_the_application_s_password_never_stands_in_an_argument(bench: Bench) -> None:
    one = a_database(recovers=True)
    assert bench.port.login(one) == Login(False, refused="there is no Secret apps/pg-app")
    data = {"username": "app", "password": LOGIN, "dbname": "notes"}
    bench.api.objects[("Secret", "pg-app")] = {"data": {k: base64.b64encode(v.encode()).decode() for k, v in data.items()}}
    assert bench.port.login(one) == Login(True, "pg-app", "app", generated=True)
    ((words, given),) = bench.kubectl.asked
    assert (words[-2:], isinstance(given, Secret)) == (("app", "notes"), True)
    assert LOGIN not in " ".join(words)
    bench.kubectl.fails = ('psql: error: connection failed: FATAL:  password authentication failed for user "app"',)
    assert "password authentication failed" in bench.port.login(one).refused
    bench.api.objects[("Secret", "pg-app")] = {"data": {}}
    assert bench.port.login(one) == Login(False, "pg-app", refused="it holds no username and password")


def test_a_recovery_lacks_the_object_store_that_nobody_has_made(bench: Bench) -> None:
    assert (bench.port.draft_lacks("apps", "pg"), bench.port.draft_server("apps", "pg")) == ((), "")
    bench.port.write_draft("apps", "pg", a_manifest(server="x"))
    assert (bench.port.draft_lacks("apps", "pg"), bench.port.draft_server("apps", "pg")) == (("ObjectStore apps/store",), "x")
    bench.api.objects[("ObjectStore", "store")] = {"metadata": {"name": "store"}}
    assert bench.port.draft_lacks("apps", "pg") == ()


def test_what_the_operator_and_its_pods_say_is_told(bench: Bench) -> None:
    assert not bench.port.database("apps", "other").present
    archiving = [{"type": "ContinuousArchiving", "status": "False", "message": "Expected empty archive"}]
    bench.api.objects[("Cluster", "pg")] = cluster("Setting up primary", conditions=archiving)
    waits = {"name": "full-recovery", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}
    bench.api.objects[("Pod", "pg-1-full-recovery")] = {
        "metadata": {"name": "pg-1-full-recovery"}, "status": {"containerStatuses": [waits]},
    }  # fmt: skip
    found = bench.port.database("apps", "pg")
    assert (found.uid, found.healthy, found.hopeless, found.recovers) == ("u-1", False, False, True)
    assert (found.archiving, found.waiting) == ("Expected empty archive", ("pod pg-1-full-recovery: CrashLoopBackOff: back-off",))
    bench.api.objects[("Cluster", "pg")] = cluster("Cluster is unrecoverable and needs manual intervention")
    assert bench.port.database("apps", "pg").hopeless


def test_what_is_made_is_what_was_consented_to_and_nothing_but_a_recovery_of_that_database(bench: Bench) -> None:
    assert bench.port.draft("apps", "pg") == ""
    file = Path(bench.port.write_draft("apps", "pg", a_manifest(server="x")))
    assert (file.parent, oct(file.stat().st_mode & 0o777)) == (bench.state / "databases", "0o600")
    seen = bench.port.draft("apps", "pg")
    with pytest.raises(PermanentError, match="is no recovery of apps/pg"):
        bench.port.recover("apps", "pg", seen)
    recovery = a_manifest(server="x").replace('"initdb"', '"recovery"')
    bench.port.write_draft("apps", "pg", recovery)
    with pytest.raises(PermanentError, match="not what the consent named"):
        bench.port.recover("apps", "pg", seen)
    bench.port.recover("apps", "pg", bench.port.draft("apps", "pg"))
    assert [one["metadata"]["name"] for one in bench.api.made] == ["pg"]


def test_flux_is_kept_from_what_was_made_until_it_is_handed_over(bench: Bench) -> None:
    off = "kustomize.toolkit.fluxcd.io/reconcile"
    notes = bench.api.objects["Cluster", "pg"]["metadata"].setdefault("annotations", {})
    bench.port.hand_over("apps", "pg")
    assert bench.api.made == []
    notes[off] = "disabled"
    bench.port.hand_over("apps", "pg")
    assert notes == {}


def test_it_hibernates_under_our_mark_and_runs_again(bench: Bench) -> None:
    notes = bench.api.objects["Cluster", "pg"]["metadata"].setdefault("annotations", {})
    bench.port.wake("apps", "pg")
    assert bench.api.made == [], "nobody's hibernation is taken back"
    for _ in range(2):
        bench.port.rest("apps", "pg")
    assert len(bench.api.made) == 1
    assert notes == {"cnpg.io/hibernation": "on", "blackstart/hibernated": "yes"}
    found = bench.port.database("apps", "pg")
    assert (found.to_sleep, found.ours, found.asleep) == (True, True, False)
    conditions = [{"type": "cnpg.io/hibernation", "status": "True", "reason": "Hibernated"}]
    bench.api.objects["Cluster", "pg"]["status"]["conditions"] = conditions
    assert bench.port.database("apps", "pg").asleep
    bench.port.wake("apps", "pg")
    assert notes == {"cnpg.io/hibernation": "off"}


def test_what_somebody_else_hibernated_is_neither_marked_nor_woken(bench: Bench) -> None:
    notes = bench.api.objects["Cluster", "pg"]["metadata"].setdefault("annotations", {})
    notes["cnpg.io/hibernation"] = "on"
    bench.port.rest("apps", "pg")
    bench.port.wake("apps", "pg")
    assert (bench.api.made, notes) == ([], {"cnpg.io/hibernation": "on"})


def test_one_that_is_not_there_cannot_hibernate(bench: Bench) -> None:
    with pytest.raises(PermanentError, match="There is no database apps/other"):
        bench.port.rest("apps", "other")
    bench.port.wake("apps", "other")


@pytest.mark.parametrize(("mark", "left"), [
    (str(Left(3, 0x5000028, 1_800_000_000.0)), Left(3, 0x5000028, 1_800_000_000.0)), ("yes", None), ("3 x 1", None), ("", None),
])  # fmt: skip
def test_where_its_log_was_stands_in_the_mark(bench: Bench, mark: str, left: Left | None) -> None:
    bench.api.objects["Cluster", "pg"] = cluster()
    bench.api.objects["Cluster", "pg"]["metadata"]["annotations"] = {"blackstart/hibernated": mark}
    assert bench.port.database("apps", "pg").left == left


def test_it_is_told_to_rest_and_where_it_was_by_one_call(bench: Bench) -> None:
    bench.api.objects["Cluster", "pg"] = cluster()
    bench.port.rest("apps", "pg", Left(2, 77, 9.0))
    (patch,) = bench.api.made
    assert patch["metadata"]["annotations"] == {"cnpg.io/hibernation": "on", "blackstart/hibernated": "2 77 9"}
