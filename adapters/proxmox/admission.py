"""One wrong token is one question: who learns that Proxmox does not take it tells all the others. Knows no connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from adapters.proxmox.errors import TokenRefused

# Proxmox takes 3 s over every wrong token; a refusal is believed for this long before it is asked for again.
_BELIEVED_S = 60.0


class Admission:
    """Stands before every request of all threads. The first alone goes ahead; once it has ended, however, nobody waits any more."""

    def __init__(self) -> None:
        self._first = threading.Lock()
        self._over = threading.Event()
        self._refused: TokenRefused | None = None
        self._refused_at = 0.0

    @contextmanager
    def request(self) -> Iterator[None]:
        """Round one request. Raises TokenRefused at once where one was refused a moment ago."""
        goes_first = self._wait()
        try:
            if self._refused is not None and time.monotonic() - self._refused_at < _BELIEVED_S:
                raise TokenRefused(self._refused.what, evidence=self._refused.evidence, hint=self._refused.hint)
            try:
                yield
            except TokenRefused as refused:
                self._refused, self._refused_at = refused, time.monotonic()
                raise
        finally:
            if goes_first:
                self._over.set()
                self._first.release()

    def _wait(self) -> bool:
        """Whether this request is the first; otherwise that one has ended."""
        if self._over.is_set():
            return False
        self._first.acquire()
        if self._over.is_set():
            self._first.release()
            return False
        return True
