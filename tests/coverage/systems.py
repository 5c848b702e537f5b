"""Every system of the house: what looks at it, the faults that are armed for it, where that is tested, what of it the lab has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.troubles.ceph import CEPH_TROUBLES
from lab.troubles.component import COMPONENT_TROUBLES
from lab.troubles.csi import CSI_TROUBLES
from lab.troubles.dns import DNS_TROUBLES
from lab.troubles.longhorn import LONGHORN_TROUBLES
from lab.troubles.nas import NAS_FAULTS
from lab.troubles.rook import ROOK_TROUBLES
from lab.troubles.seen import WITHIN_S
from lab.world.cluster.ceph import LabCeph
from tests.coverage.whole_house import strike
from tests.scenario.faults.named_faults import FAULTS
from tests.scenario.faults.test_small_storages import ROWS
from tests.scenario.running import Running

MODELLED = "modelled: its objects, as its operator leaves them; nothing of it runs"
SIMULATED = "simulated"
CHARTED = "simulated: a small chart of ours stands for it on the wire"
POSTGRES = "modelled; on the wire a stand-in of its operator and, where they are, real PostgreSQL and barman-cloud"
COMPONENTS = "tests/coverage/test_components.py"


_BESIDES = {
    "no-quorum": ("nas.may-start/nas",), "store-down": ("preflight.backup/apps/wiki",),
    "repository-missing": ("preflight.backup/apps/wiki",), "vm-differs": ("house.inventory",),
}  # fmt: skip
"""What these hit besides in a house that has a NAS in a VM, two claims and an inventory."""


@dataclass(frozen=True)
class Fault:
    """One named fault: how it begins in the whole house, and the rows of `cluster.verify` that are red then, and no others.

    `seen_within_s` after its beginning they must be so; armed for one look it is `age_s` old already.
    """

    name: str
    arm: Callable[[Running], None]
    rows: tuple[str, ...]
    seen_within_s: float = WITHIN_S
    age_s: float = 0.0


@dataclass(frozen=True)
class System:
    """One system. `seed` is how the house's own description names it, "" for what it leaves out.

    `check` says what looks at it where that is no row with a fault, or why nothing does.
    """

    name: str
    seed: str
    lab: str
    test: str
    faults: tuple[Fault, ...] = ()
    check: str = ""

    @property
    def looked_at_by(self) -> str:
        """The rows that its faults turn red, and what else there is to say."""
        rows = dict.fromkeys(f"`{row}`" for fault in self.faults for row in fault.rows)
        return "; ".join(filter(None, (", ".join(rows), self.check)))


def _of(system: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(one.name, lambda house, one=one: strike(house, one), (one.row,), one.seen_within_s, one.age_s)  # type: ignore[misc]  # bound as it is now
        for one in COMPONENT_TROUBLES.values() if one.of == system
    )  # fmt: skip


def _named(*names: str) -> tuple[Fault, ...]:
    known = {one.name: one for one in FAULTS}
    return tuple(
        Fault(name, known[name].strike, tuple(sorted((*known[name].red, *_BESIDES.get(name, ())))), known[name].seen_within_s)
        for name in names
    )


def _small(*names: str) -> tuple[Fault, ...]:
    """Of OpenEBS and the drivers of shares."""

    def arm(name: str) -> Callable[[Running], None]:
        def act(house: Running) -> None:
            objects = house.home.kube.objects()
            objects.csi = CSI_TROUBLES[name].change(objects.csi)

        return act

    return tuple(Fault(name, arm(name), tuple(sorted(ROWS[one] for one in CSI_TROUBLES[name].classes))) for name in names)


def _longhorn(name: str) -> Fault:
    def arm(house: Running) -> None:
        objects = house.home.kube.objects()
        assert objects.longhorn is not None
        objects.longhorn = LONGHORN_TROUBLES[name].change(objects.longhorn)

    return Fault(name, arm, tuple(f"storage.longhorn/{row}" for row in LONGHORN_TROUBLES[name].rows))


def _rook(name: str) -> Fault:
    trouble = ROOK_TROUBLES[name]

    def arm(house: Running) -> None:
        trouble.begin(house.home.kube.objects().rook[0], house.clock.now() - trouble.age_s)

    return Fault(name, arm, ("storage.ceph/rook-ceph",), trouble.seen_within_s, trouble.age_s)


def _hosted(name: str) -> Fault:
    def arm(house: Running) -> None:
        found = house.home.proxmox.ceph
        assert isinstance(found, LabCeph)
        CEPH_TROUBLES[name].begin(found)

    return Fault(name, arm, ("storage.ceph/proxmox",))


def _dns(*names: str) -> tuple[Fault, ...]:
    """Of the servers of names."""

    def one(name: str) -> Fault:
        trouble = DNS_TROUBLES[name]
        return Fault(name, lambda house: trouble.begin(house.home.dns), (f"dns.answers/{trouble.server}",), trouble.seen_within_s)

    return tuple(map(one, names))


def _nas(name: str, *besides: str) -> Fault:
    def arm(house: Running) -> None:
        NAS_FAULTS[name].begin(house.home.nas["nas"], house.clock.now())

    return Fault(name, arm, (*NAS_FAULTS[name].ids("nas"), *besides))


def systems() -> Iterator[System]:
    """All of them, in the order of the house's description."""
    yield from _core()
    yield from _below()
    yield from _outside()


def _core() -> Iterator[System]:
    yield System("actions-runner-controller", "actions-runner-controller", MODELLED, COMPONENTS, _of("actions-runner-controller"))
    yield System("cert-manager", "cert-manager", MODELLED, COMPONENTS, _of("cert-manager"))
    yield System("cilium", "cilium", CHARTED, COMPONENTS, _of("cilium"))
    yield System("coredns", "", CHARTED, COMPONENTS, _of("coredns"))
    yield System("cloudflared", "cloudflared", MODELLED, COMPONENTS, _of("cloudflared"))
    yield System("external-dns (each)", "external-dns", MODELLED, COMPONENTS, _of("external-dns"))
    yield System("external-secrets and its stores", "external-secrets", MODELLED, COMPONENTS, _of("external-secrets"))
    yield System("1Password Connect", "1Password Connect", MODELLED, COMPONENTS, _of("1Password Connect"))
    flux = (*_of("flux"), *_named("kustomization-broken", "pushed-and-not-fetched"))
    real = "real: its controllers; flux-operator is a stand-in"
    yield System("Flux, flux-operator, all that is applied", "flux", real, COMPONENTS, flux)
    yield System("kube-prometheus-stack", "kube-prometheus-stack", MODELLED, COMPONENTS, _of("kube-prometheus-stack"))
    ebs = _small("openebs-zfs-driver-gone", "openebs-no-volume-group", "openebs-mayastor-faulted")
    yield System("openebs", "openebs", MODELLED, "tests/scenario/faults/test_small_storages.py", ebs)
    yield System("rook", "rook", MODELLED, "tests/scenario/faults/test_ceph.py", (_rook("rook-operator-gone"), _rook("rook-full")))
    keys = (*_of("sops"), *_named("age-secret-gone", "age-key-lost"))
    yield System("sops", "sops", "real: sops and age", COMPONENTS, keys)
    yield System("spegel", "spegel", MODELLED, COMPONENTS, _of("spegel"))
    yield System("volsync", "volsync", "real: the controller and its mover's script, with restic", COMPONENTS, _of("volsync"))
    yield System("tailscale-operator", "tailscale-operator", MODELLED, COMPONENTS, _of("tailscale-operator"))
    yield System(
        "CloudNativePG", "", POSTGRES, COMPONENTS, _of("CloudNativePG"),
        check="and of each archive `preflight.archive` and `database.own-archive`: tests/scenario/faults/test_database_faults.py",
    )
    worn = (_longhorn("longhorn-no-manager"), _longhorn("longhorn-no-driver"))
    yield System("longhorn", "", MODELLED, "tests/scenario/faults/test_longhorn.py", worn)


def _below() -> Iterator[System]:
    named = "tests/scenario/faults/test_named_faults.py"
    hosts = _named("no-quorum", "host-down", "wrong-clock", "token-lost-a-privilege", "vm-differs", "vm-stopped")
    yield System("Proxmox VE and its hosts", "Proxmox VE", SIMULATED, named, hosts)
    hosted = (_hosted("ceph-osds-down"), _hosted("ceph-silent"))
    yield System("Ceph of the Proxmox hosts", "", SIMULATED, "tests/scenario/faults/test_ceph.py", hosted)
    talos = _named("node-configured-by-hand", "node-of-another-cluster")
    yield System("Talos", "Talos", "real: talosctl and talhelper; simulated: the machines", named, talos)
    yield System("etcd", "", "real: one etcd for each control plane", named, _named("etcd-member-gone", "second-etcd"))
    api = _named("api-server-down", "kubelet-dead", "record-not-followed")
    yield System("Kubernetes", "Kubernetes", "real: API servers, controller manager; simulated: kubelet, scheduler", named, api)
    shared = ("storage.nfs/nfs", "storage.smb/smb")
    nas = (_nas("nas-pool-suspended", *shared), _nas("nas-key-expired", *shared))
    yield System("TrueNAS", "TrueNAS", SIMULATED, "tests/scenario/faults/test_nas.py", nas)
    shares = _small("nfs-driver-gone", "smb-driver-gone")
    yield System("NFS and SMB shares", "NFS/SMB", MODELLED, "tests/scenario/faults/test_small_storages.py", shares)
    helm = _named("chart-gone", "release-failed")
    yield System("helm releases of the bootstrap", "Helmfile", "real: helm and helmfile, charts of ours", named, helm)
    lint = "not a row: `cluster.lint`, rwo-under-rolling-update, reads it from Git"
    yield System("RWO claims under RollingUpdate", "RollingUpdate", "nothing to model: Git alone", "tests/cluster/lint", check=lint)


def _outside() -> Iterator[System]:
    named, lint = "tests/scenario/faults/test_named_faults.py", "tests/cluster/lint"
    nobody, answers = "not there at all", "simulated: what a server of names answers"
    vault = tuple(one for one in _of("external-secrets") if one.name == "external-secrets-store-refused")
    also = "and `vault.items`, by `op`: tests/cluster/test_vault_items.py"
    yield System("1Password (the vault)", "1Password", nobody, COMPONENTS, vault, also)
    outside = _dns("dns-outside-gone", "dns-outside-leaks", "dns-outside-failing")
    here = "tests/coverage/test_coverage.py"
    yield System("Cloudflare (DNS, tunnel)", "Cloudflare", answers, here, (*_of("cloudflared"), *outside))
    git = _named("clone-not-pushed", "remote-silent")
    yield System("GitHub (the repository)", "GitHub", "real: git over http, served here", named, git)
    store = _named("store-down", "repository-missing")
    yield System("Storj (the backups)", "Storj", "simulated: S3 with Storj's quirks; real: restic", named, store)
    unifi = tuple(one for one in _of("external-dns") if "unifi" in one.name)
    inside = _dns("dns-inside-stale", "dns-inside-silent")
    yield System("UniFi DNS", "UniFi", answers, here, (*unifi, *inside))
    cut = "not checked: a host that they cut off is red by itself"
    yield System("UniFi router and switches", "UniFi USW", nobody, "none", check=cut)
    console = "not a row: `cluster.lint`, console-behind-the-cluster, reads from Git how it is reached"
    yield System("JetKVM", "JetKVM", nobody, lint, check=console)
    yield System("Renovate", "Renovate", nobody, lint, check="not a row: `cluster.lint`, renovate-merges, reads what it may do")
    runners = tuple(one for one in _of("actions-runner-controller") if one.name == "runner-listener-gone")
    yield System("GitHub Actions", "GitHub Actions", nobody, COMPONENTS, runners, "its runners alone")
    yield System("Ansible and scripts", "Ansible", nobody, "none", check="not checked: nothing of it is used to rebuild")
