"""What the lab writes of drivers, Leases, classes and Secrets a real API server takes each time, and the adapter reads so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.csi.adapter import KubernetesCsi
from adapters.kubernetes.client import Clients
from lab.parts.kube import LEASES, STORAGE_CLASSES, Access, Kube, Resource
from lab.parts.objects.csi import put_csi
from lab.troubles.csi import CSI_TROUBLES
from lab.world.cluster import csi
from tests.adapters.cluster_house import house_on
from tests.contract.apiserver import PORT, ApiServers

pytestmark = pytest.mark.programs
LEFT = (STORAGE_CLASSES, *(Resource("/apis/storage.k8s.io/v1", name, namespaced=False) for name in ("csinodes", "csidrivers")))


@pytest.fixture
def kube(real_api: ApiServers) -> Iterator[Kube]:
    folder = real_api.kubeconfig.parent
    words = real_api.kubeconfig.read_text()
    cert, key = (words.partition(f"client-{name}: \"")[2].partition('"')[0] for name in ("certificate", "key"))
    authority = words.partition('authority: "')[2].partition('"')[0]
    access = Access(f"https://{real_api.addresses[0]}:{PORT}", folder / authority, folder / cert, folder / key)
    with Kube(access) as made:
        yield made
        for resource in LEFT:
            for item in made.list(resource):
                made.delete(resource, item, at_once=True)
        for item in made.list(LEASES, "openebs"):
            made.delete(LEASES, item, at_once=True)


def test_a_real_api_server_tells_what_was_written(kube: Kube, real_api: ApiServers, tmp_path: Path) -> None:
    whole = csi.healthy()
    clients = Clients(house_on(real_api, tmp_path))
    try:
        for name in ("", "nfs-provisioner-let-go", "smb-secret-gone", "nfs-class-without-share", "smb-unregistered", ""):
            trouble = CSI_TROUBLES.get(name)
            look = whole if trouble is None else trouble.change(whole)
            put_csi(kube, look, csi.CLASSES if trouble is None else map(trouble.reclass, csi.CLASSES))
            seen = KubernetesCsi(clients).look()
            assert replace(seen, sidecars=()) == replace(look, nodes=(), sidecars=()), name
            assert set(seen.sidecars) == set(look.sidecars), name
    finally:
        clients.close()
