"""The real custom resource definitions, out of the modules that the programs are built from, on a test's API servers."""

from __future__ import annotations

import time

from adapters.kubernetes.client import ApiClient
from adapters.kubernetes.kinds import CRD, Kind
from house.files.yamlfile import load
from tools import crds


def define(client: ApiClient, *names: str, kinds: tuple[Kind, ...]) -> None:
    """Apply the definitions that come with these programs, and wait until `kinds` are served (a fresh one answers 429 first)."""
    for name in names:
        for path in crds.files(name):
            for document in load(path):
                if document.value and document.value.get("kind") == CRD.name:
                    client.apply(CRD, dict(document.value), force=True)
    deadline = time.monotonic() + 90
    for kind in kinds:
        url = kind.path()
        while client.ask("GET", url, f"wait for {kind.name}", params={"limit": "1"}).code != 200:
            assert time.monotonic() < deadline, kind
            time.sleep(0.05)
