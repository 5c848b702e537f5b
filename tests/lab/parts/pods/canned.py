"""An API server that holds a few objects and answers what it is asked for, for pods that are started without a cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lab.parts.kube import Object, Resource
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA

Objects = Mapping[tuple[Resource, str, str], Object]
"""By resource, namespace and name."""


@contextmanager
def api(authority: LabCA, objects: Objects) -> Iterator[str]:
    """Its URL, for as long as the block lasts. A collection is served of what it holds of it; what it has not is 404."""
    pages = {resource.url(namespace, name): one for (resource, namespace, name), one in objects.items()}
    for resource, namespace, _ in objects:
        items = [one for (kind, space, _), one in objects.items() if (kind, space) == (resource, namespace)]
        pages[resource.url(namespace)] = pages[resource.url()] = {"metadata": {"resourceVersion": "1"}, "items": items}

    closing = threading.Event()

    def answer(asked: Request) -> Reply:
        found = pages.get(asked.target.partition("?")[0])
        headers = {"Content-Type": "application/json"}
        if "watch=" in asked.target:
            closing.wait()  # nothing changes
            return Reply(headers=headers)
        if found is None:
            return Reply(404, "Not Found", headers, b'{"kind": "Status", "reason": "NotFound"}')
        return Reply(headers=headers, body=json.dumps(found).encode())

    server = HttpsServer("127.0.0.1", 0, authority.server("api", "127.0.0.1").context(), answer).start()
    try:
        yield server.url
    finally:
        closing.set()
        server.close()
