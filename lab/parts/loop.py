"""A level-triggered controller: it is kicked by changes, and does again whatever the world still lacks. Knows no kind."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import httpx

from lab.parts.cache import Cache, Caches
from lab.parts.kube import ApiRefused, Kube, Resource

log = logging.getLogger(__name__)
_RESYNC_S = 2.0


class Loop(ABC):
    """One thread that calls `step` after every change of its caches, and when a delay it asked for has passed.

    Errors of the API end one round, never the loop: an API server that is down is a scenario.
    """

    def __init__(self, name: str, kube: Kube, caches: Caches) -> None:
        self.name = name
        self.kube = kube
        self._shared = caches
        self._caches: list[Cache] = []
        self._kicked = threading.Event()
        self._stop = threading.Event()
        self._next = 0.0
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def cache(self, resource: Resource) -> Cache:
        """A cache whose changes kick this loop."""
        cache = self._shared.of(resource)
        cache.listen(self.kick)
        self._caches.append(cache)
        return cache

    def kick(self) -> None:
        """Let the next round begin at once."""
        self._kicked.set()

    def again_in(self, seconds: float) -> None:
        """Let the next round begin in `seconds` at the latest. To be called from `step`."""
        self._next = min(self._next, time.monotonic() + max(seconds, 0.005))

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End the loop; returns when the round that runs is over."""
        self._stop.set()
        for cache in self._caches:
            cache.forget(self.kick)
        self._caches.clear()
        self.kick()
        if self._thread.ident is not None:
            self._thread.join(20.0)

    @property
    def stopping(self) -> bool:
        """Whether the loop was told to end."""
        return self._stop.is_set()

    @abstractmethod
    def step(self) -> None:
        """One round: look at the caches, write what is missing."""

    def tried(self, what: str, act: Callable[[], object]) -> bool:
        """Do one write; a refusal (a conflict, an object just gone) is left to the next round. Whether it was done."""
        try:
            act()
        except ApiRefused as refused:
            log.debug("%s: %s: %s", self.name, what, refused)
            self.again_in(0.2)
            return False
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            self._kicked.clear()
            self._next = time.monotonic() + _RESYNC_S
            try:
                if all(cache.synced.is_set() for cache in self._caches):
                    self.step()
            except (ApiRefused, httpx.HTTPError, OSError) as error:
                log.debug("%s: %s", self.name, error)
                self.again_in(0.3)
            self._kicked.wait(max(self._next - time.monotonic(), 0.0))
