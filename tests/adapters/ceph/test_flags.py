"""Flags of Rook's Ceph: what goes to which pod, what is marked and then set, and let go. API and kubectl are stood in for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from adapters.ceph.flags import MARK, RookFlags
from adapters.ceph.results import OsdFlags
from adapters.kubernetes.client import Clients
from adapters.process.results import Finished, ProgramFailed, Runner
from engine.errors import PermanentError, TransientError

WANTED = ("noout", "norebalance")
OWN = ("--conf=/var/lib/rook/rook-ceph/rook-ceph.config", "--name=client.admin",
       "--keyring=/var/lib/rook/rook-ceph/client.admin.keyring")  # fmt: skip


@dataclass
class Cluster:
    """What stands for the API server and for kubectl: one CephCluster, pods by their label, the flags that Ceph has."""

    pods: dict[str, bool] = field(default_factory=lambda: {"rook-ceph-tools": True, "rook-ceph-operator": True})
    flags: list[str] = field(default_factory=lambda: ["sortbitwise", "recovery_deletes"])
    notes: dict[str, str] = field(default_factory=dict)
    external: bool = False
    answers: bool = True
    said: str = ""
    log: list[str] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def main(self) -> Cluster:
        return self

    def kubeconfig(self) -> Path:
        return Path("/state/kubeconfig")

    def list_if_served(self, kind: Any, namespace: str = "") -> list[dict[str, Any]]:
        return [self.get(kind, "rook-ceph", "rook-ceph")]

    def get(self, kind: Any, name: str, namespace: str = "") -> dict[str, Any]:
        metadata = {"name": "rook-ceph", "namespace": "rook-ceph", "annotations": dict(self.notes)}
        return {"metadata": metadata, "spec": {"external": {"enable": self.external}}}

    def list_objects(self, kind: Any, namespace: str = "", *, labels: str = "") -> list[dict[str, Any]]:
        app = labels.removeprefix("app=")
        ready = [{"type": "Ready", "status": "True" if self.pods[app] else "False"}] if app in self.pods else []
        return [{"metadata": {"name": f"{app}-x"}, "status": {"conditions": ready}}] if ready else []

    def merge(self, kind: Any, name: str, patch: dict[str, Any], namespace: str = "") -> None:
        (value,) = patch["metadata"]["annotations"].values()
        self.log.append(f"mark {value}")
        self.notes = {MARK: value} if value is not None else {}

    def run(self, argv: Sequence[str], *, timeout_s: float, **_: Any) -> Finished:
        words = tuple(argv)
        pod, asked = words[words.index("exec") + 1], words[words.index("ceph") + 1 :]
        self.asked.append((pod, *asked))
        if not self.answers:
            finished = Finished("kubectl", 1, b"", ("RADOS timed out (error connecting to the cluster)",), 20.0)
            raise ProgramFailed("kubectl ended with 1", finished, finished.stderr_tail)
        if "dump" in asked:
            return Finished("kubectl", 0, (self.said or json.dumps({"epoch": 9, "flags": ",".join(self.flags)})).encode(), (), 0.1)
        self.log.append(f"{asked[-2]} {asked[-1]}")
        (self.flags.append if asked[-2] == "set" else self.flags.remove)(asked[-1])
        return Finished("kubectl", 0, b"", (), 0.1)


def port(cluster: Cluster) -> RookFlags:
    return RookFlags(cast("Clients", cluster), cast("Runner", cluster))


def test_the_mark_is_there_before_the_first_flag_and_goes_after_the_last() -> None:
    cluster = Cluster()
    port(cluster).put("rook-ceph", "rook-ceph", WANTED)
    assert cluster.log == ["mark noout,norebalance", "set noout", "set norebalance"]
    (seen,) = port(cluster).flags()
    assert (seen.ours, set(WANTED) <= seen.there) == (frozenset(WANTED), True)
    cluster.log.clear()
    port(cluster).drop("rook-ceph", "rook-ceph")
    assert cluster.log == ["unset noout", "unset norebalance", "mark None"]
    assert port(cluster).flags() == (OsdFlags("rook-ceph", "rook-ceph", frozenset({"sortbitwise", "recovery_deletes"})),)


def test_what_is_set_already_is_its_setters_but_what_an_act_of_ours_left_is_ours() -> None:
    cluster = Cluster(flags=["noout"])
    port(cluster).put("rook-ceph", "rook-ceph", WANTED)
    assert cluster.notes == {MARK: "norebalance"}
    cut_off = Cluster(flags=["noout"], notes={MARK: "noout,norebalance"})
    port(cut_off).put("rook-ceph", "rook-ceph", WANTED)
    assert cut_off.notes == {MARK: "noout,norebalance"} and set(WANTED) <= set(cut_off.flags)


@pytest.mark.parametrize(("pods", "pod", "more"), [
    ({"rook-ceph-tools": True, "rook-ceph-operator": True}, "rook-ceph-tools-x", ()),
    ({"rook-ceph-operator": True}, "rook-ceph-operator-x", OWN),
    ({"rook-ceph-tools": False, "rook-ceph-operator": True}, "rook-ceph-operator-x", OWN),
])  # fmt: skip
def test_the_toolbox_is_asked_or_else_the_operators_pod(pods: dict[str, bool], pod: str, more: Sequence[str]) -> None:
    cluster = Cluster(pods)
    port(cluster).flags()
    assert cluster.asked == [(pod, "--connect-timeout=20", *more, "osd", "dump", "--format", "json")]


@pytest.mark.parametrize(("cluster", "why"), [
    (Cluster({}), "no pod in rook-ceph could ask Ceph"),
    (Cluster(answers=False), "gives no answer in pod rook-ceph-tools-x; RADOS timed out"),
    (Cluster(said="not json"), "cannot be read"),
    (Cluster(said='{"epoch": 1}'), "cannot be read"),
])  # fmt: skip
def test_who_is_silent_says_why_and_the_mark_is_read_all_the_same(cluster: Cluster, why: str) -> None:
    cluster.notes = {MARK: "noout"}
    (seen,) = port(cluster).flags()
    assert why in seen.silent
    assert (seen.there, seen.ours) == (frozenset(), frozenset({"noout"}))
    with pytest.raises((TransientError, PermanentError)):
        port(cluster).put("rook-ceph", "rook-ceph", WANTED)
    assert cluster.notes == {MARK: "noout"}, "nothing was marked that nobody could set"


def test_one_that_rook_only_knows_is_left_out() -> None:
    assert port(Cluster(external=True)).flags() == ()
