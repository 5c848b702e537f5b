"""Stands before any in-process door: names every mutation, plays the armed faults, and lets no dead process through.

It knows which methods mutate from the Protocols themselves; only what a mutation is done to is said here, port by port.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast, get_type_hints

from adapters.cnpg.results import Login, Reached
from adapters.context import ActContext
from adapters.drills.results import Found
from adapters.kubernetes.results import LeaseHolder
from adapters.proxmox.results import TaskRef, TaskStatus
from adapters.surface import Surface, surfaces
from adapters.volsync.results import Checked, Compared, Listing, Sight
from engine.errors import TransientError
from lab.world.clock import VirtualClock
from lab.world.faults import Death, Fault
from lab.world.world import World

Port = TypeVar("Port")

SLOW_S = 20.0
DURING_S = 1.0

TARGETS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "proxmox": {
        "download_image": ("host",),
        "create_vm": ("spec.vm_id",),
        "grow_disk": ("vm_id",),
        "start_vm": ("vm_id",),
        "shut_down_vm": ("vm_id",),
        "shut_down_host": ("host",),
        "wake_host": ("host",),
        "destroy_vm": ("vm_id",),
        "reserve": (),
        "unreserve": (),
    },
    "talos": {
        "apply_config": ("node",),
        "bootstrap_etcd": ("address",),
        "fetch_kubeconfig": ("address",),
        "remove_member": ("address",),
        "shut_down": ("address",),
    },
    "etcd": {"take": ("address",), "copy": ("address",), "wipe": ("address",), "recover": ("address",)},
    "machineconfigs": {"render": (), "make_bundle": ()},
    "cluster": {
        "create_namespace": ("name",),
        "put_secret": ("secret.namespace", "secret.name"),
        "apply_crd": ("crd.name",),
        "forget_node": ("name",),
        "rest": ("workload.namespace", "workload.name"),
        "wake": ("workload.namespace", "workload.name"),
        "take_lease": (),
        "drop_lease": (),
    },
    "releases": {
        "sync": ("namespace", "name"),
        "fence": (),  # by run, whose id is new each time
        "drop_pending": ("state.namespace", "state.name"),
    },
    "flux": {"request": ("kind", "namespace", "name"), "suspend": ("namespace", "name")},
    "claims": {
        "contents": ("namespace", "claim_or_image"),
        "compare": ("namespace", "claim_or_image"),
        "repository_seen": ("namespace", "secret"),
        "pin": ("namespace", "destination"),
        "unpin": ("namespace", "destination"),
        "nudge": ("kind", "namespace", "name"),
        "delete_claim": ("namespace", "name"),
        "back_up_now": ("namespace", "source"),
    },
    "drills": {
        "fence_in": (),  # by drill, whose id is new each time
        "try_fence": (),
        "send_canary": (),  # the word is new each time
        "find_canary": (),
        "restore": ("order.into",),
        "compare": ("order.into",),
        "examine": ("of.order.into",),
        "note": ("key",),
        "clear": (),
        "take_lease": (),
        "drop_lease": (),
    },
    "locks": {"remove": ("lock_id",)},
    "versions": {"bring": ("into",)},
    "flags": {"put": ("namespace", "name"), "drop": ("namespace", "name")},
    "tls": {"put": ("one.namespace", "one.name")},
    "kept": {  # volumes have new names each time
        "keep": ("namespace", "claim"), "bring": ("volume.claim",), "open_aside": (), "note": (), "put_back": (), "let_go": (),
    },
    "trials": {"write": ("storage_class",), "snapshot": ("storage_class",)},
    "hold": {
        "install": (), "put": ("claim.namespace", "claim.claim"), "accept": ("database.namespace", "database.name"),
        "put_database": ("database.namespace", "database.name"),
    },
    "databases": {
        "write_draft": ("namespace", "name"),
        "recover": ("namespace", "name"),
        "hand_over": ("namespace", "name"),
        "rest": ("namespace", "name"),
        "wake": ("namespace", "name"),
        "reached": ("namespace", "name"),
        "answer": ("namespace", "name"),
        "login": ("database.key",),
    },
}
"""Port → method → the arguments that say what it is done to (dotted: a field of an argument)."""


def faulty(act: ActContext, world: World, clock: VirtualClock) -> ActContext:
    """The same bundle with a `FaultyPort` before every port, in the life that the clock lives now."""
    doors: dict[str, Any] = {
        name: FaultyPort(getattr(act, name), known, TARGETS.get(name, {}), world, clock)
        for name, known in surfaces().items()
    }
    return replace(act, **doors)


def faulty_port(
    door: Port, known: Surface, targets: Mapping[str, tuple[str, ...]], world: World, clock: VirtualClock
) -> Port:
    """One door with a `FaultyPort` before it, typed as the door."""
    return cast("Port", FaultyPort(door, known, targets, world, clock))


class FaultyPort:
    """The proxy. A mutation that `targets` does not know fails loudly: nothing changes the World without a name."""

    def __init__(
        self, door: object, known: Surface, targets: Mapping[str, tuple[str, ...]], world: World, clock: VirtualClock
    ) -> None:
        self._door = door
        self._known = known
        self._targets = targets
        self._world = world
        self._clock = clock
        self._fence = clock.fence

    def __getattr__(self, name: str) -> object:
        if name in self._known.mutations:
            return self._mutation(name)
        if name in self._known.looks:
            return self._look(name)
        raise AttributeError(f"the port {self._known.name} has no {name}")

    def _look(self, name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(self._door, name)

        def look(*args: object, **named: object) -> object:
            self._reach()
            if name == "task" and isinstance(args[0], TaskRef) and args[0].upid in self._world.faults.lies:
                return TaskStatus(args[0], running=False, ok=True, exit_status="OK")
            return real(*args, **named)

        return look

    def _mutation(self, name: str) -> Callable[..., object]:
        real: Callable[..., object] = getattr(self._door, name)
        signature = inspect.signature(getattr(self._known.protocol, name))

        def mutate(*args: object, **named: object) -> object:
            self._reach()
            given = signature.bind(None, *args, **named).arguments
            fault = self._world.faults.strike(self._known.name, name, self._target(name, given))
            return self._play(fault, name, given, lambda: real(*args, **named))

        return mutate

    def _reach(self) -> None:
        """Let others run first, as on any network; then nobody dead goes on."""
        self._clock.sleep(0)
        self._fence.check()

    def _target(self, name: str, given: Mapping[str, object]) -> str:
        values: list[str] = []
        for path in self._targets[name]:
            first, *rest = path.split(".")
            value = given[first]
            for field in rest:
                value = getattr(value, field)
            values.append(str(value))
        return "/".join(values)

    def _play(self, fault: Fault | None, name: str, given: Mapping[str, object], act: Callable[[], object]) -> object:
        where = f"{self._known.name}.{name}"
        match fault:
            case None:
                return act()
            case Fault.DIE_BEFORE:
                self._fence.fall()
                raise Death(f"before {where}")
            case Fault.DIE_DURING:
                self._world.after(DURING_S, f"death during {where}", self._fence.fall)
                act()
                self._clock.sleep(DURING_S)
                self._fence.check()
                raise Death(f"during {where}")
            case Fault.DIE_AFTER:
                act()
                self._fence.fall()
                raise Death(f"after {where}")
            case Fault.LOSE_REPLY:
                act()
                raise TransientError(f"{where}: connection reset while waiting for the reply")
            case Fault.SLOW:
                reply = act()
                self._clock.sleep(SLOW_S)
                self._fence.check()
                return reply
            case Fault.ERROR_TWICE:
                raise TransientError(f"{where}: server error")
            case Fault.LIE_ONCE:
                return self._lie(name, given)

    def _lie(self, name: str, given: Mapping[str, object]) -> object:
        """What the call would answer, without the act. A kind of answer that is not known here fails loudly."""
        kind = get_type_hints(getattr(self._known.protocol, name))["return"]
        if kind is type(None):
            return None
        if kind is TaskRef:
            host = str(given.get("host") or getattr(given.get("spec"), "host", "lab"))
            lies = self._world.faults.lies
            ref = TaskRef(f"UPID:{host}:00000000:00000000:00000000:{name}:{len(lies)}:lab@pve:", host)
            lies.add(ref.upid)
            return ref
        if kind is LeaseHolder:
            return LeaseHolder(str(given["holder"]), "a renewal that never was")
        if kind is Listing:
            return Listing((), complete=True)
        if kind is Compared:
            return Compared(Listing((), complete=True), Checked(0, 0))
        if name == "try_fence":
            return ()
        if kind is Sight:
            return Sight("", problem="nobody looked")
        if kind is Found:
            return Found(None, detail="nobody looked")
        if kind is Reached:
            return Reached("0", 1, 0, recovering=False)
        if kind is Login:
            return Login(False, refused="nobody said anything")
        if kind is str and name in ("write_draft", "answer", "damage"):
            return ""
        if kind is str and name == "back_up_now":
            return str(given["trigger"])
        if kind is str and name == "take":
            return str(given["name"])
        raise TypeError(f"no lie is known for {self._known.name}.{name}, which answers {kind}")
