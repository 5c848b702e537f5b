"""One Kubernetes cluster of real programs on simulated machines: machines go up and down, the cluster follows by itself.

Takes the keys as bytes, so that they may come from a machineconfig or from `ClusterKeys.make`. Knows no Talos and no Proxmox.
"""

from __future__ import annotations

import logging
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import PermanentError
from lab.parts.csi import Disks
from lab.parts.errors import PartFailed
from lab.parts.journal import WriteJournal
from lab.parts.knobs import Knobs
from lab.parts.kube import Kube
from lab.parts.plane.controlplane import API_PORT, ApiSettings, ControlPlane
from lab.parts.plane.forwarder import Forwarder
from lab.parts.plane.pki import ClusterKeys
from lab.parts.plane.services import Services
from lab.parts.pods.nodes import NodeSpec
from lab.parts.pods.podwork import Host
from lab.parts.settings import Settings, known_images
from lab.parts.supervisor import Supervisor

__all__ = ["LabCluster", "Settings"]
log = logging.getLogger(__name__)
_TEND_S = 0.1
_LOOK_S, _LOOK_AT_MOST_S = 0.03, 0.25
"""What one waits for comes soon or takes a while: a look at the API costs some milliseconds, here and there."""
_API_AGAIN_S = 1.0
# What a program, or the want of one, may do to an order: the thread that tends all machines outlives it.
_FAILS = (PermanentError, OSError, subprocess.SubprocessError)


@dataclass
class _Machine:
    spec: NodeSpec
    keys: ClusterKeys
    plane: ControlPlane | None
    on: bool = True
    kubelet: bool = False
    api_not_before: float = 0.0
    trouble: str = ""
    left: frozenset[str] = frozenset()  # what runs for its pods while the cluster has no services, nor it a kubelet


class LabCluster:
    """The cluster. One thread tends it: what a machine's data ask for is started, what died is started again, members join."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.knobs = Knobs()
        root = settings.root
        self.supervisor = Supervisor(root)
        self.disks = Disks(root / "disks")
        self.journal = WriteJournal(root / "writes.jsonl")
        self.forwarder = Forwarder(settings.endpoint, API_PORT)
        self._host = Host(
            supervisor=self.supervisor,
            images=known_images(settings),
            knobs=self.knobs,
            journal=self.journal,
            pods=root / "pods",
            volumes=self.disks.volumes,
            server=f"https://{settings.endpoint}:{API_PORT}",
            authority=root,
            prefix=settings.prefix,
            exports=settings.exports,
            network_images=settings.network_images,
        )
        self._machines: dict[str, _Machine] = {}
        self._services: Services | None = None
        self._lock = threading.RLock()
        self._orders: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tend_always, name="lab-cluster", daemon=True)

    def start(self) -> None:
        """End what a killed lab left behind, open the endpoint, begin to tend."""
        self.supervisor.sweep()
        self.forwarder.start()
        self._thread.start()

    def down(self) -> None:
        """End everything; the data stay in the lab's folder."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(60.0)
        with self._lock:
            services, self._services = self._services, None
            if services is not None:
                services.stop()
            self.supervisor.down()
            if services is not None:
                services.close()
            for machine in self._machines.values():
                if machine.plane is not None:
                    machine.plane.etcd.close()
        self.forwarder.stop()
        self.journal.close()

    def order(self, act: Callable[[], object]) -> None:
        """Have something done by the cluster's own thread, after what was ordered before; returns at once.

        For callers that must not wait (`cluster.order(lambda: cluster.node_down("cp-1"))`). What fails goes to `errors`.
        """
        self._orders.put(act)

    def obey(self, limit_s: float) -> None:
        """Wait until everything that was ordered so far is done. Raises PartFailed after `limit_s` seconds."""
        done = threading.Event()
        self._orders.put(done.set)
        if not done.wait(limit_s):
            raise PartFailed(f"what was ordered is not done after {limit_s:.0f} s")

    def node_up(self, spec: NodeSpec, keys: ClusterKeys, admission: Sequence[Mapping[str, Any]] = ()) -> None:
        """A machine was switched on with this configuration. A control plane without data waits for `bootstrap` or joins.

        `admission`: as ApiSettings has it.
        """
        with self._lock:
            machine = self._machines.get(spec.name)
            if machine is not None and machine.on:
                raise PartFailed(f"{spec.name} is on already")
            plane = None
            if spec.control_plane:
                common = ApiSettings(self.settings.endpoint, self.settings.service_subnet, self.settings.sans, admission)
                plane = ControlPlane(self.supervisor, spec.name, spec.address, keys, common, self._folder(spec.name))
            self._machines[spec.name] = _Machine(spec, keys, plane)

    def node_down(self, name: str) -> None:
        """The machine lost its power; its data stay."""
        with self._lock:
            machine = self._machines[name]
            machine.on = machine.kubelet = False
            if self._services is not None:
                self._services.node_down(name)
            for program in machine.left:
                self.supervisor.stop(program, 0.0)
            machine.left = frozenset()
            if machine.plane is not None:
                machine.plane.stop()
            self._choose_backends()

    def destroy(self, name: str) -> None:
        """The machine is gone with its disks (volumes are not on them: see `disks`)."""
        with self._lock:
            self.node_down(name)
            del self._machines[name]
            if self._folder(name).exists():
                shutil.rmtree(self._folder(name))
            if self._services is not None and not any(
                m.plane and m.plane.etcd.has_data for m in self._machines.values()
            ):
                self._end_services()

    def bootstrap(self, name: str) -> None:
        """As `begin`; returns when the API server is ready. Not to be ordered: the cluster's own thread does the rest of it."""
        self.begin(name)
        self.wait(self._plane(name).ready, 90.0, f"the API server of {name}")

    def begin(self, name: str, content: bytes | None = None, *, skip_hash: bool = False) -> None:
        """Make a new etcd cluster on this control plane, of a snapshot's `content` if there is one; its API server follows.

        PartFailed "etcd data directory is not empty" when it is or was a member of one.
        """
        with self._lock:
            plane = self._plane(name)
            if plane.etcd.has_data:
                raise PartFailed("etcd data directory is not empty")
            if content is None:
                plane.etcd.start_first()
            else:
                plane.etcd.start_from(content, skip_hash=skip_hash)

    def etcd_state(self, name: str) -> str:
        """`Preparing` (no data, no cluster found), `Running`, `Starting` (runs, does not serve yet) or `Failed`."""
        etcd = self._plane(name).etcd
        if not etcd.running:
            return "Failed" if etcd.has_data else "Preparing"
        return "Running" if etcd.healthy() else "Starting"

    def control_plane(self, name: str) -> ControlPlane:
        """The control plane of one machine (its etcd, its API server, the administrator's access)."""
        return self._plane(name)

    @property
    def machines(self) -> frozenset[str]:
        """Names of the machines that exist, on or off."""
        return frozenset(self._machines)

    def keys_of(self, name: str) -> ClusterKeys:
        """The keys that this machine was given."""
        return self._machines[name].keys

    @property
    def kube(self) -> Kube:
        """The administrator's client at the cluster's endpoint. PartFailed before the first API server was ready."""
        return self.services.kube

    @property
    def services(self) -> Services:
        """What runs once per cluster. PartFailed before the first API server was ready."""
        if self._services is None:
            raise PartFailed("the cluster has no API server yet")
        return self._services

    @property
    def errors(self) -> list[str]:
        """What went wrong in the lab itself: a scenario that finds any is void."""
        return self._host.errors

    @property
    def assumed(self) -> list[str]:
        """Pods of images that the lab does not run, which should have done something and ended: their success was assumed."""
        return self._host.assumed

    def wait_ready(self, seconds: float = 90.0) -> None:
        """Wait until every machine that is on takes part: API servers ready, services up, kubelets started."""
        self.wait(
            lambda: all(self._takes_part(m) for m in list(self._machines.values()) if m.on), seconds, "the cluster"
        )

    def wait(self, done: Callable[[], bool], seconds: float, what: str) -> None:
        """Ask `done` until it says true. PartFailed after `seconds`, with what the machines are stuck at."""
        deadline, pause_s = time.monotonic() + seconds, _LOOK_S
        while not done():
            if time.monotonic() > deadline:
                stuck = tuple(f"{m.spec.name}: {m.trouble}" for m in self._machines.values() if m.trouble)
                raise PartFailed(f"{what} was not ready in {seconds:.0f} s", evidence=stuck + tuple(self.errors[-5:]))
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.3, _LOOK_AT_MOST_S)

    def _takes_part(self, machine: _Machine) -> bool:
        return machine.kubelet and (machine.plane is None or machine.plane.ready())

    def _plane(self, name: str) -> ControlPlane:
        machine = self._machines.get(name)
        if machine is None or machine.plane is None:
            raise PartFailed(f"{name} is no control plane")
        return machine.plane

    def _folder(self, name: str) -> Path:
        return self.settings.root / "machines" / name

    def _tend_always(self) -> None:
        while not self._stop.is_set():
            self._do_orders()
            for machine in list(self._machines.values()):
                if machine.on and not self._stop.is_set():
                    self._tend(machine)

    def _do_orders(self) -> None:
        """Do what was ordered; when nothing was, wait for an order as long as machines may be left alone."""
        try:
            act = self._orders.get(timeout=_TEND_S)
            while True:
                try:
                    act()
                except _FAILS as error:
                    self.errors.append(f"an order failed: {error}")
                act = self._orders.get_nowait()
        except queue.Empty:
            return

    def _tend(self, machine: _Machine) -> None:
        """One look at one machine: start what is missing. What fails is tried again, and told by `wait`."""
        try:
            with self._lock:
                if machine.on and machine.plane is not None:
                    self._tend_plane(machine, machine.plane)
                if machine.on and not machine.kubelet and self._services_for(machine):
                    self.services.node_up(machine.spec, machine.left)
                    machine.kubelet, machine.left = True, frozenset()
            machine.trouble = ""
        except _FAILS as error:
            machine.trouble = f"{error} {' | '.join(getattr(error, 'evidence', ()))}"
            log.debug("%s: %s", machine.spec.name, machine.trouble)

    def _tend_plane(self, machine: _Machine, plane: ControlPlane) -> None:
        if not plane.etcd.has_data:
            through = self._healthy_member(machine)
            if through is None:
                return
            self._join(plane, through)
        if not plane.etcd.running:
            plane.etcd.start_again()
        if not plane.running and time.monotonic() > machine.api_not_before:
            machine.api_not_before = time.monotonic() + _API_AGAIN_S
            plane.start_api(wait=False)
            self._choose_backends()

    def _join(self, plane: ControlPlane, through: ControlPlane) -> None:
        try:
            plane.etcd.join(through.etcd)
        except PartFailed:
            # Half a member must not be taken for one when it is tried again.
            plane.etcd.stop()
            shutil.rmtree(plane.etcd.data, ignore_errors=True)
            raise

    def _healthy_member(self, joining: _Machine) -> ControlPlane | None:
        for machine in self._machines.values():
            same = machine.keys.etcd.certificate == joining.keys.etcd.certificate
            if machine.on and same and machine.plane and machine.plane.etcd.has_data and machine.plane.etcd.healthy():
                return machine.plane
        return None

    def _services_for(self, machine: _Machine) -> bool:
        """Whether the cluster's services run, started now if an API server is ready for the first time."""
        if self._services is not None:
            return True
        for other in self._machines.values():
            if other.on and other.plane is not None and other.plane.running and other.plane.ready():
                folder = self.settings.root / "services"
                services = Services(
                    self._host,
                    other.keys,
                    other.plane,
                    self.settings.endpoint,
                    folder,
                    self.disks,
                    self.settings.drivers,
                )
                services.start()
                self._services = services
                return True
        return False

    def _end_services(self) -> None:
        services, self._services = self._services, None
        if services is not None:
            services.stop()
            services.close()
        for name, machine in self._machines.items():
            machine.kubelet = False
            # The pods of a node that is on run on: its kubelet waits for an API server.
            kubelet = services.kubelets.get(name) if services is not None else None
            machine.left = kubelet.programs if kubelet is not None and machine.on else machine.left

    def _choose_backends(self) -> None:
        planes = [m.plane for m in self._machines.values() if m.on and m.plane is not None and m.plane.running]
        self.forwarder.backends = tuple((p.address, API_PORT) for p in planes)

    def __enter__(self) -> LabCluster:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
