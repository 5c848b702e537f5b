"""Opens port 50000 of every machine of the World, in the phase the machine is in, from one thread of its own. Knows no call."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

from grpclib.server import Server

from lab.wire.talos.certificates import maintenance_context, secure_context
from lab.wire.talos.dispatch import NodeApi
from lab.wire.talos.tls import TlsProtocol
from lab.world.machines.machine import Machine, Port
from lab.world.machines.machineconfig import KeyPair
from lab.world.machines.talos import TalosWorld

PORT = 50000
_TICK_S = 0.05


class TalosDoor:
    """Serves between `start` and `close`; leaves no thread, no socket and no connection behind.

    `folder` takes the servers' keys (0600). While it is open its thread lets the World's time pass.
    """

    def __init__(self, talos: TalosWorld, folder: Path, *, port: int = PORT, slow_s: float = 5.0) -> None:
        self._talos = talos
        self._folder = folder
        self._port = port
        self._slow_s = slow_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="talos door", daemon=True)
        self._nodes: dict[str, _Node] = {}
        self._stopping = asyncio.Event()
        self.problems: list[str] = []

    def start(self) -> TalosDoor:
        """Begin to follow the machines."""
        self._talos.on_port.append(self._changed)
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving; raises RuntimeError with what went wrong while it served, if anything did."""
        self._talos.on_port.remove(self._changed)
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()
        if self.problems:
            raise RuntimeError("; ".join(self.problems))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            with self._talos.world.looking():
                self._talos.settle()
                machines = list(self._talos.machines.values())
            for machine in machines:
                node = self._nodes.setdefault(
                    machine.mac, _Node(self._talos, machine, self._folder, self._port, self._slow_s)
                )
                try:
                    await node.follow()
                except OSError as error:
                    self.problems.append(f"{machine.address}:{self._port}: {error}")
            await asyncio.sleep(_TICK_S)
        for node in self._nodes.values():
            await node.shut()

    def _changed(self, machine: Machine) -> None:
        """A machine's port changed: cut what was connected at once, the new phase opens with the next round."""
        self._loop.call_soon_threadsafe(self._cut_if_closed, machine)

    def _cut_if_closed(self, machine: Machine) -> None:
        node = self._nodes.get(machine.mac)
        if node is not None and machine.port is Port.CLOSED:
            node.cut_all()


class _Node:
    """The listener of one machine."""

    def __init__(self, talos: TalosWorld, machine: Machine, folder: Path, port: int, slow_s: float) -> None:
        self._talos = talos
        self._machine = machine
        self._folder = folder
        self._port = port
        self._slow_s = slow_s
        self._open: tuple[Any, ...] = ()
        self._listener: asyncio.Server | None = None
        self._grpc: Server | None = None
        self._connections: set[TlsProtocol] = set()

    async def follow(self) -> None:
        """Listen as the machine's port says now."""
        machine = self._machine
        config = machine.config
        wanted = () if machine.port is Port.CLOSED else (machine.port, machine.boots, config.os_ca if config else None)
        if wanted == self._open:
            return
        await self.shut()
        if wanted:
            await self._listen()
        self._open = wanted

    async def shut(self) -> None:
        """Close the listener and cut its connections."""
        if self._listener is not None:
            self._listener.close()
            self.cut_all()
            await self._listener.wait_closed()
        self._listener, self._grpc, self._open = None, None, ()

    def cut_all(self) -> None:
        """Cut every connection, as a machine that goes down does."""
        for connection in list(self._connections):
            connection.abort()

    async def _listen(self) -> None:
        machine, now = self._machine, self._talos.world.clock.now() + self._machine.clock_offset
        if machine.port is Port.MAINTENANCE or machine.config is None:
            context = maintenance_context(self._folder, machine.address, now)
        else:
            context = secure_context(self._folder, machine.config, self._signer(), machine.address, now)
        grpc = Server([NodeApi(self._talos, machine, self._cut, self._slow_s)])
        self._grpc = grpc
        self._listener = await asyncio.get_running_loop().create_server(
            # grpclib makes its TLS itself and offers no other way in; the protocol behind it is all that is wanted.
            lambda: self._remember(TlsProtocol(context, grpc._protocol_factory, self._connections.discard)),
            machine.address,
            self._port,
        )

    def _remember(self, connection: TlsProtocol) -> TlsProtocol:
        self._connections.add(connection)
        return connection

    def _signer(self) -> KeyPair:
        """The pair that signs this machine's certificate: its own, or for a worker that of a control plane of the same CA."""
        assert self._machine.config is not None  # asked for configured machines only
        own = self._machine.config.os_ca
        for other in (self._machine, *self._talos.machines.values()):
            if other.config is not None and other.config.os_ca.crt == own.crt and other.config.os_ca.key:
                return other.config.os_ca
        return own

    def _cut(self, peer: Any) -> None:
        for connection in list(self._connections):
            if connection.transport is not None and connection.transport.get_extra_info("peername") == peer:
                connection.abort()
