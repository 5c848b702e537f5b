"""Talos's event stream and the health check over the World's machines. Knows no connection and no routing.

Events are made out of what a subscriber has not seen yet, so that none is lost between an action and its subscription.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator

from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message

from lab.wire.talos.calls import READ, Call, Streamed
from lab.wire.talos.pb import talos_pb2 as pb
from lab.wire.talos.resources import STAGES, readiness
from lab.world.machines.health import first_problem
from lab.world.machines.machine import Machine, Port, Refused

_POLL_S = 0.1
_HEALTH_POLL_S = 0.5
_GOING_DOWN = {"rebooting": "reboot", "shutting down": "shutdown", "resetting": "reset"}
_ids = itertools.count(1)


async def events(call: Call) -> AsyncIterator[pb.Event]:
    """Events: an empty one first, then the machine's status at every change, and the end of its services when it goes down."""
    yield pb.Event()
    machine = call.machine
    boot = machine.boots
    told = _told(call) if call.request.tail_events == 0 else None
    stopping = False
    while machine.boots == boot and machine.port is not Port.CLOSED:
        with call.talos.world.looking():
            now = _told(call)
            status = pb.MachineStatusEvent(
                stage=STAGES.index(machine.stage or "unknown"), status=readiness(call.talos, machine)
            )
        if machine.stage in _GOING_DOWN and not stopping:
            stopping = True
            yield _event("SequenceEvent", pb.SequenceEvent(sequence=_GOING_DOWN[machine.stage], action=1), machine)
            yield _event("TaskEvent", pb.TaskEvent(task="stopAllServices", action=0), machine)
        if now != told:
            told = now
            yield _event("MachineStatusEvent", status, None)
        await asyncio.sleep(_POLL_S)
    raise Refused("Unavailable", "the machine went down")


def _told(call: Call) -> tuple[str, tuple[tuple[str, str], ...]]:
    return call.machine.stage, call.talos.unmet(call.machine)


def _event(name: str, message: Message, actor: Machine | None) -> pb.Event:
    data = Any(type_url=f"talos/runtime/machine.{name}", value=message.SerializeToString())
    return pb.Event(data=data, id=f"lab-{next(_ids)}", actor_id=actor.boot_id if actor is not None else "")


async def health_check(call: Call) -> AsyncIterator[pb.HealthCheckProgress]:
    """HealthCheck: etcd, member lists, kubelets and stages of the nodes that discovery knows or the request lists.

    Its time-out is who asks' own time, not that of the lab's machines.
    """
    call.need_control_plane("health check")
    limit = time.monotonic() + (call.request.wait_timeout.seconds or 1200)
    listed = (*call.request.cluster_info.control_plane_nodes, *call.request.cluster_info.worker_nodes)
    last = ""
    while True:
        with call.talos.world.looking():
            problem = first_problem(call.talos, call.machine, listed)
        if problem != last or not problem:
            yield pb.HealthCheckProgress(message=f"waiting for all nodes: {problem or 'OK'}")
            last = problem
        if not problem:
            return
        if time.monotonic() > limit:
            raise Refused("DeadlineExceeded", "context deadline exceeded")
        await asyncio.sleep(_HEALTH_POLL_S)


STREAMED = (
    Streamed("/machine.MachineService/Events", pb.EventsRequest, pb.Event, READ, events),
    Streamed("/cluster.ClusterService/HealthCheck", pb.HealthCheckRequest, pb.HealthCheckProgress, READ, health_check),
)
