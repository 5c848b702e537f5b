"""What can be wrong with a running house, by name: each trouble does what its cause would do, until it is ended. Knows no wire.

Faults (lab/world/faults.py) strike one mutation; troubles last until they are ended.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from adapters.talos.machineconfig import documents
from engine.errors import PermanentError
from lab.houses.nouns import NodeShape
from lab.houses.repository import run_program
from lab.running.house import BUCKET, LabHouse
from lab.troubles.component_faults import NOT_HERE, component_faults
from lab.troubles.storage import storage_troubles
from lab.wire.s3.damage import break_off_newest, bring_back, lose_packs, set_aside
from lab.wire.s3.objects import ObjectStore
from lab.world.machines.machine import Machine
from lab.world.pve.access import everything
from lab.world.pve.vm import LabVm, PowerEvent

AHEAD_S = 3600.0
Act = Callable[[LabHouse, str], None]
_SYSTEMS = {
    "host": "Proxmox", "token": "Proxmox", "image": "Proxmox", "vm": "Proxmox", "git": "Git", "charts": "charts and images",
    "factory": "charts and images", "store": "backups", "repository": "backups", "backup": "backups", "packs": "backups",
}  # fmt: skip
"""The first word of a trouble's name → its system; the others are the nodes'."""


@dataclass(frozen=True)
class Trouble:
    """One named trouble. `target` says what it is asked for: a host, a node, a claim's application, or "" for nothing.

    `end` is None where the house itself has to mend it. `of` names the system where the name does not.
    """

    name: str
    target: str
    what: str
    begin: Act
    end: Act | None
    of: str = ""

    @property
    def system(self) -> str:
        """Whose it is, for a list by system."""
        first = self.name.split("-")[0]
        return self.of or _SYSTEMS.get(first, "nodes")


def begin(house: LabHouse, name: str, target: str) -> None:
    """Let it begin. PermanentError for a trouble or a target that is not there."""
    named(name).begin(house, target)
    house.world.happened("lab", f"{name} {target} begins")


def end(house: LabHouse, name: str, target: str) -> None:
    """Let it end. PermanentError for one that does not end by itself."""
    trouble = named(name)
    if trouble.end is None:
        raise PermanentError(f"{name} does not end by itself", hint="the tool under test mends it, or a new lab.up")
    trouble.end(house, target)
    house.world.happened("lab", f"{name} {target} ends")


def named(name: str) -> Trouble:
    """The trouble of this name. PermanentError where there is none, or none in a running house."""
    if name in NOT_HERE:
        raise PermanentError(f"{name} cannot be here: {NOT_HERE[name]}", hint="the modelled house has it: python -m tests.coverage")
    if name not in TROUBLES:
        raise PermanentError(f"there is no fault {name}", hint="invoke lab.fault --list names all of them")
    return TROUBLES[name]


# Whom a target means.


def _node(house: LabHouse, target: str) -> NodeShape:
    node = next((n for n in house.shape.nodes if n.name == target), None)
    if node is None:
        raise PermanentError(
            f"there is no node {target}", hint=f"known: {', '.join(n.name for n in house.shape.nodes)}"
        )
    return node


def _host(house: LabHouse, target: str) -> str:
    if target not in house.proxmox.hosts:
        raise PermanentError(f"there is no host {target}", hint=f"known: {', '.join(house.proxmox.hosts)}")
    return target


def _vm(house: LabHouse, target: str) -> LabVm:
    vm = house.proxmox.vm_of_mac(_node(house, target).mac)
    if vm is None:
        raise PermanentError(f"{target} has no VM")
    return vm


def _machine(house: LabHouse, target: str) -> Machine:
    return house.talos.at(house.block.node(_node(house, target)))


# Proxmox.


def _host_down(house: LabHouse, target: str) -> None:
    with house.world.looking():
        house.proxmox.host_down(_host(house, target))


def _host_up(house: LabHouse, target: str) -> None:
    with house.world.looking():
        house.proxmox.host_up(_host(house, target))


def _host_clock(seconds: float) -> Act:
    def act(house: LabHouse, target: str) -> None:
        with house.world.looking():
            house.proxmox.hosts[_host(house, target)].skew = seconds

    return act


def _weaken_token(house: LabHouse, target: str) -> None:
    with house.world.looking():
        for token in house.proxmox.access.tokens.values():
            token.rights = {path: held - {"VM.Allocate", "VM.Config.Disk"} for path, held in everything().items()}


def _restore_token(house: LabHouse, target: str) -> None:
    with house.world.looking():
        for token in house.proxmox.access.tokens.values():
            token.rights = everything()


def _image_gone(house: LabHouse, target: str) -> None:
    """The host's storage has no image any more; what was imported from it stays."""
    image = house.house.image
    with house.world.looking():
        storage = house.proxmox.storages.find(_host(house, target), image.storage)
        assert storage is not None  # cluster_for gave every host one
        for name in [name for name in storage.volumes if name.endswith(f"/{image.filename}")]:
            storage.free(name)


def _vm_power(event: PowerEvent) -> Act:
    def act(house: LabHouse, target: str) -> None:
        with house.world.looking():
            house.proxmox.power(_vm(house, target), event)

    return act


def _vm_gone(house: LabHouse, target: str) -> None:
    with house.world.looking():
        vm = _vm(house, target)
        house.proxmox.power(vm, PowerEvent.STOPPED)
        house.proxmox.remove(vm)


def _vm_memory(mib: int) -> Act:
    def act(house: LabHouse, target: str) -> None:
        with house.world.looking():
            _vm(house, target).options["memory"] = mib

    return act


# Talos, etcd, the API servers.


def _node_clock(seconds: float) -> Act:
    def act(house: LabHouse, target: str) -> None:
        with house.world.looking():
            _machine(house, target).clock_offset = seconds

    return act


def _config(*, labelled: bool) -> Act:
    """Somebody applied the configuration with one more node label, or without it again."""

    def act(house: LabHouse, target: str) -> None:
        with house.world.looking():
            machine = _machine(house, target)
            if machine.config is None:
                raise PermanentError(f"{target} runs no configuration")
            found = documents(machine.config.text)
            for document in found:
                if "machine" in document:
                    labels = document["machine"].setdefault("nodeLabels", {})
                    labels.pop("changed-by", "")
                    labels |= {"changed-by": "hand"} if labelled else {}
            house.talos.apply(machine, "\n---\n".join(json.dumps(document) for document in found), "no-reboot")

    return act


def _program(kind: str, *, freeze: bool) -> Act:
    def act(house: LabHouse, target: str) -> None:
        name = f"{kind}-{_node(house, target).name}"
        supervisor = house.cluster.supervisor
        if not supervisor.alive(name):
            raise PermanentError(f"{name} does not run")
        (supervisor.pause if freeze else supervisor.go_on)(name)

    return act


# Git, charts, factory.


def _git(status: int) -> Act:
    def act(house: LabHouse, target: str) -> None:
        house.git.weather.refuse = status

    return act


def _git_ahead(house: LabHouse, target: str) -> None:
    """Somebody else pushed: an empty commit that the house's clone does not have."""
    with tempfile.TemporaryDirectory(dir=house.folder.root) as name:
        other = Path(name)
        bare = str(house.folder.git / "home-ops.git")
        run_program(other, "git", "clone", "--quiet", bare, ".")
        run_program(
            other, "git", "-c", "user.name=other", "-c", "user.email=other@house.invalid",
            "commit", "--quiet", "--allow-empty", "--message", "Change by another hand",
        )  # fmt: skip
        run_program(other, "git", "push", "--quiet", "origin", "main")


def _charts(status: int) -> Act:
    def act(house: LabHouse, target: str) -> None:
        house.charts.refuse = status

    return act


def _factory(**weather: bool) -> Act:
    def act(house: LabHouse, target: str) -> None:
        for name, value in weather.items():
            setattr(house.proxmox.images, name, value)

    return act


# The store.


def _store(*, down: bool) -> Act:
    def act(house: LabHouse, target: str) -> None:
        house.s3.weather.down = down

    return act


def _key(*, expired: bool) -> Act:
    def act(house: LabHouse, target: str) -> None:
        house.s3.keep(replace(house.key, expired=expired))

    return act


def _read_only(house: LabHouse, target: str) -> None:
    house.s3.keep(replace(house.key, may=frozenset({"read", "list"})))


def _writable(house: LabHouse, target: str) -> None:
    house.s3.keep(house.key)


def _repository_gone(house: LabHouse, target: str) -> None:
    for key in list(house.store.keys(BUCKET, f"{target}/")):
        house.store.delete(BUCKET, key)


def _damage(what: Callable[[ObjectStore, str, str], object]) -> Act:
    def act(house: LabHouse, target: str) -> None:
        what(house.store, BUCKET, target)

    return act


def _all() -> Iterator[Trouble]:
    host, node, app = "host", "node", "application"
    yield Trouble("host-down", host, "the host has no power", _host_down, _host_up)
    yield Trouble("host-clock-ahead", host, "its clock is an hour ahead", _host_clock(AHEAD_S), _host_clock(0.0))
    yield Trouble("token-weak", "", "the API token may make no VM", _weaken_token, _restore_token)
    yield Trouble("image-gone", host, "Talos' image is gone from its storage", _image_gone, None)
    yield Trouble("vm-off", node, "its VM is off", _vm_power(PowerEvent.STOPPED), _vm_power(PowerEvent.STARTED))
    yield Trouble("vm-gone", node, "its VM and its disks are gone", _vm_gone, None)
    yield Trouble("vm-changed", node, "its VM has less memory", _vm_memory(3072), _vm_memory(4096))
    yield Trouble("node-clock-ahead", node, "its clock is an hour ahead", _node_clock(AHEAD_S), _node_clock(0.0))
    yield Trouble(
        "config-changed", node, "it runs a configuration with one more label",
        _config(labelled=True), _config(labelled=False),
    )  # fmt: skip
    yield Trouble(
        "etcd-frozen", node, "its etcd answers nothing", _program("etcd", freeze=True), _program("etcd", freeze=False)
    )
    api = "kube-apiserver"
    yield Trouble(
        "api-frozen", node, "its API server answers nothing", _program(api, freeze=True), _program(api, freeze=False)
    )
    yield Trouble("git-down", "", "the Git server answers 503", _git(503), _git(0))
    yield Trouble("git-refuses", "", "the Git server wants a password", _git(401), _git(0))
    yield Trouble("git-ahead", "", "somebody else pushed a commit", _git_ahead, None)
    yield Trouble("charts-down", "", "the chart server answers 503", _charts(503), _charts(0))
    yield Trouble("factory-down", "", "the Image Factory cuts every connection", _factory(down=True), _factory(down=False))
    yield Trouble(
        "factory-without-checksums", "", "the Image Factory publishes no checksums, as the public one",
        _factory(checksums=False), _factory(checksums=True),
    )  # fmt: skip
    yield Trouble("store-down", "", "the store cuts every connection", _store(down=True), _store(down=False))
    yield Trouble("store-key-expired", "", "the store refuses the key", _key(expired=True), _key(expired=False))
    yield Trouble("store-read-only", "", "the store gives what it has and takes no writes", _read_only, _writable)
    yield Trouble("repository-gone", app, "its repository is gone", _repository_gone, None)
    yield Trouble(
        "repository-late", app, "its repository is not there yet: an empty place is",
        _damage(set_aside), _damage(bring_back),
    )  # fmt: skip
    yield Trouble("backup-half-uploaded", app, "its newest backup broke off", _damage(break_off_newest), None)
    yield Trouble("packs-lost", app, "its repository opens and holds nothing", _damage(lose_packs), None)
    for name, system, what, begins, ends in (*storage_troubles(), *component_faults()):
        yield Trouble(name, "", what, begins, ends, system)


TROUBLES = {trouble.name: trouble for trouble in _all()}
