"""The cluster's virtual address: a TCP forwarder before the API servers, with fail-over, and the place to break the network.

Knows no HTTP: it moves bytes to the first API server that accepts the connection.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_CONNECT_S = 1.0


@dataclass
class ForwarderKnobs:
    """Fields are read at each new connection. `only`: the one server (host:port) to forward to, "" for any."""

    refuse: bool = False
    delay_s: float = 0.0
    only: str = ""


class Forwarder:
    """Listens on one address. `backends` (host, port) may be changed at any time; new connections go by what it holds then."""

    def __init__(self, address: str, port: int) -> None:
        self.address = address
        self.port = port
        self.knobs = ForwarderKnobs()
        self.backends: tuple[tuple[str, int], ...] = ()
        self._last: tuple[str, int] | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"forwarder-{address}", daemon=True)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Listen. OSError when the address is taken."""
        self._thread.start()
        self._run(self._listen())

    def stop(self) -> None:
        """Close the door and all connections."""
        if self._thread.ident is None:
            self._loop.close()
            return
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()

    def cut(self) -> None:
        """Break every connection that is open now."""
        self._run(self._cut())

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10.0)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.address, self.port)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        except asyncio.CancelledError:
            return
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        knobs = self.knobs
        if knobs.refuse:
            return
        if knobs.delay_s:
            await asyncio.sleep(knobs.delay_s)
        found = await self._connect()
        if found is None:
            return
        there, back = found
        self._open |= {writer, back}
        try:
            done, left = await asyncio.wait(
                {asyncio.ensure_future(_pump(reader, back)), asyncio.ensure_future(_pump(there, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in left:
                task.cancel()
            await asyncio.gather(*done, *left, return_exceptions=True)
        finally:
            self._open -= {writer, back}
            back.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        backends = [b for b in self.backends if self.knobs.only in ("", f"{b[0]}:{b[1]}")]
        backends.sort(key=lambda b: b != self._last)  # a virtual address stays where it is while that server lives
        for host, port in backends:
            with suppress(OSError, TimeoutError):
                found = await asyncio.wait_for(asyncio.open_connection(host, port), _CONNECT_S)
                self._last = (host, port)
                return found
        return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
