"""What the lab's kubelet says of a pod's sidecars: how each went, and when, by what was written of it and by no clock of now."""

from __future__ import annotations

from typing import Any

from lab.parts.pods.podstatus import Sidecar, SidecarEnd, ended, running, stamp_of, with_sidecars

POD: dict[str, Any] = {"spec": {"containers": [{"name": "asks", "image": "restic"}]}}
BEGAN, FIRST_END, AGAIN, OVER = 1000.0, 1010.0, 1020.0, 1090.0
SEVEN = SidecarEnd(1, 7, BEGAN, FIRST_END)
TOLD = {"exitCode": 7, "reason": "Error", "startedAt": stamp_of(BEGAN), "finishedAt": stamp_of(FIRST_END)}


def while_it_runs(one: Sidecar) -> dict[str, Any]:
    status = with_sidecars(running(POD, "h", "a", ready=True, started_at=stamp_of(BEGAN)), {"application": one})
    (told,) = status["initContainerStatuses"]
    return dict(told)


def once_it_is_over(one: Sidecar) -> dict[str, Any]:
    status = with_sidecars(ended(POD, 0, started_at=stamp_of(BEGAN), finished_at=stamp_of(OVER)), {"application": one})
    (told,) = status["initContainerStatuses"]
    return dict(told)


def test_one_that_runs_has_run_since_its_newest_life_began() -> None:
    told = while_it_runs(Sidecar("web", AGAIN, SEVEN))
    assert told["state"] == {"running": {"startedAt": stamp_of(AGAIN)}}
    assert (told["lastState"], told["restartCount"]) == ({"terminated": TOLD}, 1)
    first = while_it_runs(Sidecar("web", BEGAN, None))
    assert (first["state"], first.get("lastState"), first["restartCount"]) == ({"running": {"startedAt": stamp_of(BEGAN)}}, None, 0)
    assert while_it_runs(Sidecar("web", None, None))["state"] == {"running": {"startedAt": stamp_of(BEGAN)}}, "as its pod"


def test_one_that_lives_is_killed_with_its_pod_whatever_its_life_before_came_to() -> None:
    killed = {"exitCode": 137, "reason": "Error", "startedAt": stamp_of(AGAIN), "finishedAt": stamp_of(OVER)}
    told = once_it_is_over(Sidecar("web", AGAIN, SEVEN))
    assert (told["state"], told["lastState"]) == ({"terminated": killed}, {"terminated": TOLD})
    told = once_it_is_over(Sidecar("web", BEGAN, None))
    assert told["state"] == {"terminated": killed | {"startedAt": stamp_of(BEGAN)}}


def test_one_that_waits_to_be_begun_again_has_ended_as_it_did() -> None:
    assert once_it_is_over(Sidecar("web", BEGAN, SEVEN))["state"] == {"terminated": TOLD}
