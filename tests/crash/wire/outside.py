"""What is true of a house after its runs, seen from outside: by the lab, by etcd, by kubectl, by /proc, by the files left."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from adapters.process.groups import group_alive
from adapters.proxmox.owner import token_in
from tests.crash.wire.bench import Bench
from tools.locate import need

_GROUP = re.compile(r'\[(\d+), \\*"([0-9a-f-]+:\d+)\\*", ')
_RUN_SECRETS = "app.kubernetes.io/managed-by=blackstart,app.kubernetes.io/component=run"
_PENDING = "owner=helm,status in (pending-install,pending-upgrade,pending-rollback,uninstalling)"


def wrongs(bench: Bench) -> list[str]:
    """Everything that is not as it must be after a bootstrap that was killed, and converged in the end; empty is good."""
    return [*house(bench), *etcd(bench), *cluster(bench), *programs(bench), *leftovers(bench), *noop(bench)]


def house(bench: Bench) -> Iterator[str]:
    """Proxmox shows exactly the house's VMs, ours and running; none was made twice; nobody has the hosts reserved any more; the lab
    met no call it does not know."""
    expected = [(node.vm_id, node.name, node.host, "running", True) for node in bench.shape.nodes]
    vms = proxmox_vms(bench)
    if vms != expected:
        yield f"VMs (id, name, host, status, ours): {vms}, expected {expected}"
    with proxmox(bench) as get:
        yield from (f"left reserved: {pool}" for pool in get("/pools"))
    seen = bench.ask("status")
    made = Counter(what for what in bench.happened() if " created on " in what)
    if not made:
        yield "the World remembers no VM that was created"
    yield from (f"{what}: {count} times" for what, count in made.items() if count > 1)
    yield from (f"the lab: {error}" for error in seen["errors"])
    yield from (f"unknown call: {call}" for call in seen["unknown_calls"])


def proxmox_vms(bench: Bench) -> list[tuple[int, str, str, str, bool]]:
    """Every VM that Proxmox tells of: id, name, host, status, and whether its description bears our mark."""
    found = vm_configs(bench)
    return sorted(
        (vm_id, vm["name"], vm["node"], vm["status"], token_in(vm.get("description", "")) != "") for vm_id, vm in found.items()
    )


def vm_configs(bench: Bench) -> dict[int, dict[str, Any]]:
    """Id → what Proxmox tells of each VM, its configuration included."""
    with proxmox(bench) as get:
        vms = get("/cluster/resources?type=vm")
        return {vm["vmid"]: get(f"/nodes/{vm['node']}/qemu/{vm['vmid']}/config") | vm for vm in vms}


@contextmanager
def proxmox(bench: Bench) -> Iterator[Callable[[str], Any]]:
    """Path → what the house's Proxmox answers its token."""
    told = json.loads(bench.folder.endpoints.read_text())
    token = Path(told["proxmox"]["token_secret_file"]).read_text().strip()
    headers = {"Authorization": f"PVEAPIToken={told['proxmox']['token_id']}={token}"}
    context = ssl.create_default_context(cafile=told["ca_file"])
    base = next(iter(told["proxmox"]["hosts"].values())) + "/api2/json"
    with httpx.Client(verify=context, headers=headers, timeout=30.0, trust_env=False) as client:

        def get(path: str) -> Any:
            answer = client.get(base + path)
            answer.raise_for_status()
            return answer.json()["data"]

        yield get


def etcd(bench: Bench) -> Iterator[str]:
    """Every control plane's own etcd lists exactly the control planes, and all name one cluster."""
    expected = sorted(node.name for node in bench.shape.nodes if node.control_plane)
    clusters = set()
    for name in expected:
        try:
            listed = _member_list(bench, name)
        except (httpx.HTTPError, OSError, KeyError) as error:
            yield f"etcd of {name} could not be asked: {error}"
            continue
        members = sorted(member["name"] for member in listed["members"])
        clusters.add(listed["header"]["cluster_id"])
        if members != expected:
            yield f"etcd of {name} lists {members}, expected {expected}"
    if len(clusters) != 1:
        yield f"{len(clusters)} etcd clusters: {clusters}"


def _member_list(bench: Bench, name: str) -> dict[str, Any]:
    tls = bench.folder.parts / "machines" / name / "etcd" / "tls"
    context = ssl.create_default_context(cafile=str(tls / "ca.crt"))
    context.load_cert_chain(tls / "client.crt", tls / "client.key")
    endpoint = json.loads(bench.folder.endpoints.read_text())["talos"][name]
    url = f"https://{endpoint.rpartition(':')[0]}:2379/v3/cluster/member/list"
    answer = httpx.post(url, json={"linearizable": True}, verify=context, timeout=30.0, trust_env=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def cluster(bench: Bench) -> Iterator[str]:
    """No release is pending, and no token of a dead run is good for anything any more."""
    for what, arguments in {
        "a release is left pending": ("get", "secret", "-A", "-l", _PENDING, "-o", "name"),
        "a run's Secret is left": ("get", "secret", "-n", "blackstart", "-l", _RUN_SECRETS, "-o", "name"),
    }.items():
        yield from (f"{what}: {line}" for line in kubectl(bench, *arguments).split())


def kubectl(bench: Bench, *arguments: str) -> str:
    """kubectl with the kubeconfig that the bootstrap fetched."""
    argv = [str(need("kubectl")), f"--kubeconfig={bench.state / 'kubeconfig'}", *arguments]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stdout


def programs(bench: Bench) -> Iterator[str]:
    """No process of any run is alive: none that was begun, none that a journal names, none that lives in the state folder,

    and none, whatever became of its group and its words, that sees the shims which were laid over the programs for runs alone.
    """
    for leader, started in journalled(bench):
        if group_alive(leader, started):
            yield f"a journalled program is alive: group {leader}"
    # The root of a bind mount is told from its file system's own root on, so its beginning may be missing. What another pytest
    # of this machine begins is not ours: its folder has another number.
    mark, shims = f"{bench.state}/".encode(), f"/{'/'.join(bench.shims.parts[-5:])} ".encode()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or (bench.copied is not None and int(entry.name) == bench.copied.pid):
            continue  # no process, or the one that runs are copied from
        try:
            seen = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            in_run = shims in (entry / "mountinfo").read_bytes()
            state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # gone, or not ours
        if state in "ZX":
            continue
        if in_run or mark in seen or int(group) in bench.groups:
            shown = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            yield f"process {entry.name} of a run is alive: {shown}"


def journalled(bench: Bench) -> set[tuple[int, str]]:
    """Process groups that the journal has ever named, with their start times."""
    text = (bench.state / "journal").read_text(errors="replace")
    return {(int(group), started) for group, started in _GROUP.findall(text)}


def leftovers(bench: Bench) -> Iterator[str]:
    """No private folder or file of a run is left in the state folder, and nothing at all in its TMPDIR."""
    left = [
        *(bench.state / "programs").iterdir(), *(bench.state / "helm").iterdir(), *bench.temporary.iterdir(),
        *bench.state.glob("**/*.new"), *bench.state.glob("**/*.tmp"), *bench.state.glob("**/tmp*"),
    ]  # fmt: skip
    yield from (f"left over: {path}" for path in left)


def noop(bench: Bench) -> Iterator[str]:
    """A plan finds nothing to do."""
    before = bench.ask("faults")["reached"]
    plan = bench.run("cluster.plan")
    if plan.code != 0:
        lines = [line for line in plan.result.get("lines", []) if line["verdict"] not in ("noop", "warning")]
        yield f"plan ends with {plan.code}: {lines or plan.result}"
    if bench.ask("faults")["reached"] != before:
        yield "the plan changed something"
