"""What the lab puts into its API servers for a cluster's systems: kinds by their names, and which faults a running house has."""

from __future__ import annotations

import pytest

from cluster.components.registry import COMPONENTS
from engine.errors import PermanentError
from lab.parts.errors import PartFailed
from lab.parts.kube import ApiRefused
from lab.parts.objects import storage as storage_objects
from lab.parts.objects.components import is_down, is_workload, kind_of
from lab.parts.pods.images import short_name
from lab.troubles.component import COMPONENT_TROUBLES
from lab.troubles.component_faults import NOT_HERE
from lab.troubles.named import TROUBLES, named
from lab.world.cluster.components import STOOD_IN, WORKLOADS, healthy, operated, unready, workload

NOW = 1_800_000_000.0


def test_every_kind_has_the_name_and_the_scope_by_which_it_is_asked_for() -> None:
    asks = [ask for one in COMPONENTS for aspect in one.aspects for ask in aspect.asks]
    asked = {(ask.group, ask.kind): (ask.plural, ask.namespaced) for ask in asks}
    made = {(kind.group, kind.name): (kind.plural, kind.namespaced) for kind in map(kind_of, operated(NOW))}
    both = asked.keys() & made.keys()
    assert len(both) > 12
    assert {key: made[key] for key in both} == {key: asked[key] for key in both}


def test_a_workload_is_down_where_no_pod_of_it_is_ready() -> None:
    for one in WORKLOADS:
        assert not is_down(workload(*one))
        assert is_down(unready(workload(*one)))
    assert not any(is_down(one) for one in healthy(NOW))


def test_every_image_of_a_system_is_stood_in() -> None:
    pods = [one["spec"]["template"]["spec"] for one in healthy(NOW) if is_workload(one)]
    images = {short_name(container["image"]) for pod in pods for container in pod["containers"]}
    assert images == {image.rpartition("/")[2] for image in STOOD_IN}


def test_each_fault_of_a_system_begins_in_a_running_house_or_says_why_it_cannot() -> None:
    assert set(NOT_HERE) <= set(COMPONENT_TROUBLES)
    assert {name for name in COMPONENT_TROUBLES if name in TROUBLES} == set(COMPONENT_TROUBLES) - set(NOT_HERE)
    for name, why in NOT_HERE.items():
        with pytest.raises(PermanentError, match=f"{name} cannot be here") as told:
            named(name)
        assert why in told.value.what
    with pytest.raises(PermanentError, match="there is no fault of-nobody"):
        named("of-nobody")


def test_a_kind_that_is_never_served_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Deaf:
        def apply(self, *_: object) -> None:
            """Takes it."""

        def list(self, *_: object) -> None:
            raise ApiRefused(404, "NotFound", "page not found")

    monkeypatch.setattr(storage_objects, "_ESTABLISHED_S", 0.05)
    (kind,) = {kind_of(one) for one in operated(NOW) if one["kind"] == "ClusterIssuer"}
    with pytest.raises(PartFailed, match=r"did not serve clusterissuers\.cert-manager\.io"):
        storage_objects.serve(Deaf(), [kind])  # type: ignore[arg-type]  # what it uses of one
