"""What an API lists becomes records; both doors of the lab tell the same of Rook and Longhorn."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import Any, cast

import pytest

from adapters.inventory.adapter import KubernetesInventory
from adapters.kept.adapter import MARK
from adapters.kubernetes.client import Clients
from adapters.kubernetes.kinds import CLAIM, CONFIG_MAP, VOLUME, Kind
from adapters.longhorn.adapter import VOLUMES
from engine.secrets import Secret
from house.known.inventory import Stores, VolumeRecord
from lab.parts.objects.storage import longhorn_objects, monitor_map, rook_objects
from lab.world.cluster.longhorn import healthy
from lab.world.cluster.rook import LabRook
from tests.scenario.running import Running

Object = dict[str, Any]


class Listed:
    """Objects as an API would list them; a kind of which there is none is not served."""

    def __init__(self, *objects: tuple[Kind, Object]) -> None:
        self._objects = objects

    def main(self) -> Listed:
        return self

    def list_objects(self, kind: Kind, namespace: str = "") -> list[Object]:
        return [item for of, item in self._objects if of == kind and namespace in ("", item["metadata"].get("namespace", ""))]

    def get(self, kind: Kind, name: str, namespace: str = "") -> Object | None:
        return next((item for item in self.list_objects(kind, namespace) if item["metadata"]["name"] == name), None)

    def list_if_served(self, kind: Kind) -> list[Object] | None:
        return self.list_objects(kind) or None


def look(*objects: tuple[Kind, Object]) -> Stores:
    return KubernetesInventory(cast("Clients", Listed(*objects))).look()


def volume(name: str, claim: str = "", **spec: Any) -> tuple[Kind, Object]:
    ref = {"claimRef": {"namespace": "apps", "name": claim, "uid": "1"}} if claim else {}
    return VOLUME, {"metadata": {"name": name}, "spec": {"capacity": {"storage": "1Gi"}, **ref, **spec}}


AFFINITY = {"required": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "kubernetes.io/hostname", "values": ["w-1"]}]}]}}


@pytest.mark.parametrize(("spec", "driver", "handle", "node"), [
    ({"csi": {"driver": "rbd", "volumeHandle": "0001-x"}}, "rbd", "0001-x", ""),
    ({"nfs": {"server": "nas.lan", "path": "/tank"}}, "nfs", "nas.lan:/tank", ""),
    ({"local": {"path": "/var/openebs/a"}, "nodeAffinity": AFFINITY}, "local", "/var/openebs/a", "w-1"),
    ({"hostPath": {"path": "/srv"}}, "hostPath", "/srv", ""), ({"flexVolume": {}}, "other", "", ""),
])  # fmt: skip
def test_a_volume_is_known_by_what_its_storage_calls_it(spec: Object, driver: str, handle: str, node: str) -> None:
    (seen,) = look(volume("pv-1", "notes", **spec)).volumes
    assert (seen.claim, seen.driver, seen.handle, seen.node) == ("apps/notes", driver, handle, node)


def test_what_a_static_volume_needs_again_is_kept_but_for_what_is_known_as_a_secret() -> None:
    secret = Secret(token_hex(12))
    csi = {"driver": "d", "volumeHandle": "h", "fsType": "xfs", "volumeAttributes": {"pool": "rbd", "key": secret.reveal()}}
    (seen,) = look(volume("pv-1", csi=csi, accessModes=["ReadWriteOnce"], persistentVolumeReclaimPolicy="Retain")).volumes
    wanted = VolumeRecord("pv-1", "", "d", "h", "1Gi", "", "Retain", ("ReadWriteOnce",), fs_type="xfs")
    assert seen == replace(wanted, attributes=(("pool", "rbd"),))


@pytest.mark.parametrize(("name", "value", "kept"), [
    ("s3-secret-access-key", "not-known-here", False), ("adminPassword", "not-known-here", False), ("passphrase", "x", False),
    ("api_token", "x", False), ("accessKey", "x", False), ("SECRETKEY", "x", False), ("userKey", "x", False),
    ("mountOptions", "vers=3.0,username=media,password=x", False), ("options", "--secret-key=x", False),
    ("remotePath", "https://me:x@nas.lan/share", False), ("credentials", "x", False), ("mountOptions", "ro,pass=x", False),
    ("csi.storage.k8s.io/node-stage-secret-name", "rook-csi-rbd-node", True), ("secretNamespace", "rook-ceph", True),
    ("s3-access-key-id", "GK1", True), ("encryptionKMSID", "vault", True), ("kmsKeyId", "k-1", True),
    ("mountOptions", "vers=3.0,username=media,noperm", True), ("keyring", "x", False), ("passthrough", "yes", True),
    ("monkey", "x", True), ("tokenizer", "x", True), ("bypass", "x", True),
])  # fmt: skip
def test_what_a_driver_keeps_as_a_secret_goes_into_no_file_for_git(name: str, value: str, kept: bool) -> None:
    (seen,) = look(volume("pv-1", csi={"driver": "d", "volumeHandle": "h", "volumeAttributes": {name: value}})).volumes
    assert seen.attributes == (((name, value),) if kept else ())


def test_an_option_of_a_mount_that_is_a_secret_goes_into_no_file_for_git() -> None:
    secret = Secret(token_hex(12))
    told = ["nfsvers=4.2", "username=media", "password=x", "vers=3.0,pass=x", f"x={secret.reveal()}", "noatime"]
    (seen,) = look(volume("pv-1", nfs={"server": "nas.lan", "path": "/tank"}, mountOptions=told)).volumes
    assert seen.options == ("nfsvers=4.2", "username=media", "noatime")


def test_what_volsync_makes_for_one_of_its_runs_is_none_of_it() -> None:
    labels = {"app.kubernetes.io/created-by": "volsync"}
    passing = (CLAIM, {"metadata": {"name": "volsync-src", "namespace": "apps", "labels": labels}})
    assert [one.name for one in look(passing, volume("pv-1", "volsync-src"), volume("pv-2", "notes")).volumes] == ["pv-2"]
    bound = {claim: {"kubernetesStatus": {"namespace": "apps", "pvcName": claim}} for claim in ("volsync-src", "notes")}
    its = [(VOLUMES, {"metadata": {"name": f"pvc-{claim}"}, "status": status}) for claim, status in bound.items()]
    assert [one.name for one in look(passing, *its).longhorn] == ["pvc-notes"]


def test_what_is_looked_at_aside_is_none_of_it() -> None:
    kind, aside = volume("pv-1", "blackstart-notes")
    aside["metadata"]["annotations"] = {MARK: "{}"}
    assert [one.name for one in look((kind, aside), volume("pv-2", "notes")).volumes] == ["pv-2"]


def test_a_claim_of_the_house_that_is_called_like_one_of_ours_is_part_of_it() -> None:
    assert [one.claim for one in look(volume("pv-1", "blackstart-state")).volumes] == ["apps/blackstart-state"]


def test_both_doors_tell_the_same_of_rook_and_longhorn(held_house: Running) -> None:
    objects = held_house.home.kube.objects()
    objects.longhorn, rook = healthy(), LabRook.healthy(1.0)
    objects.rook.append(rook)
    modelled = held_house.home.look().inventory.look()
    mons = (CONFIG_MAP, monitor_map(rook.cluster.namespace))
    real = look(*longhorn_objects(objects.longhorn), *rook_objects(rook.cluster), mons)
    assert (real.longhorn, real.ceph) == (modelled.longhorn, modelled.ceph)
    assert [len(one.replicas) for one in real.longhorn] == [3, 3]
    assert [mon.node for mon in real.ceph[0].monitors] == ["w-1", "w-2", "w-3"]


def test_a_map_of_monitors_that_cannot_be_read_names_none_and_hides_nothing_else() -> None:
    rook = LabRook.healthy(1.0)
    broken = monitor_map(rook.cluster.namespace)
    broken["data"] = {"data": "a=10.0.0.1:6789,", "mapping": "{"}
    (seen,) = look(*rook_objects(rook.cluster), (CONFIG_MAP, broken)).ceph
    assert [(mon.name, mon.address, mon.node) for mon in seen.monitors] == [("a", "10.0.0.1:6789", "")]
    (seen,) = look(*rook_objects(rook.cluster)).ceph
    assert seen.monitors == () and seen.fsid
