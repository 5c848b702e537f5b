"""A client at the TrueNAS door, and the schemas that its answers are held against."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.contract.nas.truenas_bench import KEY, NasBench
from tools.places import CHECKOUT

FACTS = CHECKOUT.parent / "shared" / "truenas-api"
TRUST = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TRUST.check_hostname, TRUST.verify_mode = False, ssl.CERT_NONE
# The library's threaded client reads and writes one TLS session from two threads: with 1.3 its tickets may come meanwhile.
TRUST.maximum_version = ssl.TLSVersion.TLSv1_2
LOGIN = {"mechanism": "API_KEY_PLAIN", "username": "blackstart", "api_key": KEY}
RELEASES = {"25.04.2.6": "25.04", "25.10.6": "25.10", "26.0.0-BETA.3": "26.0"}


Ask = Callable[..., Any]


@contextmanager
def dialled(made: NasBench, path: str = "/api/current", *, login: bool = True) -> Iterator[tuple[ClientConnection, Ask]]:
    """A connection, and `ask(method, *params)` that answers the whole frame."""
    with connect(f"wss://127.0.0.1:{made.door.port}{path}", ssl=TRUST, proxy=None, max_size=None) as ws:

        def ask(method: str, *params: Any, number: Any = 1) -> Any:
            ws.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}))
            while "method" in (frame := json.loads(ws.recv(timeout=10))):
                pass
            return frame

        if login:
            assert ask("auth.login_ex", LOGIN)["result"]["response_type"] == "SUCCESS"
        yield ws, ask


def schemas(version: str) -> dict[str, Any]:
    """The methods of this version by their names, each with what it takes and answers."""
    file = FACTS / "schemas" / f"{RELEASES[version]}.json"
    if not file.is_file():
        pytest.skip("the schemas of the API are not here")
    methods: dict[str, Any] = json.loads(file.read_text())["methods"]
    return methods
