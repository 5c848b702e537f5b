"""COSI State on the wire: Get, List and Watch of a machine's resources. Knows no connection and no routing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from lab.wire.talos.calls import READ, Call, Streamed, Unary
from lab.wire.talos.kinds import BY_TYPE, Kind
from lab.wire.talos.pb import talos_pb2 as pb
from lab.wire.talos.resources import Res, resources
from lab.world.machines.machine import Port, Refused

_POLL_S = 0.1
_CREATED, _UPDATED, _DESTROYED, _BOOTSTRAPPED = range(4)


def _kind(call: Call) -> Kind:
    kind = BY_TYPE.get(call.request.type)
    if kind is None or not kind.simulated:
        raise call.not_simulated(f"resource type {call.request.type}")
    if kind.namespace != call.request.namespace:
        raise Refused("PermissionDenied", f'namespace "{call.request.namespace}" is not supported')
    if kind.sensitive and "os:admin" not in call.roles:
        raise Refused("PermissionDenied", "not authorized")
    return kind


def _found(call: Call, kind: Kind) -> dict[str, Res]:
    with call.talos.world.looking():
        return {res.name: res for res in resources(call.talos, call.machine, kind)}


def get(call: Call) -> pb.GetReply:
    """Get of one resource."""
    kind = _kind(call)
    res = _found(call, kind).get(call.request.id)
    if res is None:
        raise Refused("NotFound", f"resource {kind.type}({kind.namespace}/{call.request.id}@undefined) doesn't exist")
    return pb.GetReply(resource=res.message(call.talos.world.clock.now()))


async def listed(call: Call) -> AsyncIterator[pb.ListResourcesReply]:
    """List of all resources of one type."""
    for _, res in sorted(_found(call, _kind(call)).items()):
        yield pb.ListResourcesReply(resource=res.message(call.talos.world.clock.now()))


async def watch(call: Call) -> AsyncIterator[pb.WatchReply]:
    """Watch of one resource or of a type: an empty reply first, then what is there, then every change."""
    kind = _kind(call)
    name = call.request.id if call.request.HasField("id") else None
    yield pb.WatchReply()
    known: dict[str, Res] = {}
    first, boot = True, call.machine.boots
    while call.machine.boots == boot and call.machine.port is not Port.CLOSED:
        now = {key: res for key, res in _found(call, kind).items() if name is None or key == name}
        if first and name is not None and name not in now:
            yield _event(
                _DESTROYED, pb.Resource(metadata=Res(kind, name, {}).message(0).metadata, spec=pb.ResourceSpec())
            )
        at = call.talos.world.clock.now()
        for key, res in now.items():
            if key not in known:
                yield _event(_CREATED, res.message(at))
            elif (known[key].spec, known[key].proto) != (res.spec, res.proto):
                yield _event(_UPDATED, res.message(at))
        for key in known.keys() - now.keys():
            yield _event(_DESTROYED, known[key].message(at))
        if first and name is None and call.request.options.bootstrap_contents:
            end = pb.Resource(
                metadata=pb.ResourceMetadata(namespace=kind.namespace, type=kind.type, version="undefined")
            )
            end.metadata.phase = "running"
            end.spec.SetInParent()
            yield _event(_BOOTSTRAPPED, end)
        known, first = now, False
        await asyncio.sleep(_POLL_S)
    raise Refused("Unavailable", "the machine went down")


def _event(kind: int, resource: pb.Resource) -> pb.WatchReply:
    return pb.WatchReply(event=[pb.WatchEvent(resource=resource, event_type=kind)])


_S = "/cosi.resource.State/"
UNARY = (Unary(_S + "Get", pb.GetRequest, pb.GetReply, READ, get),)
STREAMED = (
    Streamed(_S + "List", pb.ListResourcesRequest, pb.ListResourcesReply, READ, listed),
    Streamed(_S + "Watch", pb.WatchRequest, pb.WatchReply, READ, watch),
)
