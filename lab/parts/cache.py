"""What the simulators see of the API: one watch per resource, shared by all of them. Knows no kind in particular."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable

import httpx

from lab.parts.kube import ApiRefused, Kube, Object, Resource

log = logging.getLogger(__name__)
_RETRY_S = 0.2
_WATCH_S = 240


class Cache:
    """All objects of one resource, kept up to date by a watch in a thread of its own. Listeners are called after each change.

    A collection that is not served yet (its CRD comes later, or is just being established) is empty until it is: the API server
    answers 404 or 429 then, and the watch tries again.
    """

    def __init__(self, kube: Kube, resource: Resource) -> None:
        self._kube = kube
        self._resource = resource
        self._listeners: list[Callable[[], None]] = []
        self._items: dict[tuple[str, str], Object] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.synced = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch-{resource.plural}", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Tell the watch to end: it does so at its next event, or when its connection ends (the API server stops)."""
        self._stop.set()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end."""
        self._thread.join(seconds)

    def listen(self, listener: Callable[[], None]) -> None:
        """Let `listener` be called after each change, from the watch's thread: it must only wake somebody."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call `listener` no more."""
        self._listeners.remove(listener)

    def all(self) -> list[Object]:
        """Every object, as last seen."""
        with self._lock:
            return list(self._items.values())

    def get(self, name: str, namespace: str = "") -> Object | None:
        """One object as last seen, or None."""
        with self._lock:
            return self._items.get((namespace, name))

    def put(self, item: Object) -> None:
        """Take over an answer to a write of our own, so that the next look does not see the world before it."""
        with self._lock:
            if _key(item) in self._items:
                self._items[_key(item)] = item

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (ApiRefused, httpx.HTTPError, OSError, json.JSONDecodeError) as error:
                log.debug("watch of %s: %s", self._resource.plural, error)
                self._stop.wait(_RETRY_S)

    def _changed(self) -> None:
        for listener in tuple(self._listeners):
            listener()

    def _follow(self) -> None:
        listed = self._kube.raw_list(self._resource)
        with self._lock:
            self._items = {_key(item): item for item in listed.get("items") or []}
        self.synced.set()
        self._changed()
        version = listed["metadata"]["resourceVersion"]
        for event in self._kube.watch(self._resource, version, _WATCH_S):
            kind, item = event.get("type"), event.get("object")
            if kind in (None, "ERROR") or item is None or self._stop.is_set():
                return  # too old, or not an event at all (a Status while the storage starts): list again
            if kind == "BOOKMARK":
                continue
            with self._lock:
                if kind == "DELETED":
                    self._items.pop(_key(item), None)
                else:
                    self._items[_key(item)] = item
            self._changed()


def _key(item: Object) -> tuple[str, str]:
    meta = item["metadata"]
    return meta.get("namespace", ""), meta["name"]


class Caches:
    """The caches of one API, made when first asked for."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._caches: dict[Resource, Cache] = {}
        self._lock = threading.Lock()

    def of(self, resource: Resource) -> Cache:
        """The cache of this resource; its watch begins now if it was not asked for before."""
        with self._lock:
            if resource not in self._caches:
                self._caches[resource] = Cache(self._kube, resource)
                self._caches[resource].start()
            return self._caches[resource]

    def stop(self) -> None:
        """Tell all watches to end."""
        with self._lock:
            for cache in self._caches.values():
                cache.stop()

    def join(self, seconds: float) -> None:
        """Wait for the watches' threads; to be called when the API server's connections are gone."""
        with self._lock:
            for cache in self._caches.values():
                cache.join(seconds)
