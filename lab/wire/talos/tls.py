"""TLS for a server on an asyncio transport, which tells a refused client why. Knows no gRPC and no Talos.

asyncio's own TLS drops the alert of a failed handshake, so that a client sees a reset connection instead of
"certificate required"; here the alert is sent, and the connection lingers long enough for it to be read.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

LINGER_S = 0.3
_PIECE = 1 << 16


class TlsProtocol(asyncio.Protocol):
    """Shakes hands, then hands decrypted bytes to the protocol that `factory` makes. `gone` is called at the end."""

    def __init__(
        self, context: ssl.SSLContext, factory: Callable[[], asyncio.Protocol], gone: Callable[[TlsProtocol], None]
    ) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._factory = factory
        self._gone = gone
        self._inner: asyncio.Protocol | None = None
        self._failed = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        assert isinstance(transport, asyncio.Transport)  # a stream server hands out nothing else
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Encrypted bytes came."""
        self._incoming.write(data)
        if self._failed or (self._inner is None and not self._shake()):
            return
        self._read()

    def eof_received(self) -> bool | None:
        """The client sends no more."""
        self._incoming.write_eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._gone(self)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._inner is not None:
            self._inner.resume_writing()

    def send(self, data: bytes) -> None:
        """Encrypt and send."""
        if self.transport is not None and not self.transport.is_closing():
            self.tls.write(data)
            self._flush()

    def abort(self) -> None:
        """Cut the connection, as a machine without power does."""
        if self.transport is not None:
            self.transport.abort()

    def _shake(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return False
        except ssl.SSLError:
            self._failed = True
            self._flush()
            asyncio.get_running_loop().call_later(LINGER_S, self.abort)
            return False
        self._flush()
        self._inner = self._factory()
        self._inner.connection_made(_InnerTransport(self))
        return True

    def _read(self) -> None:
        while self._inner is not None:
            try:
                data = self.tls.read(_PIECE)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLError:
                self.abort()
                return
            if not data:
                self._inner.eof_received()
                break
            self._inner.data_received(data)
        self._flush()

    def _flush(self) -> None:
        if self.transport is not None and self._outgoing.pending:
            self.transport.write(self._outgoing.read())


class _InnerTransport(asyncio.Transport):
    """What the protocol inside writes to."""

    def __init__(self, outer: TlsProtocol) -> None:
        super().__init__()
        self._outer = outer

    @property
    def _raw(self) -> asyncio.Transport:
        assert self._outer.transport is not None  # made only after connection_made
        return self._outer.transport

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._outer.tls if name == "ssl_object" else self._raw.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self._outer.send(bytes(data))

    def is_closing(self) -> bool:
        return self._raw.is_closing()

    def close(self) -> None:
        self._raw.close()

    def abort(self) -> None:
        self._raw.abort()

    def pause_reading(self) -> None:
        self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._raw.resume_reading()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)
