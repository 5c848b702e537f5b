"""One etcd member per control-plane node, on the node's own loopback address; a cluster grows by add, start, promote.

Talks to members through etcd's own JSON gateway. Knows nothing of Kubernetes.
"""

from __future__ import annotations

import base64
import json
import secrets
import ssl
import subprocess
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from engine.text.jsontext import Malformed, an_object, read
from lab.parts.errors import PartFailed
from lab.parts.pages import KeptConnection, PageGone, page
from lab.parts.plane.pki import Pair, issue
from lab.parts.programs import find
from lab.parts.supervisor import Program, Rank, Supervisor


@dataclass(frozen=True)
class Member:
    """A member as etcd itself lists it. `name` is "" until it has started once."""

    id: int
    name: str
    peer: str
    learner: bool


class Etcd:
    """The member of one node. Its data lie in `folder`/data; a folder without data holds no member."""

    def __init__(self, supervisor: Supervisor, name: str, address: str, ca: Pair, folder: Path) -> None:
        self.node = name
        self.address = address
        self.program = f"etcd-{name}"
        self.data = folder / "data"
        self._supervisor = supervisor
        self._tls = folder / "tls"
        # Whatever address in 127/8 a connection goes to, it comes from 127.0.0.1, and etcd checks its peers' source address.
        sans = {"addresses": (address, "127.0.0.1"), "names": (name, "localhost")}
        issue(ca, name, **sans).write(self._tls, "server")
        issue(ca, name, **sans).write(self._tls, "peer")
        issue(ca, "lab").write(self._tls, "client")
        self.ca_file = self._tls / "ca.crt"
        self.ca_file.write_bytes(ca.certificate)
        self._gateway = KeptConnection(address, 2379, lambda: self._context)

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"https://{self.address}:2379"

    @property
    def peer_url(self) -> str:
        """Where the other members reach it."""
        return f"https://{self.address}:2380"

    @property
    def has_data(self) -> bool:
        """Whether this node was ever a member (a bootstrap is refused then)."""
        return (self.data / "member").exists()

    @property
    def running(self) -> bool:
        """Whether its process runs."""
        return self._supervisor.alive(self.program)

    def start_first(self) -> None:
        """Start as the first member of a new cluster."""
        self._start(f"{self.node}={self.peer_url}", "new")

    def start_from(self, content: bytes, *, skip_hash: bool) -> None:
        """Start as the first member of a new cluster that holds what a snapshot or a copy of a database holds.

        PartFailed in etcdutl's own words, when what it copied before it looked at the hash is left there, as it does.
        """
        snapshot = self._tls.parent / "uploaded"
        snapshot.write_bytes(content)
        argv = [
            str(find("etcdutl")), "snapshot", "restore", str(snapshot), f"--data-dir={self.data}", f"--name={self.node}",
            f"--initial-cluster={self.node}={self.peer_url}", f"--initial-advertise-peer-urls={self.peer_url}",
            f"--initial-cluster-token={secrets.token_hex(8)}",
        ]  # fmt: skip
        argv += ["--skip-hash-check"] if skip_hash else []
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=60.0, check=False)
        finally:
            snapshot.unlink()
        if done.returncode != 0:
            raise PartFailed(f"{self.program} is not restored", evidence=tuple(done.stderr.splitlines()[-3:]))
        self._start(f"{self.node}={self.peer_url}", "new")

    def start_again(self) -> None:
        """Start with the data that are there (membership is read from them)."""
        self._start(f"{self.node}={self.peer_url}", "existing", wait=False)

    def join(self, through: Etcd) -> None:
        """Become a member: added as a learner through a member that answers, started, promoted once it is in sync.

        A member of the same name that is left from before (its disk was lost) is removed first.
        """
        for old in through.members():
            if old.name == self.node or old.peer == self.peer_url:
                through.remove(old.id)
        added = through.call("cluster/member/add", {"peerURLs": [self.peer_url], "isLearner": True})
        others = [f"{m.name}={m.peer}" for m in through.members() if m.name and m.peer != self.peer_url]
        self._start(",".join([*others, f"{self.node}={self.peer_url}"]), "existing", wait=False)
        deadline = time.monotonic() + 60
        while True:
            try:
                through.call("cluster/member/promote", {"ID": added["member"]["ID"]})
                break
            except PartFailed as failed:  # "not in sync yet" for the first moments
                if time.monotonic() > deadline or not self.running:
                    raise PartFailed(f"{self.program} did not get in sync", evidence=failed.evidence) from failed
                time.sleep(0.05)
        self._supervisor.wait_ready(self.program, self.healthy, 30.0)

    def members(self) -> tuple[Member, ...]:
        """All members, as this one knows them."""
        listed = self.call("cluster/member/list", {"linearizable": True})
        return tuple(
            Member(int(m["ID"]), m.get("name", ""), (m.get("peerURLs") or [""])[0], bool(m.get("isLearner")))
            for m in listed.get("members") or []
        )

    def status(self) -> dict[str, Any]:
        """What it says of itself, as its JSON gateway words it. PartFailed when it does not answer."""
        return self.call("maintenance/status", {})

    def remove(self, member_id: int) -> None:
        """Take a member off the list, through this one."""
        self.call("cluster/member/remove", {"ID": str(member_id)})

    def snapshot(self) -> bytes:
        """All that it holds, with its hash behind it. PartFailed when it does not answer."""
        pieces: list[bytes] = []
        try:
            with httpx.stream(
                "POST", f"{self.url}/v3/maintenance/snapshot", json={}, verify=self._context, timeout=30.0, trust_env=False
            ) as answer:
                pieces += [read(line, _piece) for line in answer.iter_lines()]
        except (httpx.HTTPError, OSError, Malformed) as error:
            raise PartFailed(f"{self.program} gives no snapshot", evidence=(str(error),)) from error
        return b"".join(pieces)

    def database(self) -> bytes:
        """Its database as it lies on the disk."""
        return (self.data / "member" / "snap" / "db").read_bytes()

    def healthy(self) -> bool:
        """Whether the member serves: it runs, has a leader and no alarm."""
        try:
            return bool(read(page(f"http://{self.address}:2381/health").text)["health"] == "true")
        except (PageGone, Malformed, TypeError, KeyError):
            return False

    def call(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        """One call of the JSON gateway. PartFailed with etcd's own words when it refuses or does not answer."""
        try:
            answer = self._gateway.post(f"/v3/{method}", json.dumps(request))
        except PageGone as error:
            raise PartFailed(f"{self.program} does not answer", evidence=(str(error),)) from error
        if answer.status != 200:
            raise PartFailed(f"{self.program} refused {method}", evidence=(answer.text[:300],))
        try:
            return read(answer.text, an_object)
        except Malformed as error:
            raise PartFailed(f"{self.program} answers no JSON", evidence=(str(error),)) from error

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """What a client of this member knows. OSError when its files went with the machine's disk."""
        context = ssl.create_default_context(cafile=str(self.ca_file))
        context.load_cert_chain(self._tls / "client.crt", self._tls / "client.key")
        return context

    def client_files(self) -> tuple[Path, Path, Path]:
        """Authority, certificate and key of a client."""
        return self.ca_file, self._tls / "client.crt", self._tls / "client.key"

    def _start(self, cluster: str, state: str, *, wait: bool = True) -> None:
        tls = self._tls
        argv = (
            str(find("etcd")),
            f"--name={self.node}",
            f"--data-dir={self.data}",
            f"--listen-client-urls={self.url}",
            f"--advertise-client-urls={self.url}",
            f"--listen-peer-urls={self.peer_url}",
            f"--initial-advertise-peer-urls={self.peer_url}",
            f"--initial-cluster={cluster}",
            f"--initial-cluster-state={state}",
            f"--listen-metrics-urls=http://{self.address}:2381",
            "--client-cert-auth",
            "--peer-client-cert-auth",
            f"--trusted-ca-file={self.ca_file}",
            f"--cert-file={tls / 'server.crt'}",
            f"--key-file={tls / 'server.key'}",
            f"--peer-trusted-ca-file={self.ca_file}",
            f"--peer-cert-file={tls / 'peer.crt'}",
            f"--peer-key-file={tls / 'peer.key'}",
            # The check wants five quiet seconds between two joins; on one machine nothing is gained by waiting for them.
            "--strict-reconfig-check=false",
            "--unsafe-no-fsync",  # a power cut of the real machine is not what the lab is about
            "--log-level=warn",
        )
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._supervisor.start(Program(self.program, argv, Rank.STORE, ready=self.healthy if wait else None))

    def stop(self) -> None:
        """End it as a power cut does."""
        self._supervisor.stop(self.program, grace_s=0.0)
        self.close()

    def close(self) -> None:
        """Keep no connection to it; what it does is its own."""
        self._gateway.close()


def _piece(told: dict[str, Any]) -> bytes:
    return base64.b64decode(told["result"].get("blob", ""))
