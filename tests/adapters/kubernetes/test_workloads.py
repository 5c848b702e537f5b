"""What mounts a claim, and how it is stopped and goes on: every kind, and what nothing would make again. Without any API server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, REPLICA_SET, STATEFUL_SET, Kind
from adapters.kubernetes.objects import Obj, dig
from adapters.kubernetes.results import Workload
from adapters.kubernetes.stopping import rest, wake
from adapters.kubernetes.workloads import KINDS, NOWHERE, RESTING, uses, workload
from cluster.hold.suspension import wake_by_hand
from engine.errors import PermanentError
from tests.hands import is_a_command

NS = "apps"


@dataclass
class Objects:
    """One namespace's objects, changed by JSON merge patches as the API does."""

    there: dict[tuple[Kind, str], Obj] = field(default_factory=dict)

    def put(self, kind: Kind, name: str, spec: Obj, owner: str = "", **metadata: Any) -> None:
        owners = {"ownerReferences": [{"kind": owner, "name": "owner", "controller": True}]} if owner else {}
        known = {"name": name, "namespace": NS, "uid": f"uid-{name}"}
        self.there[kind, name] = {"metadata": {**known, **owners, **metadata}, "spec": spec}

    def get(self, kind: Kind, name: str, namespace: str = "") -> Obj | None:
        return self.there.get((kind, name))

    def merge(self, kind: Kind, name: str, patch: Obj, namespace: str = "") -> None:
        _merge(self.there[kind, name], patch)

    def delete(self, kind: Kind, name: str, namespace: str = "", *, uid: str = "") -> bool:
        return self.there.pop((kind, name), None) is not None

    def workloads(self, claim: str = "notes") -> tuple[Workload, ...]:
        return tuple(workload(kind, obj) for (kind, _), obj in self.there.items() if kind in KINDS and uses(kind, obj, claim))

    @property
    def one(self) -> Workload:
        (found,) = self.workloads()
        return found

    def rest(self) -> None:
        for each in self.workloads():
            rest(cast("ApiClient", self), each)

    def wake(self) -> None:
        for each in self.workloads():
            wake(cast("ApiClient", self), each)

    def spec(self, kind: Kind, name: str = "x") -> Obj:
        return cast("Obj", self.there[kind, name]["spec"])


def _merge(into: Obj, patch: Obj) -> None:
    for key, value in patch.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(key, {}), value)
        else:
            into[key] = value


def pod(claim: str = "notes") -> Obj:
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}


def template(claim: str = "notes") -> Obj:
    return {"template": {"spec": pod(claim)}}


@pytest.mark.parametrize("before", [None, False, True])
def test_a_cron_job_is_suspended_and_is_as_it_was_before_afterwards(before: bool | None) -> None:
    house = Objects()
    house.put(CRON_JOB, "x", {"jobTemplate": {"spec": template()}} | ({} if before is None else {"suspend": before}))
    assert (house.one.kind, house.one.wanted, house.one.resting) == ("CronJob", 0, None)
    house.rest()
    assert (house.spec(CRON_JOB)["suspend"], house.one.resting) == (True, 0 if before else 1)
    assert is_a_command(wake_by_hand(house.one))
    assert ('"suspend":true' in wake_by_hand(house.one).replace(" ", "")) is bool(before)
    house.rest()
    house.wake()
    assert (house.spec(CRON_JOB)["suspend"], house.one.resting) == (bool(before), None)


def test_a_cron_job_that_somebody_let_go_on_is_awake_and_is_stopped_again_and_is_as_it_was() -> None:
    house = Objects()
    house.put(CRON_JOB, "x", {"jobTemplate": {"spec": template()}})
    house.rest()
    house.spec(CRON_JOB)["suspend"] = False
    assert house.one.resting is None
    house.rest()
    assert (house.spec(CRON_JOB)["suspend"], house.one.resting) == (True, 1)


def test_what_was_scaled_back_while_it_rested_is_stopped_again_and_is_as_it_was() -> None:
    house = Objects()
    house.put(DEPLOYMENT, "x", template() | {"replicas": 3})
    house.rest()
    house.spec(DEPLOYMENT)["replicas"] = 1
    house.rest()
    assert (house.spec(DEPLOYMENT)["replicas"], house.one.resting) == (0, 3)
    house.wake()
    assert (house.spec(DEPLOYMENT)["replicas"], house.one.resting) == (3, None)


def test_a_job_at_work_is_suspended_and_one_that_has_ended_is_nobody() -> None:
    house = Objects()
    house.put(JOB, "x", template(), owner="CronJob")
    house.there[JOB, "x"]["status"] = {"active": 1}
    assert house.one.ready == 1, "a CronJob that is suspended leaves the Job that it has made at work"
    house.rest()
    assert house.spec(JOB)["suspend"] is True
    house.wake()
    assert house.spec(JOB)["suspend"] is False
    for word in ("Complete", "Failed"):
        house.there[JOB, "x"]["status"] = {"conditions": [{"type": word, "status": "True"}]}
        assert house.workloads() == ()


@pytest.mark.parametrize(
    "labels", [{"app.kubernetes.io/created-by": "volsync"}, {"app.kubernetes.io/managed-by": "blackstart"}], ids=["mover", "ours"]
)
def test_movers_and_readers_are_no_part_of_the_application(labels: Obj) -> None:
    house = Objects()
    house.put(JOB, "x", template(), labels=labels)
    house.put(POD, "x-1", pod(), owner="Job", labels=labels)
    assert house.workloads() == ()


def test_a_daemon_set_finds_no_node_until_it_goes_on() -> None:
    house = Objects()
    spec = {"template": {"spec": pod() | {"nodeSelector": {"disk": "fast"}}}}
    house.put(DAEMON_SET, "x", spec)
    house.rest()
    assert dig(house.spec(DAEMON_SET), "template", "spec", "nodeSelector") == {"disk": "fast", NOWHERE: "true"}
    assert is_a_command(wake_by_hand(house.one))
    house.wake()
    assert dig(house.spec(DAEMON_SET), "template", "spec", "nodeSelector") == {"disk": "fast"}


@pytest.mark.parametrize("kind", [DEPLOYMENT, STATEFUL_SET, REPLICA_SET], ids=lambda kind: kind.name)
def test_what_has_replicas_is_scaled_and_back(kind: Kind) -> None:
    house = Objects()
    house.put(kind, "x", {"replicas": 3} | template())
    house.rest()
    assert (house.spec(kind)["replicas"], house.one.resting) == (0, 3)
    house.wake()
    assert house.spec(kind)["replicas"] == 3
    assert RESTING not in house.there[kind, "x"]["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        (DEPLOYMENT, {"replicas": 2}),
        (STATEFUL_SET, {"replicas": 2}),
        (DAEMON_SET, {"currentNumberScheduled": 1, "numberMisscheduled": 1}),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_what_was_stopped_just_now_has_its_pods_until_its_controller_says_otherwise(kind: Kind, counted: Obj) -> None:
    """Its status is still that of the spec before: of the pods that it has, that is all that is known."""
    house = Objects()
    house.put(kind, "x", {"replicas": 2} | template(), generation=2)
    house.there[kind, "x"]["status"] = {"observedGeneration": 1, **counted}
    house.rest()
    assert (house.one.ready, house.one.pods) == (0, 2)
    house.there[kind, "x"]["status"] = {"observedGeneration": 2}
    assert house.one.pods == 0


def test_one_that_was_stopped_since_it_was_listed_keeps_the_note_of_how_it_was() -> None:
    house = Objects()
    house.put(DEPLOYMENT, "x", {"replicas": 3} | template())
    (before,) = house.workloads()
    for _ in range(2):
        rest(cast("ApiClient", house), before)
    assert house.one.resting == 3


def test_a_set_s_pods_are_not_counted_beside_it() -> None:
    house = Objects()
    house.put(DEPLOYMENT, "x", template())
    house.put(REPLICA_SET, "x-1", template(), owner="Deployment")
    for owner in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
        house.put(POD, f"of-{owner}", pod(), owner=owner)
    assert [(one.kind, one.name) for one in house.workloads()] == [("Deployment", "x")]


def test_a_bare_pod_goes_only_where_flux_makes_it_again() -> None:
    house = Objects()
    house.put(POD, "x", pod(), labels={"kustomize.toolkit.fluxcd.io/name": "notes"})
    assert (house.one.kind, house.one.ready, house.one.wanted) == ("Pod", 1, 0)
    house.rest()
    assert house.there == {}
    house.put(POD, "x", pod())
    with pytest.raises(PermanentError, match="nothing would make it again"):
        house.rest()
    assert (POD, "x") in house.there
    house.there[POD, "x"]["status"] = {"phase": "Succeeded"}
    assert house.workloads() == (), "what has ended has nothing open"


def test_what_something_unknown_runs_is_seen_and_refused_by_its_owner() -> None:
    house = Objects()
    house.put(POD, "web-0", pod(), owner="CloneSet")
    assert (house.one.kind, house.one.name) == ("CloneSet", "owner")
    with pytest.raises(PermanentError, match="CloneSet apps/owner cannot be stopped from here"):
        house.rest()


def test_another_claim_s_are_not_touched() -> None:
    house = Objects()
    for kind, spec in ((POD, pod("other")), (CRON_JOB, {"jobTemplate": {"spec": template("other")}}), (JOB, template("other"))):
        house.put(kind, kind.name, spec)
    assert house.workloads() == ()


@pytest.mark.parametrize(("observed", "ready"), [(1, 0), (2, 1)])
def test_what_was_counted_for_an_older_spec_is_not_ready(observed: int, ready: int) -> None:
    status = {"observedGeneration": observed, "readyReplicas": 1, "replicas": 1}
    found = workload(DEPLOYMENT, {"metadata": {"name": "x", "generation": 2}, "spec": {"replicas": 1}, "status": status})
    assert (found.wanted, found.ready, found.pods) == (1, ready, 1)
