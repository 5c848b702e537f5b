"""The Proxmox API over HTTPS: one endpoint per host, requests checked in PVE's order, faults played on the wire.

The order (pve-http-server): credentials, path, the call's own privileges, the host in the path, parameters, the call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from house.model import ProxmoxEndpoint
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA
from lab.wire.proxmox.auth import Tickets
from lab.wire.proxmox.changing import Changing, port_method
from lab.wire.proxmox.reading import Args, Handler, Reading
from lab.wire.proxmox.schema import Schema
from lab.wire.proxmox.tasks import TaskCalls
from lab.world.faults import Fault
from lab.world.proxmox import LabProxmox
from lab.world.pve_access import NotModelled, Refusal, parameter_refusal

SLOW_S = 20.0
# PVE makes whoever failed to log in wait this long.
LOGIN_DELAY_S = 3.0
_PREFIX = "/api2/json"
_OPEN = ("POST /access/ticket",)
_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Server": "pve-api-daemon/3.0",
    "Cache-Control": "max-age=0",
    "Pragma": "no-cache",
}

# What pve-manager's own table of permissions asks before it looks at a parameter. Other calls check inside.
_PRIVILEGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "GET /cluster/status": ("/", ("Sys.Audit",)),
    "GET /cluster/ceph/metadata": ("/", ("Sys.Audit", "Datastore.Audit")),
    "GET /nodes/{node}/ceph/status": ("/", ("Sys.Audit", "Datastore.Audit")),
    "GET /nodes/{node}/ceph/pool": ("/", ("Sys.Audit", "Datastore.Audit")),
    "GET /nodes/{node}/status": ("/nodes/{node}", ("Sys.Audit",)),
    "GET /nodes/{node}/time": ("/nodes/{node}", ("Sys.Audit",)),
    "GET /nodes/{node}/storage/{storage}/status": (
        "/storage/{storage}",
        ("Datastore.Audit", "Datastore.AllocateSpace"),
    ),
    "GET /nodes/{node}/storage/{storage}/content": (
        "/storage/{storage}",
        ("Datastore.Audit", "Datastore.AllocateSpace"),
    ),
    "POST /nodes/{node}/storage/{storage}/download-url": ("/storage/{storage}", ("Datastore.AllocateTemplate",)),
    "GET /nodes/{node}/query-url-metadata": ("/nodes/{node}", ("Sys.AccessNetwork",)),
    "GET /nodes/{node}/qemu/{vmid}/config": ("/vms/{vmid}", ("VM.Audit",)),
    "GET /nodes/{node}/qemu/{vmid}/status/current": ("/vms/{vmid}", ("VM.Audit",)),
    "GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces": (
        "/vms/{vmid}",
        ("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted"),
    ),
    "POST /nodes/{node}/qemu/{vmid}/agent/ping": ("/vms/{vmid}", ("VM.GuestAgent.Audit", "VM.GuestAgent.Unrestricted")),
    "POST /nodes/{node}/qemu/{vmid}/status/start": ("/vms/{vmid}", ("VM.PowerMgmt",)),
    "POST /nodes/{node}/qemu/{vmid}/status/stop": ("/vms/{vmid}", ("VM.PowerMgmt",)),
    "POST /nodes/{node}/qemu/{vmid}/status/shutdown": ("/vms/{vmid}", ("VM.PowerMgmt",)),
    "PUT /nodes/{node}/qemu/{vmid}/resize": ("/vms/{vmid}", ("VM.Config.Disk",)),
    "DELETE /nodes/{node}/qemu/{vmid}": ("/vms/{vmid}", ("VM.Allocate",)),
}

# Kind of the task that a lie names.
_TASK_KINDS = {
    "download_image": "download",
    "delete_image": "imgdel",
    "create_vm": "qmcreate",
    "destroy_vm": "qmdestroy",
    "grow_disk": "resize",
    "start_vm": "qmstart",
    "stop_vm": "qmstop",
    "shutdown_vm": "qmshutdown",
}


class ProxmoxDoor:
    """All endpoints of the simulated cluster, between `start` and `close`.

    `unknown` holds every request that the lab does not know or does not model: a test that finds one there has found a gap,
    not a bug of the client.
    """

    def __init__(self, pve: LabProxmox, ca: LabCA, addresses: Mapping[str, tuple[str, int]]) -> None:
        """`addresses`: (loopback address, port) per host, port 0 for any free one. Listens at once."""
        self.unknown: list[str] = []
        self._pve, self._world, self._ca = pve, pve.world, ca
        self._tickets = Tickets(pve.access, pve.world.clock)
        self._schema = Schema()
        reading = Reading(pve)
        self._handlers: dict[str, Handler] = {
            **reading.handlers,
            **TaskCalls(pve).handlers,
            **Changing(pve, self._schema, reading).handlers,
            "POST /access/ticket": self._log_in,
        }
        self._servers: dict[str, HttpsServer] = {}
        self._fingerprints: dict[str, str] = {}
        for name, (address, port) in addresses.items():
            keys = ca.server(f"pve-{name}", address, name)
            self._fingerprints[name] = keys.fingerprint
            alive = partial(getattr, pve.hosts[name], "online")
            self._servers[name] = HttpsServer(address, port, keys.context("http/1.1"), self.answer, alive)

    def start(self) -> ProxmoxDoor:
        """Begin to answer."""
        for server in self._servers.values():
            server.start()
        return self

    def close(self) -> None:
        """End, with all connections."""
        for server in self._servers.values():
            server.close()

    def endpoints(self, *, pinned: bool = True) -> tuple[ProxmoxEndpoint, ...]:
        """As the settings name them: with the certificate's fingerprint, or else with the lab's CA file."""
        return tuple(
            ProxmoxEndpoint(
                server.url, self._fingerprints[name] if pinned else "", "" if pinned else str(self._ca.ca_file)
            )
            for name, server in self._servers.items()
        )

    def answer(self, request: Request) -> Reply:
        """One request, from its credentials to its envelope."""
        try:
            data = self._answer(request)
        except Refusal as no:
            if isinstance(no, NotModelled):
                self._note(f"{request.method} {request.target.partition('?')[0]}: {no.text}")
            if no.status == 401:
                self._world.clock.sleep(LOGIN_DELAY_S)
                if no.text != "authentication failure":
                    return Reply(401, no.text, {"Server": _HEADERS["Server"]}, close=True)
            if no.status >= 595:
                return Reply(no.status, no.text, {"Server": _HEADERS["Server"]}, close=True)
            body: dict[str, Any] = {"data": None, "message": no.text + "\n"}
            if no.errors:
                body["errors"] = no.errors
            return Reply(no.status, no.text.split("\n", 1)[0], _HEADERS, json.dumps(body).encode(), close=True)
        return data if isinstance(data, Reply) else Reply(200, "OK", _HEADERS, json.dumps({"data": data}).encode())

    def _answer(self, request: Request) -> Any:
        path, _, query = request.target.partition("?")
        below = path[len(_PREFIX) :] if path.startswith(_PREFIX + "/") else ""
        found = self._schema.find(request.method, below) if below else None
        with self._world.looking():
            actor = "" if found and found[0] in _OPEN else self._tickets.actor(request.method, request.headers)
            if found is None:
                self._note(f"{request.method} {path}")
                raise Refusal(501, f"Method '{request.method} {below or path}' not implemented")
            call, in_path = found
            if call in _PRIVILEGES:
                at, privileges = _PRIVILEGES[call]
                self._pve.access.require(actor, at.format(**in_path), *privileges)
            if "node" in in_path:
                self._pve.reach(in_path["node"])
            args = self._schema.check(call, _parameters(request, query, in_path))
        return self._perform(call, actor, args)

    def _note(self, what: str) -> None:
        self.unknown.append(what)
        self._world.happened("proxmox", f"not known to the lab: {what}")

    def _perform(self, call: str, actor: str, args: Args) -> Any:
        named = port_method(call, args)
        fault = self._world.faults.strike("proxmox", *named) if named else None
        name = f"proxmox.{named[0]}/{named[1]}" if named else ""
        if fault is Fault.DIE_BEFORE:
            return self._death(name)
        if fault is Fault.ERROR_TWICE:
            raise Refusal(596, "Connection timed out")
        with self._world.looking():
            if fault is Fault.LIE_ONCE and named and named[0] in _TASK_KINDS:
                target = str(args.get("vmid", args.get("filename", "")))
                data: Any = self._pve.tasks.pretend(str(args["node"]), _TASK_KINDS[named[0]], target, actor).upid
            else:
                data = None if fault is Fault.LIE_ONCE else self._handlers[call](actor, args)
        if fault in (Fault.DIE_AFTER, Fault.DIE_DURING):
            return self._death(name)
        if fault is Fault.LOSE_REPLY:
            return Reply(drop=True)
        if fault is Fault.SLOW:
            self._world.clock.sleep(SLOW_S)
        return data

    def _death(self, name: str) -> Reply:
        if self._world.on_death is not None:
            self._world.on_death(name)
        return Reply(drop=True)

    def _log_in(self, actor: str, args: Args) -> dict[str, object]:
        name = str(args["username"])
        return self._tickets.log_in(
            name if "@" in name else f"{name}@{args.get('realm', 'pam')}", str(args["password"])
        )


def _parameters(request: Request, query: str, in_path: Mapping[str, str]) -> dict[str, str | list[str]]:
    """Parameters of query, body and path together; a key that is given twice is a list. Path values may be repeated."""
    kind = request.headers.get("content-type", "application/x-www-form-urlencoded").partition(";")[0].strip()
    if request.body and request.method in ("GET", "DELETE"):
        raise Refusal(501, f"Unexpected content for method '{request.method}'")
    pairs = parse_qsl(query, keep_blank_values=True)
    if request.body and kind == "application/x-www-form-urlencoded":
        pairs += parse_qsl(request.body.decode(), keep_blank_values=True)
    elif request.body:
        raise Refusal(506, f"upload 'Content-Type '{kind}' not implemented")
    given: dict[str, str | list[str]] = {}
    for key, value in pairs:
        before = given.get(key)
        given[key] = value if before is None else [*before, value] if isinstance(before, list) else [before, value]
    for key, value in in_path.items():
        if given.setdefault(key, value) != value:
            raise parameter_refusal(**{key: "duplicate parameter (already defined in URI) with conflicting values!"})
    return given
