"""What both doors of the Drills port must do: one drill at a time, its record, its Lease, and nothing out of nothing.

The real one asks a real API server, at which this suite plays the two controllers that a drill waits for: quotas are taken up, and
a namespace that is deleted goes with all that is in it. What needs pods is asked of the whole lab (tests/lab/lived_in).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.drills.adapter import KubernetesDrills
from adapters.drills.fence import QUOTA, SCRATCH
from adapters.drills.port import Drills
from adapters.drills.results import Examination, Examined, Order, Phase, Restore, Scheduled, Sent
from adapters.kubernetes.client import Clients
from adapters.kubernetes.errors import ObjectAbsent
from adapters.kubernetes.kinds import CONFIG_MAP, NAMESPACE, REPLICATION_DESTINATION, REPLICATION_SOURCE
from adapters.kubernetes.objects import Obj, name_of, table
from adapters.volsync.contents import Reader
from adapters.volsync.results import Snapshot
from engine.errors import PermanentError, TransientError
from engine.waiting import SystemClock
from house.values.rehearsing import ClaimProbe, Preset
from tests.adapters.cluster_house import house_on
from tests.adapters.definitions import define
from tests.contract.apiserver import ApiServers, needed, program
from tests.scenario.running import Running

SPACE, LAST = "blackstart-drills", 1_750_000_000.0
SNAPSHOT = Snapshot("a" * 64, "b" * 64)
NOWHERE = Order("scratch-1", "apps", "nobody-bootstrap", SNAPSHOT, 1 << 20)
PROBE = Examination(NOWHERE, ClaimProbe(Preset.FILES))


@dataclass
class Door:
    """A Drills port. `gone`: a namespace that is being deleted goes; `put`: a CronJob comes to stand there, suspended or not, that
    started a drill at LAST or never."""

    drills: Drills
    gone: Callable[[], None]
    put: Callable[[str, bool, bool], None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """A modelled house that lives."""
    return Running.bootstrapped(tmp_path_factory.mktemp("modelled"))


def modelled(running: Running) -> Door:
    """Of a house in which nothing of a drill is."""
    objects = running.home.kube.objects()
    objects.drill, objects.drill_lease = None, None
    objects.scheduled.clear()
    kept = objects.scheduled

    def put(name: str, suspended: bool, started: bool) -> None:
        kept[SPACE, name] = Scheduled(suspended, LAST if started else None)

    return Door(running.home.act("run-1").drills, lambda: running.clock.sleep(60.0), put)


class Controlled(SystemClock):
    """While somebody waits, the quota controller is at work."""

    def __init__(self, clients: Clients) -> None:
        super().__init__()
        self._clients = clients

    def sleep(self, seconds: float) -> None:
        """Sleep, and take up what there is."""
        super().sleep(seconds)
        client = self._clients.main()
        for quota in client.list_objects(QUOTA, SCRATCH):
            body: Obj = {"status": {"hard": table(quota, "spec", "hard"), "used": {}}}
            path = f"{QUOTA.path(SCRATCH, name_of(quota))}/status"
            client.demand("PATCH", path, "take a quota up", body=body, content_type="application/merge-patch+json")


class Real:
    """A real API server, as a person and its controllers would leave things there."""

    def __init__(self, servers: ApiServers, clients: Clients) -> None:
        self.servers, self.clients = servers, clients

    def door(self) -> Door:
        clock = Controlled(self.clients)
        return Door(KubernetesDrills(self.clients, "contract", clock, Reader(self.clients, clock)), self.gone, self.put)

    def gone(self) -> None:
        """All that is in the scratch namespace, and the namespace."""
        client = self.clients.main()
        for kind in (CONFIG_MAP, QUOTA):
            for one in client.list_objects(kind, SCRATCH):
                client.delete(kind, name_of(one), SCRATCH)
        with suppress(ObjectAbsent):
            client.delete(NAMESPACE, SCRATCH)
        if (found := client.get(NAMESPACE, SCRATCH)) is not None:
            body = found | {"spec": {"finalizers": []}}
            client.demand("PUT", f"{NAMESPACE.path('', SCRATCH)}/finalize", "let a namespace go", body=body)

    def put(self, name: str, suspended: bool, started: bool) -> None:
        pod = {"restartPolicy": "Never", "containers": [{"name": "drill", "image": "x"}]}
        job = {
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name, "namespace": SPACE},
            "spec": {"schedule": "0 3 * * 0", "suspend": suspended, "jobTemplate": {"spec": {"template": {"spec": pod}}}},
        }  # fmt: skip
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}}
        self._kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": [space, job]}))
        if started:
            status = json.dumps({"status": {"lastScheduleTime": "2025-06-15T15:06:40Z"}})
            self._kubectl("patch", "cronjob", name, "-n", SPACE, "--subresource=status", "--type=merge", "-p", status)

    def _kubectl(self, *words: str, given: str = "") -> None:
        argv = [str(program("kubectl")), f"--kubeconfig={self.servers.kubeconfig}", *words]
        subprocess.run(argv, input=given, text=True, check=True, capture_output=True)


@pytest.fixture(scope="module")
def volsync(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> ApiServers:
    """An API server that serves VolSync's kinds."""
    needed("kubectl", "volsync")
    clients = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    define(clients.main(), "volsync", kinds=(REPLICATION_DESTINATION, REPLICATION_SOURCE))
    clients.close()
    return real_api


@pytest.fixture(params=["modelled", pytest.param("real", marks=pytest.mark.programs)])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    if request.param == "modelled":
        yield modelled(request.getfixturevalue("built"))
        return
    servers: ApiServers = request.getfixturevalue("volsync")
    clients = Clients(house_on(servers, tmp_path))
    real = Real(servers, clients)
    real.gone()
    yield real.door()
    real.gone()
    clients.close()


def test_where_no_drill_is_there_is_nothing(door: Door) -> None:
    drills = door.drills
    assert drills.scratch() is None
    assert drills.canary() == Sent(Phase.ABSENT)
    assert drills.restored("scratch-1") == Restore(Phase.ABSENT)
    assert drills.examined(PROBE) == Examined(Phase.ABSENT)
    drills.clear()
    assert drills.scratch() is None


def test_a_drill_is_fenced_in_once_and_keeps_every_other_out(door: Door) -> None:
    drills = door.drills
    for _ in range(2):
        drills.fence_in("drill-1")
    found = drills.scratch()
    assert found is not None
    assert (found.drill, found.deleting, found.notes, found.left) == ("drill-1", False, (), (f"namespace {SCRATCH}",))
    with pytest.raises(PermanentError, match="that of another drill"):
        drills.fence_in("drill-2")
    again = drills.scratch()
    assert again is not None and again.drill == "drill-1"


def test_what_is_noted_is_read_again_and_written_over(door: Door) -> None:
    door.drills.fence_in("drill-1")
    for key, value in (("plan", "{}"), ("pins", "a"), ("pins", "b")):
        door.drills.note(key, value)
    found = door.drills.scratch()
    assert found is not None
    assert found.notes == (("pins", "b"), ("plan", "{}"))
    assert found.note("pins") == "b"


def test_nothing_is_noted_where_no_drill_is(door: Door) -> None:
    with pytest.raises(PermanentError):
        door.drills.note("plan", "{}")
    assert door.drills.scratch() is None


def test_what_is_cleared_keeps_the_next_out_until_it_is_gone(door: Door) -> None:
    drills = door.drills
    drills.fence_in("drill-1")
    drills.note("plan", "{}")
    drills.clear()
    drills.clear()
    found = drills.scratch()
    assert found is not None and found.deleting
    for drill in ("drill-1", "drill-2"):
        with pytest.raises(TransientError, match="still being deleted"):
            drills.fence_in(drill)
    door.gone()
    assert drills.scratch() is None
    drills.fence_in("drill-2")
    found = drills.scratch()
    assert found is not None and (found.drill, found.notes) == ("drill-2", ())


@pytest.mark.parametrize("act", [
    lambda drills: drills.compare(NOWHERE), lambda drills: drills.compare(NOWHERE, anew=True),
    lambda drills: drills.examine(PROBE), lambda drills: drills.restore(NOWHERE),
    lambda drills: drills.send_canary("apps", "nobody-bootstrap", "word"),
], ids=["compare", "compare anew", "examine", "restore", "send_canary"])  # fmt: skip
def test_nothing_comes_out_of_what_is_not_there(door: Door, act: Callable[[Drills], object]) -> None:
    """No destination of that name, and nothing restored."""
    door.drills.fence_in("drill-1")
    with pytest.raises(PermanentError):
        act(door.drills)
    assert door.drills.restored("scratch-1") == Restore(Phase.ABSENT)


def test_one_has_the_lease_until_it_drops_it_or_stops_renewing(door: Door) -> None:
    drills = door.drills
    mine = drills.take_lease("me", 60)
    assert mine.holder == "me"
    assert drills.take_lease("you", 60) == mine
    drills.drop_lease("you")
    renewed = drills.take_lease("me", 60)
    assert (renewed.holder, renewed.renewal != mine.renewal) == ("me", True)
    assert drills.take_lease("you", 60, over=mine.renewal).holder == "me"
    assert drills.take_lease("you", 60, over=renewed.renewal).holder == "you"
    drills.drop_lease("you")
    assert drills.take_lease("me", 60).holder == "me"
    drills.drop_lease("me")


def test_a_cronjob_that_nobody_made_is_none_and_a_new_one_has_never_started(door: Door) -> None:
    assert door.drills.scheduled(SPACE, "nobody") is None
    door.put("new", False, False)
    assert door.drills.scheduled(SPACE, "new") == Scheduled(suspended=False, last=None)


def test_when_a_cronjob_last_started_one_and_whether_it_is_suspended(door: Door) -> None:
    door.put("old", True, True)
    assert door.drills.scheduled(SPACE, "old") == Scheduled(suspended=True, last=LAST)
