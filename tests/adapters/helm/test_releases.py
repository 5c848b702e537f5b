"""The Releases port with the real helmfile and helm on real API servers: a sync, a death in the middle, the fence, the repair."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from adapters.helm.adapter import HelmReleases
from adapters.helm.fencing import PLACE, RunTokens
from adapters.helm.results import ReleaseState, ReleaseStatus
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import Changed
from adapters.kubernetes.kinds import CONFIG_MAP, HELM_RELEASE, JOB, SECRET
from adapters.kubernetes.kubeconfig import load_config
from adapters.process.keeper import Keeper
from engine.errors import BlackstartError, PermanentError, TransientError
from engine.secrets import Secret
from engine.waiting import SystemClock
from house.model import House
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.builders import a_release
from tests.contract.apiserver import ApiServers, needed

pytestmark = pytest.mark.programs
BIN = Path(__file__).resolve().parents[3] / ".tools" / "bin"

HELMFILE = """
releases:
  - name: {name}
    namespace: {namespace}
    chart: ./charts/demo
    version: 0.1.0
    values: [values.yaml]
"""
HOOK = """\
{{- if .Values.stuck }}
apiVersion: batch/v1
kind: Job
metadata: {name: stuck, annotations: {helm.sh/hook: pre-install}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: i}]}}}
{{- end }}
"""
MAP = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: demo}
data: {word: {{ .Values.word | quote }}}
"""


@dataclass
class Desk:
    """What the tests work with: a house whose helmfile has one release."""

    house: House
    clients: Clients
    keeper: Keeper
    releases: HelmReleases
    namespace: str

    def values(self, text: str) -> None:
        (self.house.helmfile.parent / "values.yaml").write_text(text)

    def again(self) -> HelmReleases:
        """As a new process would see it."""
        return HelmReleases(self.clients, self.house, SystemClock(), self.keeper)

    def state(self) -> ReleaseState:
        (found,) = self.releases.releases()
        return found

    def secrets(self) -> list[str]:
        return [s["metadata"]["name"] for s in self.clients.main().list_objects(SECRET, PLACE)]


@pytest.fixture
def desk(real_api: ApiServers, tmp_path: Path) -> Iterator[Desk]:
    needed("helm", "helmfile")
    namespace = "t" + str(abs(hash(str(tmp_path))))[:10]
    root = tmp_path / "repo"
    templates = root / "charts" / "demo" / "templates"
    templates.mkdir(parents=True)
    (templates.parent / "Chart.yaml").write_text("apiVersion: v2\nname: demo\nversion: 0.1.0\n")
    (templates / "map.yaml").write_text(MAP)
    (templates / "hook.yaml").write_text(HOOK)
    (root / "helmfile.yaml").write_text(HELMFILE.format(name="demo", namespace=namespace))
    state = tmp_path / "state"
    state.mkdir()
    house = house_on(real_api, state, helmfile=root / "helmfile.yaml", releases=(a_release(namespace, "demo"),))
    clients = Clients(house)
    with Keeper(tmp_path / "programs", search=(BIN,)) as keeper:
        made = Desk(house, clients, keeper, HelmReleases(clients, house, SystemClock(), keeper), namespace)
        made.values("word: one\n")
        yield made
    clients.close()


def test_a_release_is_synced_noted_and_leaves_no_token_behind(desk: Desk) -> None:
    assert desk.state().status is ReleaseStatus.ABSENT
    assert desk.releases.deployed_digest(desk.namespace, "demo") == ""
    assert desk.releases.chart_problem(desk.namespace, "demo") == ""
    desk.releases.sync(desk.namespace, "demo", "20260101-run1")

    state = desk.state()
    assert (state.status, state.revision, state.chart, state.version) == (ReleaseStatus.DEPLOYED, 1, "demo", "0.1.0")
    assert state.run == "", "what becomes pending from here on is not ours"
    assert state.detail == "Install complete"
    wanted = desk.releases.desired_digest(desk.namespace, "demo")
    assert wanted
    assert desk.releases.deployed_digest(desk.namespace, "demo") == wanted
    assert desk.releases.open_runs() == ()
    assert desk.secrets() == []
    assert list((desk.house.state_dir / "helm").iterdir()) == []

    desk.values("word: two\n")
    assert desk.again().desired_digest(desk.namespace, "demo") != wanted, "other values are another wish"
    with pytest.raises(PermanentError, match="nothing to repair"):
        desk.releases.drop_pending(state)


def test_a_charts_files_are_part_of_the_digest(desk: Desk) -> None:
    before = desk.releases.desired_digest(desk.namespace, "demo")
    (desk.house.helmfile.parent / "charts" / "demo" / "templates" / "map.yaml").write_text(MAP + "\n# changed\n")
    assert desk.again().desired_digest(desk.namespace, "demo") != before
    (desk.house.helmfile.parent / "charts" / "demo" / "Chart.yaml").unlink()
    assert "no Chart.yaml" in desk.again().chart_problem(desk.namespace, "demo")
    assert desk.again().hook_problem(desk.namespace, "demo") == ""


def test_a_hook_of_the_release_that_runs_what_is_not_here_is_told(desk: Desk) -> None:
    hook = "    hooks: [{events: [presync], command: ./not-there.sh}]\n"
    desk.house.helmfile.write_text(desk.house.helmfile.read_text().replace("    chart:", hook + "    chart:", 1))
    assert "./not-there.sh, which is not there" in desk.again().hook_problem(desk.namespace, "demo")
    assert desk.again().chart_problem(desk.namespace, "demo") == ""


def test_a_chart_server_that_does_not_answer_is_told_in_helms_words_and_is_no_missing_chart(desk: Desk) -> None:
    text = desk.house.helmfile.read_text().replace("./charts/demo", "oci://127.0.0.1:1/charts/demo")
    desk.house.helmfile.write_text(text)
    with pytest.raises(TransientError, match="could not be asked") as caught:
        desk.again().chart_problem(desk.namespace, "demo")
    assert "connection refused" in " ".join((caught.value.what, *caught.value.evidence))


def test_a_release_that_the_helmfile_does_not_have_is_refused(desk: Desk) -> None:
    with pytest.raises(PermanentError, match="no release of the helmfile"):
        desk.releases.sync(desk.namespace, "other", "run")
    with pytest.raises(PermanentError, match="no release of the helmfile"):
        desk.releases.desired_digest(desk.namespace, "other")


def die_in_the_middle(desk: Desk, run: str) -> list[BlackstartError]:
    """Start a sync that waits for a Job which nobody runs, and kill its whole group when helm has its lock."""
    desk.values("word: one\nstuck: true\n")
    errors: list[BlackstartError] = []

    def sync() -> None:
        try:
            desk.releases.sync(desk.namespace, "demo", run)
        except BlackstartError as error:
            errors.append(error)

    thread = threading.Thread(target=sync)
    thread.start()
    deadline = time.monotonic() + 60
    while desk.state().status is not ReleaseStatus.PENDING_INSTALL and not errors:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    desk.keeper.end_all(0.0)
    thread.join()
    return errors


def test_a_sync_that_was_killed_is_fenced_repaired_and_done_again(desk: Desk, tmp_path: Path) -> None:
    errors = die_in_the_middle(desk, "run-dead")
    assert errors
    state = desk.state()
    assert (state.status, state.revision, state.run, state.pending) == (
        ReleaseStatus.PENDING_INSTALL,
        1,
        "run-dead",
        True,
    )
    assert desk.releases.open_runs() == ("run-dead",)

    with Keeper(tmp_path / "programs-2", search=(BIN,)) as keeper:
        releases = HelmReleases(desk.clients, desk.house, SystemClock(), keeper)
        releases.fence("run-dead")
        assert releases.open_runs() == ()
        with pytest.raises(Changed):
            releases.drop_pending(replace(state, record=state.record.split("/")[0] + "/1"))
        releases.drop_pending(state)
        desk.values("word: one\n")
        releases.sync(desk.namespace, "demo", "run-next")
    state = desk.state()
    assert (state.status, state.revision, state.run) == (ReleaseStatus.DEPLOYED, 1, "")


def test_a_fence_shuts_out_a_helm_that_is_still_at_it(desk: Desk) -> None:
    desk.values("word: one\nstuck: true\n")
    errors: list[BlackstartError] = []

    def sync() -> None:
        try:
            desk.releases.sync(desk.namespace, "demo", "run-live")
        except BlackstartError as error:
            errors.append(error)

    thread = threading.Thread(target=sync)
    thread.start()
    while desk.state().status is not ReleaseStatus.PENDING_INSTALL and not errors:
        time.sleep(0.05)
    path = RunTokens(desk.clients, desk.house.state_dir, SystemClock()).open("run-live")
    assert path.stat().st_mode & 0o777 == 0o600
    config = load_config(path)
    assert config.user is not None
    servers = [one.as_bearer(Secret(config.user.token or "")) for _, one in desk.clients.each()]
    assert [s.ask("GET", "/api", "try").code for s in servers] == [200, 200]
    other = HelmReleases(desk.clients, desk.house, SystemClock(), desk.keeper)
    started = time.monotonic()
    other.fence("run-live")
    assert [s.ask("GET", "/api", "try").code for s in servers] == [401, 401]
    assert other.open_runs() == ()
    assert not path.exists()
    for server in servers:
        server.close()
    assert time.monotonic() - started < 30
    # helm still watches its hook; when that is done it goes on, and nothing that it asks is answered.
    stamp = "2026-01-01T00:00:00Z"
    done = [{"type": t, "status": "True", "lastTransitionTime": stamp} for t in ("SuccessCriteriaMet", "Complete")]
    desk.clients.main().demand(
        "PATCH",
        JOB.path(desk.namespace, "stuck", "status"),
        "say that the hook is done",
        body={"status": {"startTime": stamp, "completionTime": stamp, "conditions": done}},
        content_type="application/merge-patch+json",
    )
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert errors
    assert "took this run's token away" in errors[0].what
    assert desk.state().status is ReleaseStatus.PENDING_INSTALL, "it could not even write that it failed"
    assert desk.clients.main().get(CONFIG_MAP, "demo", desk.namespace) is None, "nor install anything"
    other.drop_pending(desk.state())


@dataclass
class Interrupting:
    """A clock whose sleeps end in an interruption, as a kill in the middle of a wait does."""

    real: SystemClock

    def now(self) -> float:
        return self.real.now()

    def monotonic(self) -> float:
        return self.real.monotonic()

    def sleep(self, seconds: float) -> None:
        raise KeyboardInterrupt


@pytest.mark.long
def test_a_fence_that_was_broken_off_is_not_forgotten(desk: Desk) -> None:
    path = RunTokens(desk.clients, desk.house.state_dir, SystemClock()).open("run-b")
    with contextlib.suppress(KeyboardInterrupt):
        RunTokens(desk.clients, desk.house.state_dir, Interrupting(SystemClock())).fence("run-b")
    assert "run-run-b" not in desk.secrets(), "the token is gone, but nobody has seen it refused"
    tokens = RunTokens(desk.clients, desk.house.state_dir, SystemClock())
    assert tokens.open_runs() == ("run-b",)
    started = time.monotonic()
    tokens.fence("run-b")
    assert time.monotonic() - started >= 10, "a server may believe the token for ten seconds more"
    assert tokens.open_runs() == ()
    assert not path.exists()


def test_what_flux_keeps_is_left_to_flux(desk: Desk) -> None:
    client = desk.clients.main()
    desk.releases.sync(desk.namespace, "demo", "run-1")
    define(client, "helm-controller", kinds=(HELM_RELEASE,))
    chart = {"chart": {"spec": {"chart": "c", "sourceRef": {"kind": "HelmRepository", "name": "r"}}}, "interval": "1h"}
    client.create(HELM_RELEASE, {"metadata": {"name": "demo"}, "spec": chart}, desk.namespace)
    assert desk.state().managed_by_flux
    with pytest.raises(PermanentError, match="HelmRelease of Flux keeps"):
        desk.releases.sync(desk.namespace, "demo", "run-2")
    with pytest.raises(PermanentError, match="HelmRelease of Flux keeps"):
        desk.releases.drop_pending(replace(desk.state(), status=ReleaseStatus.PENDING_UPGRADE))
    client.merge(HELM_RELEASE, "demo", {"spec": {"suspend": True}}, desk.namespace)
    assert not desk.state().managed_by_flux
    client.delete(HELM_RELEASE, "demo", desk.namespace)
    assert client.get(CONFIG_MAP, "demo", desk.namespace) is not None
