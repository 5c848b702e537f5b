"""The named faults of a healthy, bootstrapped house: what is done to it, and which rows of `verify` turn red for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from adapters.helm.results import ReleaseStatus
from house.model import Requirement
from lab.troubles.seen import WITHIN_S
from lab.world.machines.etcd import EtcdCluster
from lab.world.machines.machine import Machine
from lab.world.pve.vm import PowerEvent
from lab.world.store import Trouble
from tests.scenario.running import Running


@dataclass(frozen=True)
class NamedFault:
    """What is done to the house, the rows that must fail by themselves (those that only wait for them are blocked), how soon."""

    name: str
    strike: Callable[[Running], None]
    red: tuple[str, ...]
    seen_within_s: float = WITHIN_S


FAULTS: list[NamedFault] = []
Strike = Callable[[Running], None]


def fault(*red: str) -> Callable[[Strike], Strike]:
    """Puts the function into the table, under its own name."""

    def put(strike: Strike) -> Strike:
        FAULTS.append(NamedFault(strike.__name__.replace("_", "-"), strike, red))
        return strike

    return put


def machine(house: Running, name: str) -> Machine:
    """The machine of one node."""
    return house.home.talos.at(house.house.node(name).address)


# Proxmox


@fault("preflight.quorum")
def no_quorum(house: Running) -> None:
    for host in ("pve-3", "pve-4"):
        house.home.proxmox.host_down(host)


@fault("preflight.host/pve-4")
def host_down(house: Running) -> None:
    house.home.proxmox.host_down("pve-4")


@fault("preflight.clock/pve-2")
def wrong_clock(house: Running) -> None:
    house.home.proxmox.hosts["pve-2"].skew = -300.0


@fault("preflight.privileges")
def token_lost_a_privilege(house: Running) -> None:
    house.home.proxmox.access.tokens[house.house.proxmox.token_id].rights["/vms/8002"] = frozenset({"VM.Audit"})


@fault("preflight.room/pve-1")
def disks_storage_inactive(house: Running) -> None:
    storage = house.home.proxmox.storages.find("pve-1", "local-lvm")
    assert storage is not None
    storage.active = False


@fault("preflight.room/pve-1")
def image_storage_inactive(house: Running) -> None:
    storage = house.home.proxmox.storages.find("pve-1", "local")
    assert storage is not None
    storage.active = False


# A house whose VMs are all there needs no image: neither its factory nor the file is missed.


@fault()
def factory_down(house: Running) -> None:
    house.home.proxmox.images.down = True


@fault()
def image_withdrawn(house: Running) -> None:
    house.home.proxmox.images.withdraw("/image/0123/v1.13.9/nocloud-amd64.qcow2")


@fault()
def image_file_deleted(house: Running) -> None:
    storage = house.home.proxmox.storages.find("pve-3", "local")
    assert storage is not None
    for volume in list(storage.volumes):
        storage.free(volume)


@fault("proxmox.create-vm/cp-2")
def vm_gone(house: Running) -> None:
    vm = house.home.proxmox.vms[8002]
    house.home.proxmox.power(vm, PowerEvent.STOPPED)
    house.home.proxmox.remove(vm)


@fault("proxmox.create-vm/w-1")
def vm_differs(house: Running) -> None:
    house.home.proxmox.vms[8004].options["cores"] = 2


@fault("proxmox.create-vm/cp-3")
def vm_locked(house: Running) -> None:
    house.home.proxmox.vms[8003].lock = "backup"


@fault("preflight.room/pve-2")
def vm_not_ours(house: Running) -> None:
    house.home.proxmox.vms[8002].options["description"] = "somebody else's"


@fault("proxmox.start-vm/w-1")
def vm_stopped(house: Running) -> None:
    house.home.proxmox.power(house.home.proxmox.vms[8004], PowerEvent.STOPPED)


@fault("proxmox.start-vm/cp-1", "proxmox.start-vm/cp-2", "proxmox.start-vm/cp-3")
def every_control_plane_stopped(house: Running) -> None:
    for vm_id in (8001, 8002, 8003):
        house.home.proxmox.power(house.home.proxmox.vms[vm_id], PowerEvent.STOPPED)


# Talos


@fault("preflight.keys")
def bundle_unreadable(house: Running) -> None:
    house.home.files.bundle_problem = "no key opens it"


@fault("preflight.keys")
def age_key_lost(house: Running) -> None:
    house.home.files.age_key_problem = "there is no such file"


@fault("preflight.strangers")
def node_of_another_cluster(house: Running) -> None:
    found = machine(house, "w-1")
    assert found.config is not None
    found.config = replace(found.config, os_ca=replace(found.config.os_ca, crt="somebody else's"))


@fault("talos.render-configs")
def repository_edited(house: Running) -> None:
    house.home.files.edits += 1


@fault("talos.apply-config/cp-2")
def node_configured_by_hand(house: Running) -> None:
    found = machine(house, "cp-2")
    assert found.config is not None
    found.config = replace(found.config, text=found.config.text.replace('"edits": "0"', '"edits": "by hand"'))


@fault("talos.bootstrap-etcd")
def etcd_member_gone(house: Running) -> None:
    found = machine(house, "cp-2")
    assert found.etcd_dir is not None
    assert found.etcd_dir.cluster is not None
    house.home.talos.etcd.stop(found)
    del found.etcd_dir.cluster.members[found.etcd_dir.member_id]


@fault("talos.bootstrap-etcd")
def second_etcd(house: Running) -> None:
    found = machine(house, "cp-2")
    assert found.etcd_dir is not None
    old = found.etcd_dir.cluster
    assert old is not None
    own = old.members[found.etcd_dir.member_id]
    alone = EtcdCluster(old.cluster_id + 1, "cp-2", {1: replace(own, member_id=1)})
    found.etcd_dir.cluster, found.etcd_dir.member_id = alone, 1


@fault("talos.fetch-kubeconfig")
def kubeconfig_of_another_cluster(house: Running) -> None:
    house.home.files.kubeconfig_ca = "somebody else's"


# Kubernetes and Flux


@fault("kubernetes.api-servers")
def api_server_down(house: Running) -> None:
    house.home.kube.api_down.add(house.house.node("cp-3").address)


@fault("kubernetes.nodes")
def kubelet_dead(house: Running) -> None:
    machine(house, "w-1").services["kubelet"].state = "Failed"


@fault("kubernetes.create-namespace/apps")
def namespace_gone(house: Running) -> None:
    house.home.kube.objects().namespaces.discard("apps")


@fault("kubernetes.put-secret/sops-age")
def age_secret_gone(house: Running) -> None:
    del house.home.kube.objects().secrets[("flux-system", "sops-age")]


@fault("kubernetes.put-secret/sops-age")
def age_secret_replaced(house: Running) -> None:
    house.home.kube.objects().secrets[("flux-system", "sops-age")] = "another key"


@fault("hold.install")
def policy_deleted(house: Running) -> None:
    house.home.kube.objects().policies_bite_at = None


@fault("hold.install")
def record_not_followed(house: Running) -> None:
    house.home.kube.goes_blind(house.house.node("cp-2").address)
    house.home.kube.objects().written += 1


@fault("hold.declare/apps/notes")
def record_deleted(house: Running) -> None:
    house.home.kube.objects().record = None


@fault("kubernetes.install-crds/volsync-system/volsync")
def definition_deleted(house: Running) -> None:
    del house.home.kube.objects().crds["replicationsources.volsync.backube"]


@fault("preflight.chart/kube-system/coredns")
def chart_gone(house: Running) -> None:
    house.home.unfetchable["kube-system/coredns"] = "404 Not Found"


def release_is(house: Running, name: str, status: ReleaseStatus, run: str = "") -> None:
    """Let helm's record say this of a release in kube-system; `run` is the one of ours that left it so."""
    releases = house.home.kube.objects().releases
    releases[("kube-system", name)] = replace(releases[("kube-system", name)], status=status, run=run)


@fault("helm.sync-release/kube-system/coredns")
def release_failed(house: Running) -> None:
    release_is(house, "coredns", ReleaseStatus.FAILED)


@fault("helm.sync-release/kube-system/coredns")
def release_pending(house: Running) -> None:
    release_is(house, "coredns", ReleaseStatus.PENDING_UPGRADE, run="a-dead-run")


@fault("helm.sync-release/kube-system/coredns")
def release_pending_by_another_hand(house: Running) -> None:
    release_is(house, "coredns", ReleaseStatus.PENDING_UPGRADE)


@fault("helm.sync-release/kube-system/cilium")
def release_of_the_cni_gone(house: Running) -> None:
    del house.home.kube.objects().releases[("kube-system", "cilium")]


@fault("preflight.clone")
def clone_dirty(house: Running) -> None:
    house.home.files.dirty = ("talos/talconfig.yaml",)


@fault("preflight.clone")
def clone_not_pushed(house: Running) -> None:
    # Flux has what the branch has; only the clone is behind or ahead: two findings would be one too many.
    house.home.files.commit = "0123456789abcdef"
    house.home.kube.objects().flux_commit = "0123456789abcdef"
    states = house.home.kube.objects().kustomizations
    for key, state in states.items():
        states[key] = replace(state, commit="0123456789abcdef")


@fault("preflight.clone")
def remote_silent(house: Running) -> None:
    house.home.files.remote_problem = "could not resolve host"


@fault("flux.reconcile")
def pushed_and_not_fetched(house: Running) -> None:
    house.home.kube.git_commit = "c0ffee0000000000000000000000000000000002"


def kustomization_fails(house: Running, key: str) -> None:
    """Let Flux say that this Kustomization does not build."""
    states = house.home.kube.objects().kustomizations
    states[key] = replace(states[key], ready=False, reason="BuildFailed", message="MalformedYAMLError")


@fault("flux.reconcile")
def kustomization_broken(house: Running) -> None:
    kustomization_fails(house, "volsync-system/volsync")


@fault("flux.reconcile")
def kustomization_of_a_held_application_broken(house: Running) -> None:
    kustomization_fails(house, "apps/notes")


# Backups


def in_trouble(trouble: Trouble) -> Strike:
    """Every repository has this trouble."""

    def strike(house: Running) -> None:
        for repository in house.home.store.repositories.values():
            repository.trouble = trouble

    strike.__name__ = f"repository_{trouble.value}"
    return strike


for each in Trouble:
    fault("preflight.backup/apps/notes")(in_trouble(each))


@fault("preflight.backup/apps/notes")
def repository_missing(house: Running) -> None:
    house.home.store.repositories.clear()


@fault("preflight.backup/apps/notes")
def repository_empty(house: Running) -> None:
    for repository in house.home.store.repositories.values():
        repository.snapshots.clear()


@fault("preflight.backup-age/apps/notes")
def repository_expired(house: Running) -> None:
    claim = house.house.claims[0]
    house.house = replace(house.house, claims=(replace(claim, requirement=Requirement(True, 600.0, 0)),))


@fault("preflight.backup/apps/notes")
def store_down(house: Running) -> None:
    house.home.store.down = True
