"""A real etcd of one member for the length of a test, written to as Kubernetes writes: what it gives is a genuine database."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.contract.apiserver import needed, program

AUTHORITY = "-----BEGIN CERTIFICATE-----\nb3Vycw==\n-----END CERTIFICATE-----"
RENEWED = 1_790_000_000


def field(number: int, value: int | bytes) -> bytes:
    """One protobuf field: a varint, or bytes with their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def lease(seconds: int) -> bytes:
    """A node's Lease as Kubernetes stores it, renewed then."""
    spec = field(1, b"cp-1") + field(4, field(1, seconds) + field(2, 500_000_000))
    return b"k8s\x00" + field(1, b"\x0a\x05Lease") + field(2, field(1, b"metadata") + field(2, spec))


class RealEtcd:
    """Its client; keys and values as bytes."""

    def __init__(self, url: str, data: Path) -> None:
        self._http = httpx.Client(base_url=url, timeout=20.0, trust_env=False)
        self.database = data / "member" / "snap" / "db"

    def put(self, key: str, value: bytes) -> None:
        self._call("kv/put", key=_text(key.encode()), value=_text(value))

    def delete(self, begin: str, end: str) -> None:
        self._call("kv/deleterange", key=_text(begin.encode()), range_end=_text(end.encode()))

    def count(self) -> tuple[int, int]:
        """Its last revision, and how many keys are alive, by its own word."""
        told = self._call("kv/range", key=_text(b"\x00"), range_end=_text(b"\x00"), count_only=True)
        return int(told["header"]["revision"]), int(told["count"])

    def snapshot(self, into: Path) -> None:
        with self._http.stream("POST", "/v3/maintenance/snapshot", json={}) as answer, into.open("wb") as file:
            for line in answer.iter_lines():
                file.write(base64.b64decode(json.loads(line)["result"].get("blob", "")))

    def close(self) -> None:
        self._http.close()

    def healthy(self) -> bool:
        try:
            return bool(self._http.get("/health").json()["health"] == "true")
        except (httpx.HTTPError, ValueError):
            return False

    def _call(self, method: str, **request: object) -> dict[str, dict[str, str]]:
        answer = self._http.post(f"/v3/{method}", json=request).raise_for_status()
        found: dict[str, dict[str, str]] = answer.json()
        return found


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


@contextmanager
def real_etcd(folder: Path, address: str = "127.101.9.11") -> Iterator[RealEtcd]:
    """One that holds a cluster's CA, a Lease and some pods, of which a part was deleted and one is large."""
    needed("etcd")
    client, peer = f"http://{address}:2379", f"http://{address}:2380"
    made = RealEtcd(client, folder / "data")
    running = subprocess.Popen(
        [
            str(program("etcd")), "--name=cp-1", f"--data-dir={folder / 'data'}", f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=cp-1={peer}", "--unsafe-no-fsync", "--log-level=fatal",
        ],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 90
        while not made.healthy():
            assert time.monotonic() < deadline, "etcd did not come up"
            time.sleep(0.05)
        made.put("/registry/configmaps/kube-system/kube-root-ca.crt", b"k8s\x00...\n" + AUTHORITY.encode() + b"\n")
        made.put("/registry/leases/kube-node-lease/cp-1", lease(RENEWED))
        for number in range(600):
            made.put(f"/registry/pods/apps/{number:04}", b"v" * (number % 300))
        made.delete("/registry/pods/apps/0000", "/registry/pods/apps/0100")
        made.put("/registry/configmaps/apps/large", b"L" * 700_000)
        yield made
    finally:
        made.close()
        running.kill()
        running.wait()
