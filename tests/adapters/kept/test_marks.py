"""What a marked volume is told as, without any API server: it stays while its policy says so; no mark is worse than an answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import cast

import pytest

from adapters.kept.adapter import MARK, KubernetesKept
from adapters.kept.results import KeptState, KeptVolume
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import Kind
from adapters.kubernetes.objects import Obj
from engine.waiting import SystemClock


@dataclass
class OneVolume:
    """In the place of an API: one PersistentVolume."""

    volume: Obj

    def main(self) -> OneVolume:
        return self

    def list_objects(self, kind: Kind) -> list[Obj]:
        return [self.volume]


def told(mark: object, policy: str = "Retain", phase: str = "Released") -> KeptVolume:
    text = mark if isinstance(mark, str) else json.dumps(mark)
    spec = {"persistentVolumeReclaimPolicy": policy, "claimRef": {"uid": "old"}}
    volume: Obj = {"metadata": {"name": "pv", "annotations": {MARK: text}}, "spec": spec, "status": {"phase": phase}}
    (one,) = KubernetesKept(cast("Clients", OneVolume(volume)), SystemClock()).volumes()
    return one


@pytest.mark.parametrize("phase", ["Bound", "Released"])
def test_a_mark_alone_keeps_no_volume(phase: str) -> None:
    mark = {"claim": "apps/notes", "uid": "old", "since": 1.0, "policy": "Delete"}
    assert told(mark, phase=phase).stays
    lost = told(mark, "Delete", phase)
    assert not lost.stays
    assert lost.state is (KeptState.IN_USE if phase == "Bound" else KeptState.UNKNOWN), "its storage deletes it: nobody is given it"


@pytest.mark.parametrize(
    "mark", ["{", "[]", "null", '{"since": 1e999}', '{"since": NaN}', '{"since": true}', f'{{"since": {10**400}}}'],
    ids=range(7),
)  # fmt: skip
def test_no_mark_that_a_hand_wrote_is_worse_than_an_answer(mark: str) -> None:
    one = told(mark)
    assert (one.key, one.since) == ("/", 0.0)
