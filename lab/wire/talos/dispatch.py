"""Routes a call to its machine the way Talos's API proxy does, checks roles there, plays armed faults. Knows no single call.

`node` goes to one machine and its answer comes back as it is; `nodes` gathers one message per machine, refusals inside.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from lab.wire.talos import cosi, events, machine_api
from lab.wire.talos.calls import (
    MAINTENANCE_ROLES,
    Call,
    Streamed,
    Unary,
    Uploaded,
    grpc_error,
    status_of,
    unreachable,
)
from lab.wire.talos.pb import talos_pb2 as pb
from lab.world.faults import Fault
from lab.world.machines.machine import Machine, Port, Refused
from lab.world.machines.talos import TalosWorld

UNARY: tuple[Unary, ...] = (*machine_api.UNARY, *cosi.UNARY)
STREAMED: tuple[Streamed, ...] = (*machine_api.STREAMED, *cosi.STREAMED, *events.STREAMED)
_MANY = ("/machine.MachineService/", "/cluster.ClusterService/", "/storage.StorageService/", "/time.TimeService/")
# What Talos has and the lab has not, so that it is refused by name.
NOT_SIMULATED = (
    *(
        f"/machine.MachineService/{name}"
        for name in (
            "Containers", "CPUFreqStats", "CPUInfo", "DiskStats", "EtcdLeaveCluster",
            "EtcdForfeitLeadership", "EtcdAlarmList", "EtcdAlarmDisarm", "EtcdDefragment",
            "EtcdDowngradeValidate", "EtcdDowngradeEnable", "EtcdDowngradeCancel", "Hostname", "DiskUsage", "LoadAvg", "Logs",
            "LogsContainers", "Mounts", "NetworkDeviceStats", "Processes", "Restart", "Rollback", "ServiceRestart",
            "ServiceStart", "ServiceStop", "Stats", "SystemStat", "Upgrade", "GenerateClientConfiguration", "PacketCapture",
            "Netstat", "MetaWrite", "MetaDelete", "ImageList", "ImagePull", "GenerateConfiguration",
        )
    ),
    *(f"/cosi.resource.State/{name}" for name in ("Create", "Update", "Destroy")),
    *(f"/machine.ImageService/{name}" for name in ("List", "Pull", "Import", "Remove", "Verify")),
    *(f"/machine.LifecycleService/{name}" for name in ("Install", "Upgrade")),
    *(f"/machine.LVMService/{name}VolumeRemove" for name in ("Logical", "Physical")),
    "/machine.LVMService/VolumeGroupRemove", "/machine.MDService/Destroy", "/storage.StorageService/BlockDeviceWipe",
    "/machine.DebugService/ContainerRun", "/inspect.InspectService/ControllerRuntimeDependencies",
)  # fmt: skip
_APPLY = "/machine.MachineService/ApplyConfiguration"

GrpcStream = Stream[Any, Any]
Cut = Callable[[Any], None]


class NodeApi:
    """The API of one endpoint: what grpclib serves on one machine's port. `cut` breaks the connection of a peer's address.

    `slow_s`: how late a reply comes that a fault makes slow.
    """

    def __init__(self, talos: TalosWorld, endpoint: Machine, cut: Cut, slow_s: float = 5.0) -> None:
        self._talos = talos
        self._endpoint = endpoint
        self._cut = cut
        self._slow_s = slow_s

    def __mapping__(self) -> Mapping[str, Handler]:
        """Path to handler, as grpclib wants it."""
        table: dict[str, Handler] = {}
        for unary in UNARY:
            table[unary.path] = Handler(self._unary(unary), Cardinality.UNARY_UNARY, unary.request, unary.reply)
        for streamed in STREAMED:
            table[streamed.path] = Handler(
                self._streamed(streamed), Cardinality.UNARY_STREAM, streamed.request, streamed.reply
            )
        for uploaded in machine_api.UPLOADED:
            table[uploaded.path] = Handler(self._uploaded(uploaded), Cardinality.STREAM_UNARY, pb.Data, uploaded.reply)
        for path in NOT_SIMULATED:
            table[path] = Handler(self._missing(path), Cardinality.UNARY_STREAM, pb.Empty, pb.Empty)
        return table

    def _missing(self, path: str) -> Callable[[GrpcStream], Awaitable[None]]:
        async def handle(stream: GrpcStream) -> None:
            self._talos.unknown.append(path)
            self._talos.world.happened("talos", f"not known to the lab: {path}")
            raise GRPCError(Status.UNIMPLEMENTED, f"{path} is not simulated by the lab")

        return handle

    def _unary(self, method: Unary) -> Callable[[GrpcStream], Awaitable[None]]:
        async def handle(stream: GrpcStream) -> None:
            request = await stream.recv_message()
            try:
                targets, many = self._targets(stream, method.path)
                roles = self._roles(stream)
                messages = []
                for name, target in targets:
                    try:
                        messages.append(await self._answer(stream, method, target, roles, request))
                    except Refused as refused:
                        if not many:
                            raise
                        messages.append(self._failed(method, refused))
                    if many:
                        messages[-1].metadata.hostname = name
                await stream.send_message(_gathered(method, messages))
            except Refused as refused:
                raise grpc_error(refused) from refused

        return handle

    def _streamed(self, method: Streamed) -> Callable[[GrpcStream], Awaitable[None]]:
        async def handle(stream: GrpcStream) -> None:
            request = await stream.recv_message()
            try:
                targets, many = self._targets(stream, method.path)
                roles = self._roles(stream)
                for name, target in targets:
                    call = self._call(method.path, method.roles, target, roles, request)
                    fault = await self._before(stream, method, call)
                    if fault is Fault.LIE_ONCE:
                        continue
                    async for message in method.act(call):
                        if many and "metadata" in message.DESCRIPTOR.fields_by_name:
                            message.metadata.hostname = name
                        await stream.send_message(message)
                    await self._after(stream, method, call, fault)
            except Refused as refused:
                raise grpc_error(refused) from refused

        return handle

    def _uploaded(self, method: Uploaded) -> Callable[[GrpcStream], Awaitable[None]]:
        async def handle(stream: GrpcStream) -> None:
            content = bytearray()
            async for message in stream:
                content += message.bytes
            try:
                targets, _ = self._targets(stream, method.path)
                (_, target), roles = targets[0], self._roles(stream)
                call = self._call(method.path, method.roles, target, roles, None)
                with self._talos.world.looking():
                    done = method.act(call, bytes(content))
                reply: Any = method.reply()
                reply.messages.append(done)
                await stream.send_message(reply)
            except Refused as refused:
                raise grpc_error(refused) from refused

        return handle

    async def _answer(
        self, stream: GrpcStream, method: Unary, target: Machine, roles: frozenset[str], request: Any
    ) -> Any:
        call = self._call(method.path, method.roles, target, roles, request)
        fault = await self._before(stream, method, call)
        if fault is Fault.LIE_ONCE:
            return _message_type(method)()
        if method.ask is not None:
            call = replace(call, told=await asyncio.to_thread(method.ask, call))
        with self._talos.world.looking():
            message = method.act(call)
        await self._after(stream, method, call, fault)
        return message

    def _call(self, path: str, allowed: frozenset[str], target: Machine, roles: frozenset[str], request: Any) -> Call:
        self._see(target)
        call = Call(self._talos, target, roles, request)
        if not (roles & allowed) and not (call.maintenance and path == _APPLY):
            raise Refused("PermissionDenied", "not authorized")
        return call

    def _see(self, target: Machine) -> None:
        """Refuse what the endpoint cannot reach: a proxied call needs a running API of the same CA."""
        if target is self._endpoint:
            return
        own, other = self._endpoint.config, target.config
        if target.port is not Port.SECURE or own is None or other is None or own.os_ca.crt != other.os_ca.crt:
            raise unreachable(target.address)

    def _targets(self, stream: GrpcStream, path: str) -> tuple[list[tuple[str, Machine]], bool]:
        metadata = stream.metadata
        assert metadata is not None  # there is always one on the server's side
        if self._endpoint.port is Port.MAINTENANCE:
            return [(self._endpoint.address, self._endpoint)], False
        one, many = metadata.getall("node", []), metadata.getall("nodes", [])
        if one and any(one):
            if len(one) != 1:
                raise Refused("InvalidArgument", "node metadata must be single-valued")
            return [(str(one[0]), self._machine(str(one[0])))], False
        if many:
            if not path.startswith(_MANY):
                raise Refused("InvalidArgument", f"one-2-many proxying is not supported for method {path}")
            return [(str(name), self._machine(str(name))) for name in many], True
        return [(self._endpoint.address, self._endpoint)], False

    def _machine(self, name: str) -> Machine:
        for machine in self._talos.machines.values():
            if name in (machine.address, machine.name):
                return machine
        raise unreachable(name)

    def _roles(self, stream: GrpcStream) -> frozenset[str]:
        if self._endpoint.port is Port.MAINTENANCE:
            return MAINTENANCE_ROLES
        certificate = stream.peer.cert() or {}
        return frozenset(
            value for rdn in certificate.get("subject", ()) for key, value in rdn if key == "organizationName"
        )

    def _failed(self, method: Unary, refused: Refused) -> Any:
        message = _message_type(method)()
        message.metadata.error = f"rpc error: code = {refused.code} desc = {refused.text}"
        message.metadata.status.code = status_of(refused.code).value
        message.metadata.status.message = refused.text
        return message

    async def _before(self, stream: GrpcStream, method: Unary | Streamed, call: Call) -> Fault | None:
        """Count the mutation and play the part of its fault that comes before the act."""
        named = method.mutation(call)
        if named is None:
            return None
        world = self._talos.world
        fault = world.faults.strike(method.port, *named)
        if fault is Fault.DIE_BEFORE:
            self._die(stream, method.port, named)
        if fault is Fault.ERROR_TWICE:
            raise Refused("Unavailable", "error reading from server: EOF")
        if fault is Fault.SLOW:
            await asyncio.sleep(self._slow_s)
        return fault

    async def _after(
        self, stream: GrpcStream, method: Unary | Streamed, call: Call, fault: Fault | None = None
    ) -> None:
        """Play the part of a fault that comes after the act."""
        if fault in (Fault.DIE_AFTER, Fault.DIE_DURING):
            self._die(stream, method.port, method.mutation(call) or ("", ""))
        if fault is Fault.LOSE_REPLY:
            self._cut(stream.peer.addr())
            raise GRPCError(status_of("Unavailable"))

    def _die(self, stream: GrpcStream, port: str, named: tuple[str, str]) -> None:
        """The tool is killed here: whoever runs it ends it now, and this connection carries nothing more."""
        on_death = self._talos.world.on_death
        if on_death is not None:
            on_death(f"{port}.{named[0]}/{named[1]}")
        self._cut(stream.peer.addr())
        raise GRPCError(status_of("Unavailable"))


def _message_type(method: Unary) -> Any:
    field = method.reply.DESCRIPTOR.fields_by_name.get("messages")
    if field is None:
        return method.reply
    kind: Any = field.message_type  # the two descriptor types of protobuf's stubs do not know each other
    return GetMessageClass(kind)


def _gathered(method: Unary, messages: list[Any]) -> Message:
    if "messages" not in method.reply.DESCRIPTOR.fields_by_name:
        single: Message = messages[0]
        return single
    reply: Any = method.reply()
    for message in messages:
        reply.messages.append(message)
    gathered: Message = reply
    return gathered
