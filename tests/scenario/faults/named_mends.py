"""How a named fault of `named_faults.py` ends: each is asked before it strikes, and answers what puts things back as they were.

Not the tool's own mending: a person plugs the host in again, the provider's outage is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lab.world.pve.vm import PowerEvent
from tests.scenario.faults.named_faults import machine
from tests.scenario.running import Running

Undo = Callable[[], None]
Mend = Callable[[Running], Undo]
MENDS: dict[str, Mend] = {}


def mends(*names: str) -> Callable[[Mend], Mend]:
    """Puts the function into the table, for faults of these names."""

    def put(mend: Mend) -> Mend:
        MENDS.update(dict.fromkeys(names, mend))
        return mend

    return put


@mends("no-quorum", "host-down")
def _hosts(house: Running) -> Undo:
    before = [host.name for host in house.home.proxmox.hosts.values() if host.online]

    def undo() -> None:
        for name in before:
            if not house.home.proxmox.hosts[name].online:
                house.home.proxmox.host_up(name)
        _all_on(house)

    return undo


def _all_on(house: Running) -> None:
    """Who plugs a host in starts its VMs, too, where they do not start with it."""
    for vm in house.home.proxmox.vms.values():
        if not vm.running and house.home.proxmox.hosts[vm.host].online:
            house.home.proxmox.power(vm, PowerEvent.STARTED)


@mends("wrong-clock")
def _clock(house: Running) -> Undo:
    host = house.home.proxmox.hosts["pve-2"]
    before = host.skew
    return lambda: setattr(host, "skew", before)


@mends("token-lost-a-privilege")
def _token(house: Running) -> Undo:
    token = house.home.proxmox.access.tokens[house.house.proxmox.token_id]
    before = dict(token.rights)
    return lambda: setattr(token, "rights", before)


@mends("vm-differs")
def _options(house: Running) -> Undo:
    vm = house.home.proxmox.vms[8004]
    before = dict(vm.options)
    return lambda: vm.options.update(before)


@mends("vm-stopped")
def _power(house: Running) -> Undo:
    return lambda: _all_on(house)


@mends("node-configured-by-hand", "node-of-another-cluster")
def _configuration(house: Running) -> Undo:
    kept = [(one, one.config) for one in (machine(house, "cp-2"), machine(house, "w-1"))]

    def undo() -> None:
        for one, config in kept:
            one.config = config

    return undo


@mends("etcd-member-gone", "second-etcd")
def _etcd(house: Running) -> Undo:
    found = machine(house, "cp-2")
    directory = found.etcd_dir
    assert directory is not None
    cluster, member_id = directory.cluster, directory.member_id
    assert cluster is not None
    own = cluster.members[member_id]

    def undo() -> None:
        directory.cluster, directory.member_id = cluster, member_id
        cluster.members[member_id] = own
        if found.service_state("etcd") != "Running":
            found.services["etcd"].turn("Waiting", "its member is back", house.clock.now())
            house.home.talos.etcd.consider(found)

    return undo


@mends("api-server-down")
def _api(house: Running) -> Undo:
    return house.home.kube.api_down.clear


@mends("record-not-followed")
def _watch(house: Running) -> Undo:
    return house.home.kube.blind.clear


@mends("kubelet-dead")
def _kubelet(house: Running) -> Undo:
    service = machine(house, "w-1").services["kubelet"]
    before = service.state
    return lambda: setattr(service, "state", before)


@mends("chart-gone")
def _chart(house: Running) -> Undo:
    return house.home.unfetchable.clear


@mends("release-failed")
def _release(house: Running) -> Undo:
    objects, key = house.home.kube.objects(), ("kube-system", "coredns")
    before = objects.releases[key]
    return lambda: objects.releases.update({key: before})


@mends("clone-not-pushed")
def _commit(house: Running) -> Undo:
    files, objects = house.home.files, house.home.kube.objects()
    commit, fetched, states = files.commit, objects.flux_commit, dict(objects.kustomizations)

    def undo() -> None:
        files.commit, objects.flux_commit = commit, fetched
        objects.kustomizations.update({key: replace(now, commit=states[key].commit) for key, now in objects.kustomizations.items()})

    return undo


@mends("remote-silent")
def _remote(house: Running) -> Undo:
    return lambda: setattr(house.home.files, "remote_problem", "")


@mends("age-key-lost")
def _age_key(house: Running) -> Undo:
    return lambda: setattr(house.home.files, "age_key_problem", "")


@mends("store-down", "repository-missing")
def _store(house: Running) -> Undo:
    store = house.home.store
    before = dict(store.repositories)

    def undo() -> None:
        store.down = False
        store.repositories.update(before)

    return undo


@mends("kustomization-broken", "pushed-and-not-fetched")
def _flux(house: Running) -> Undo:
    kube, objects = house.home.kube, house.home.kube.objects()
    pushed, states = kube.git_commit, dict(objects.kustomizations)

    def undo() -> None:
        kube.git_commit = pushed
        objects.kustomizations.update(states)

    return undo


@mends("age-secret-gone")
def _age_secret(house: Running) -> Undo:
    objects, key = house.home.kube.objects(), ("flux-system", "sops-age")
    before = objects.secrets[key]
    return lambda: objects.secrets.update({key: before})
