"""The modelled house of the demo and of tests: four nodes, four releases, one application with one backup. Values only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from house.flux.rendered import Rendered
from house.model import (
    BackedUpClaim,
    BootstrapSecret,
    DiskFate,
    FluxApp,
    FluxSource,
    House,
    Limits,
    Node,
    NodeDisk,
    ProxmoxAccess,
    ProxmoxEndpoint,
    Release,
    Requirement,
    SecretRef,
    TalosCluster,
    TalosImage,
)
from house.repository.programs import declared_programs

GIB = 1024**3
ROOT = Path("/house/home-ops")


def sample_node(number: int, *, name: str = "", control_plane: bool = True, **changes: Any) -> Node:
    """Node `number` (1..4): `cp-<number>` at 127.10.0.1<number>, on host `pve-<number>`, VM id 8000 + number, two disks."""
    node = Node(
        name=name or f"cp-{number}",
        address=f"127.10.0.1{number}",
        mac=f"bc:24:11:00:00:0{number}",
        control_plane=control_plane,
        install_disk="/dev/sda",
        host=f"pve-{number}",
        vm_id=8000 + number,
        cores=4,
        memory=8 * GIB,
        bridge="vmbr0",
        disks=(
            NodeDisk(slot="scsi0", storage="local-lvm", size=20 * GIB, fate=DiskFate.CREATE, system=True),
            NodeDisk(slot="scsi1", storage="local-lvm", size=50 * GIB, fate=DiskFate.KEEP, system=False),
        ),
    )
    return replace(node, **changes)


def sample_claim(name: str = "notes", *, namespace: str = "apps", **changes: Any) -> BackedUpClaim:
    """The backed-up claim of the application of this name: restic on the S3 door, required, any age, any size."""
    claim = BackedUpClaim(
        namespace=namespace,
        claim=name,
        app=name,
        destination=f"{name}-bootstrap",
        source=name,
        trigger="restore-once",
        repository_secret=f"{name}-volsync-secret",
        mover_repository=f"s3:https://127.10.0.30:9000/backups/{name}",
        open_as=f"s3:https://127.10.0.30:9000/backups/{name}",
        password=SecretRef(("env:RESTIC_PASSWORD",)),
        environment=(
            ("AWS_ACCESS_KEY_ID", SecretRef(("env:BACKUP_KEY_ID",))),
            ("AWS_SECRET_ACCESS_KEY", SecretRef(("env:BACKUP_KEY",))),
        ),
        ca_file="/house/ca.pem",
        uid=1000,
        gid=1000,
        requirement=Requirement(required=True, max_age=0.0, min_bytes=0),
        flux_app=f"{namespace}/{name}",
        declared_in=f"kubernetes/apps/{namespace}/{name}/ks.yaml:3",
        copy_method="Snapshot",
        destination_app=f"{namespace}/{name}",
    )
    return replace(claim, **changes)


def sample_release(namespace: str, name: str, *needs: str, **changes: Any) -> Release:
    """One release of the helmfile, at version 1.0.0."""
    release = Release(
        namespace=namespace, name=name, chart=f"oci://127.10.0.20:5000/charts/{name}", version="1.0.0", needs=needs, atomic=True
    )
    return replace(release, **changes)


def sample_app(name: str, *depends_on: str, namespace: str = "apps", **changes: Any) -> FluxApp:
    """One Flux Kustomization of kubernetes/apps."""
    app = FluxApp(
        namespace=namespace,
        name=name,
        target_namespace=namespace,
        path=f"./kubernetes/apps/{namespace}/{name}/app",
        depends_on=depends_on,
        wait=False,
    )
    return replace(app, **changes)


_RELEASES = (
    sample_release("kube-system", "cilium"),
    sample_release("kube-system", "coredns", "kube-system/cilium"),
    sample_release("flux-system", "flux-operator", "kube-system/coredns"),
    sample_release("flux-system", "flux-instance", "flux-system/flux-operator"),
)
_SAMPLE_CLUSTER = TalosCluster(
    name="four-nodes",
    endpoint="https://127.10.0.10:6443",
    vip="127.10.0.10",
    talos_version="v1.13.9",
    kubernetes_version="v1.36.3",
    talconfig=ROOT / "talos" / "talconfig.yaml",
    secrets_bundle=ROOT / "talos" / "talsecret.sops.yaml",
)


def sample_house(**changes: Any) -> House:
    """The four-node house: cp-1..cp-3 and w-1, one VM per host, four releases, one application `notes` with one backed-up claim.

    `changes` replace fields of House. Nothing of it exists on disk: give `root` and `state_dir` where a test needs files.
    """
    house = House(
        id="5f1d7c2a9e",
        name="four-nodes",
        simulated=True,
        settings_file=ROOT / "blackstart.yaml",
        root=ROOT,
        state_dir=Path("/house/state/four-nodes"),
        proxmox=ProxmoxAccess(
            endpoints=tuple(
                ProxmoxEndpoint(url=f"https://127.10.0.{100 + n}:8006", fingerprint="", ca_file="/house/ca.pem")
                for n in (1, 2, 3, 4)
            ),
            token_id="blackstart@pve!run",  # noqa: S106 - its name, not its secret
            token_secret=SecretRef(("env:PROXMOX_TOKEN_SECRET",)),
        ),
        nodes=(sample_node(1), sample_node(2), sample_node(3), sample_node(4, name="w-1", control_plane=False)),
        image=TalosImage(
            url="https://127.10.0.21:8443/image/0123/v1.13.9/nocloud-amd64.qcow2",
            sha256="ab" * 32,
            storage="local",
            filename="talos-v1.13.9-nocloud-amd64.qcow2",
        ),
        cluster=_SAMPLE_CLUSTER,
        helmfile=ROOT / "bootstrap" / "helmfile.d" / "01-apps.yaml",
        crd_helmfile=ROOT / "bootstrap" / "helmfile.d" / "00-crds.yaml",
        crd_charts=(
            sample_release("volsync-system", "snapshot-controller"),
            sample_release("volsync-system", "volsync"),
        ),
        releases=_RELEASES,
        namespaces=("apps", "flux-system", "kube-system", "volsync-system"),
        flux=FluxSource(
            namespace="flux-system",
            name="flux-system",
            url="http://127.10.0.22:3000/home-ops.git",
            branch="main",
            path="kubernetes/flux/cluster",
        ),
        flux_apps=(
            sample_app("volsync", namespace="volsync-system", wait=True),
            sample_app("notes", "volsync-system/volsync"),
        ),
        secrets=(BootstrapSecret("flux-system", "sops-age", (("age.agekey", SecretRef(("file:/house/age.key",))),)),),
        age_key=SecretRef(("file:/house/age.key",)),
        age_recipient="age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqs3290gq",
        claims=(sample_claim(),),
        unsupported=(),
        limits=Limits(),
        programs=declared_programs(Rendered(), ((one.namespace, one.name, one.chart) for one in _RELEASES)),
    )
    return replace(house, **changes)
