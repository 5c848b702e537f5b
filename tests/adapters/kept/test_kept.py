"""The port of kept volumes on a real API server; what binds and releases volumes is played by writing status."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adapters.kept.adapter import MARK, KubernetesKept
from adapters.kept.results import Found, KeptState, KeptVolume, Word
from adapters.kubernetes.client import ApiClient, Clients
from adapters.kubernetes.kinds import CLAIM, NAMESPACE, VOLUME
from adapters.kubernetes.objects import Obj, dig, text
from engine.errors import PermanentError
from engine.waiting import SystemClock
from house.known.inventory import VolumeRecord
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import ApiServers

pytestmark = pytest.mark.programs

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def client(real_api: ApiServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiClient, KubernetesKept]]:
    clients = Clients(house_on(real_api, tmp_path_factory.mktemp("state")))
    yield clients.main(), KubernetesKept(clients, SystemClock())
    clients.close()


@pytest.fixture
def bound(client: tuple[ApiClient, KubernetesKept]) -> Iterator[tuple[str, str, str]]:
    """Namespace, uid and volume of a claim `notes` that is bound to a volume which goes with it."""
    api, number = client[0], next(NUMBERS)
    ns, volume = f"kept-{number}", f"pv-kept-{number}"
    api.create(NAMESPACE, {"metadata": {"name": ns}})
    size = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": size, "storageClassName": "fast", "volumeName": volume}
    uid = text(api.create(CLAIM, {"metadata": {"name": "notes"}, "spec": spec}, ns), "metadata", "uid")
    api.create(VOLUME, {"metadata": {"name": volume, "annotations": {"pv.kubernetes.io/bound-by-controller": "yes"}}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
        "persistentVolumeReclaimPolicy": "Delete", "csi": {"driver": "csi.lab", "volumeHandle": f"handle-{number}"},
        "claimRef": {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": ns, "name": "notes", "uid": uid},
    }})  # fmt: skip
    say(api, volume, "Bound")
    yield ns, uid, volume
    api.merge(VOLUME, volume, {"metadata": {"finalizers": None, "annotations": {MARK: None}}})
    api.delete(VOLUME, volume)


def say(api: ApiClient, volume: str, phase: str) -> None:
    api.demand(
        "PATCH", VOLUME.path("", volume, "status"), "say", body={"status": {"phase": phase}},
        content_type="application/merge-patch+json",
    )  # fmt: skip


def spec_of(api: ApiClient, volume: str) -> Obj:
    found = api.get(VOLUME, volume)
    assert found is not None
    return dict(found["spec"])


def test_a_volume_stays_comes_back_and_is_its_own_again(
    client: tuple[ApiClient, KubernetesKept], bound: tuple[str, str, str]
) -> None:
    (api, kept), (ns, uid, volume) = client, bound
    assert [one for one in kept.volumes() if one.namespace == ns] == []
    kept.keep(ns, "notes", uid)
    (one,) = [one for one in kept.volumes() if one.namespace == ns]
    assert (one.name, one.claim, one.uid, one.state, one.held_by) == (volume, "notes", uid, KeptState.IN_USE, uid)
    assert (one.policy, one.size, one.handle.split()[0]) == ("Delete", "1Gi", "csi.lab")
    assert spec_of(api, volume)["persistentVolumeReclaimPolicy"] == "Retain"
    kept.keep(ns, "notes", uid)
    assert [each.policy for each in kept.volumes() if each.namespace == ns] == ["Delete"], "what it was before, not what we made it"
    with pytest.raises(PermanentError, match="is in use"):
        kept.put_back(volume)

    say(api, volume, "Released")
    kept.put_back(volume)
    ref = spec_of(api, volume)["claimRef"]
    assert (ref["name"], ref["namespace"], "uid" in ref, "resourceVersion" in ref) == ("notes", ns, False, False)
    found = api.get(VOLUME, volume)
    assert found is not None
    assert dig(found, "metadata", "annotations", "pv.kubernetes.io/bound-by-controller") is None
    assert [each.state for each in kept.volumes() if each.namespace == ns] == [KeptState.PROMISED]
    kept.put_back(volume)

    kept.let_go(volume)
    assert spec_of(api, volume)["persistentVolumeReclaimPolicy"] == "Delete"
    assert [each for each in kept.volumes() if each.namespace == ns] == []
    kept.let_go(volume)
    kept.let_go("pv-that-never-was")


def test_another_claim_or_none_is_never_kept(client: tuple[ApiClient, KubernetesKept], bound: tuple[str, str, str]) -> None:
    (_, kept), (ns, uid, volume) = client, bound
    for claim, wanted in (("notes", "another-uid"), ("notes", ""), ("gone", uid)):
        with pytest.raises(PermanentError, match="is not kept"):
            kept.keep(ns, claim, wanted)
    with pytest.raises(PermanentError, match="no mark of ours"):
        kept.put_back(volume)


def test_a_mark_that_a_hand_broke_is_told_and_deletes_nothing(
    client: tuple[ApiClient, KubernetesKept], bound: tuple[str, str, str]
) -> None:
    (api, kept), (_, _, volume) = client, bound
    api.merge(VOLUME, volume, {"metadata": {"annotations": {MARK: "{"}}})
    (one,) = [each for each in kept.volumes() if each.name == volume]
    assert (one.key, one.policy, one.since) == ("/", "Retain", 0.0)
    with pytest.raises(PermanentError, match="no mark of ours"):
        kept.put_back(volume)


def test_one_of_a_lost_cluster_is_written_again_looked_at_and_given_to_its_claim(client: tuple[ApiClient, KubernetesKept]) -> None:
    (api, kept), number = client, next(NUMBERS)
    ns, name = f"brought-{number}", f"pv-brought-{number}"
    api.create(NAMESPACE, {"metadata": {"name": ns}})
    record = VolumeRecord(
        name, f"{ns}/notes", "csi.lab", f"brought-{number}", "1Gi", "fast", "Delete", ("ReadWriteOnce",), "Filesystem"
    )

    def told() -> KeptVolume:
        (one,) = [each for each in kept.volumes() if each.name == name]
        return one

    for _ in range(2):
        kept.bring(record, 1_800_000_000.0)
    assert (told().state, told().brought, told().found, told().policy) == (KeptState.ASIDE, True, None, "Delete")
    with pytest.raises(PermanentError, match="not given back: it is aside"):
        kept.put_back(name)
    for other in (replace(record, name=f"{name}-2"), replace(record, handle="another")):
        with pytest.raises(PermanentError, match=f"{name} is there"):
            kept.bring(other, 1.0)
    for _ in range(2):
        kept.open_aside(name)
    aside = api.get(CLAIM, "blackstart-notes", ns)
    assert aside is not None and aside["spec"]["volumeName"] == name
    api.merge(VOLUME, name, {"spec": {"claimRef": {"uid": aside["metadata"]["uid"]}}})
    say(api, name, "Bound")
    assert (told().state, told().held_by) == (KeptState.ASIDE, aside["metadata"]["uid"])
    found = Found(Word.NEWER, "3 paths", "a" * 64, 2)
    kept.note(name, found)
    assert told().found == found
    if api.get(CLAIM, "blackstart-notes", ns) is not None:  # nobody here takes its protection off
        api.merge(CLAIM, "blackstart-notes", {"metadata": {"finalizers": None}}, ns)
    assert api.get(CLAIM, "blackstart-notes", ns) is None
    say(api, name, "Released")
    assert told().state is KeptState.FREE
    kept.put_back(name)
    assert told().state is KeptState.PROMISED
    assert spec_of(api, name)["claimRef"]["name"] == "notes"
    kept.note(name, found)  # a claim of ours that is not there is not missed
    api.merge(VOLUME, name, {"metadata": {"finalizers": None, "annotations": {MARK: None}}})
    api.delete(VOLUME, name)
