"""A real etcd and real kube-apiservers on loopback addresses, for tests that need no controller. Knows no lab and no house."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lab.parts.plane.pki import ClusterKeys, Pair, issue
from tests.contract.rewinding import Etcd, Rewinder
from tests.lab.parts.bench import free_block

PORT = 6443
_BIN = Path(__file__).resolve().parents[2] / ".tools" / "bin"
_READY_S = 60.0

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: test
contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]
clusters: [{{name: test, cluster: {{server: "https://{server}:{port}", certificate-authority: "{ca}"}}}}]
users: [{{name: admin, user: {{client-certificate: "{cert}", client-key: "{key}"}}}}]
"""


@dataclass(frozen=True)
class ApiServers:
    """Where the API servers answer, and the admin's kubeconfig (of the first)."""

    addresses: tuple[str, ...]
    kubeconfig: Path
    ca: Pair
    rewind: Callable[[], None] = lambda: None
    """Makes them as they were when they were started, for the next tests."""


def program(name: str) -> str | None:
    """The program's path, out of the project's own folder or PATH."""
    own = _BIN / name
    return str(own) if own.is_file() else shutil.which(name)


def needed(*names: str) -> None:
    """Skip the test when one of these programs is not there and cannot be built (no Go); fail when it could be built."""
    missing = [name for name in names if program(name) is None]
    if not missing:
        return
    if shutil.which("go"):
        pytest.fail(f"not built: {', '.join(missing)} (invoke tools.build)")
    pytest.skip(f"no Go here, and not found: {', '.join(missing)}")


@contextlib.contextmanager
def api_servers(folder: Path, count: int = 2) -> Iterator[ApiServers]:
    """Start one etcd and `count` API servers on it; all are ended, by process id, when the block is left."""
    needed("etcd", "kube-apiserver")
    with free_block() as block:
        yield from _running(folder, block, count)


def _running(folder: Path, block: str, count: int) -> Iterator[ApiServers]:
    addresses = tuple(f"{block}.{11 + n}" for n in range(count))
    keys = ClusterKeys.make()
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_etcd(folder, f"http://{block}.11:2379", f"http://{block}.11:2380"))
        files = _files(folder, keys, addresses)
        started += [_apiserver(folder, files, block, address) for address in addresses]
        context = ssl.create_default_context(cafile=str(files["ca"]))
        context.load_cert_chain(files["admin.crt"], files["admin.key"])
        deadline = time.monotonic() + _READY_S
        for address, process in zip(addresses, started[1:], strict=True):
            _wait_ready(address, process, context, deadline, folder)
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            KUBECONFIG.format(
                server=addresses[0], port=PORT, ca=files["ca"], cert=files["admin.crt"], key=files["admin.key"]
            )
        )
        rewinder = Rewinder(Etcd(f"http://{block}.11:2379"), partial(_ask, addresses, context))
        yield ApiServers(addresses, kubeconfig, keys.kubernetes, rewinder.rewind)
    finally:
        ended = [process for process in started if process.poll() is not None]
        # The data are thrown away, so nobody needs a graceful end: SIGTERM would drain watches for ten seconds.
        for process in reversed(started):
            process.send_signal(signal.SIGKILL)
            process.wait()
        if ended:  # whoever was refused a connection has not been told why
            logs = (f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in sorted(folder.glob("*.log")))
            raise RuntimeError(f"ended by itself, with {[one.returncode for one in ended]}:\n" + "\n".join(logs))


def _files(folder: Path, keys: ClusterKeys, addresses: tuple[str, ...]) -> dict[str, Path]:
    files = {}
    ca = folder / "ca.crt"
    ca.write_bytes(keys.kubernetes.certificate)
    files["ca"] = ca
    files["admin.crt"], files["admin.key"] = issue(keys.kubernetes, "admin", organisations=["system:masters"]).write(
        folder, "admin"
    )
    serving = issue(keys.kubernetes, "kube-apiserver", addresses=[*addresses, "10.96.0.1"], names=["localhost"])
    files["server.crt"], files["server.key"] = serving.write(folder, "server")
    files["sa.key"] = folder / "sa.key"
    files["sa.key"].write_bytes(keys.service_account)
    return files


def _ask(addresses: tuple[str, ...], context: ssl.SSLContext, path: str, body: dict[str, Any] | None) -> list[tuple[int, Any]]:
    """What each server answers the administrator: the code, and its JSON."""
    found: list[tuple[int, Any]] = []
    for address in addresses:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://{address}:{PORT}{path}", data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as answer:
                found.append((answer.status, json.load(answer)))
        except urllib.error.HTTPError as error:
            with error:
                found.append((error.code, json.load(error)))
    return found


def _etcd(folder: Path, client: str, peer: str) -> subprocess.Popen[bytes]:
    return _spawn(
        folder,
        "etcd",
        [
            f"--data-dir={folder / 'etcd'}",
            "--name=a",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=a={peer}",
            "--unsafe-no-fsync",
            "--log-level=warn",
        ],
    )


def _apiserver(folder: Path, files: dict[str, Path], block: str, address: str) -> subprocess.Popen[bytes]:
    return _spawn(
        folder,
        "kube-apiserver",
        [
            f"--etcd-servers=http://{block}.11:2379",
            f"--bind-address={address}",
            f"--secure-port={PORT}",
            "--advertise-address=10.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={files['server.crt']}",
            f"--tls-private-key-file={files['server.key']}",
            f"--client-ca-file={files['ca']}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={files['sa.key']}",
            f"--service-account-signing-key-file={files['sa.key']}",
            "--service-cluster-ip-range=10.96.0.0/16",
            # The controller that makes each namespace's default account is not running.
            "--disable-admission-plugins=ServiceAccount",
            "--enable-priority-and-fairness=false",
            "--profiling=false",
        ],
        log=f"kube-apiserver-{address}",
    )


def _spawn(folder: Path, name: str, flags: list[str], *, log: str = "") -> subprocess.Popen[bytes]:
    path = program(name)
    assert path is not None
    # Whatever ends the tests ends these too: nothing may be left behind when pytest itself is killed.
    tied = [setpriv, "--pdeathsig", "KILL"] if (setpriv := shutil.which("setpriv")) else []
    with (folder / f"{log or name}.log").open("wb") as out:
        return subprocess.Popen(
            [*tied, path, *flags],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            # Much of what a young API server computes is its collector's: below this limit it may have the room instead.
            env={"HOME": str(folder), "PATH": os.environ["PATH"], "GOGC": "off", "GOMEMLIMIT": "400MiB"},
            start_new_session=True,
        )


def _wait_ready(
    address: str, process: subprocess.Popen[bytes], context: ssl.SSLContext, deadline: float, folder: Path
) -> None:
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        url = f"https://{address}:{PORT}/readyz"
        with (
            contextlib.suppress(urllib.error.URLError, OSError),
            urllib.request.urlopen(url, context=context, timeout=2) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    tail = (folder / f"kube-apiserver-{address}.log").read_text()[-2000:]
    raise RuntimeError(f"the API server at {address} did not become ready:\n{tail}")
