"""The Proxmox API over HTTPS: one endpoint per host, requests checked in PVE's order, faults played on the wire.

The order (pve-http-server): credentials, path, the call's own privileges, the host in the path, parameters, the call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from house.model import ProxmoxEndpoint
from lab.wire.https import HttpsServer, Reply, Request
from lab.wire.pki import LabCA
from lab.wire.proxmox.accounting import Accounting
from lab.wire.proxmox.auth import Tickets
from lab.wire.proxmox.bodies import parameters
from lab.wire.proxmox.changing import Changing, port_method
from lab.wire.proxmox.guests import Guests
from lab.wire.proxmox.hosts import ASKED_HERE, Hosts
from lab.wire.proxmox.reading import Args, Handler, Reading
from lab.wire.proxmox.schema import Schema
from lab.wire.proxmox.storing import Storing
from lab.wire.proxmox.tasks import Listed, TaskCalls
from lab.wire.proxmox.unmodelled import UNMODELLED
from lab.world.faults import Fault
from lab.world.pve.access import NotModelled, Refusal
from lab.world.pve.cluster import LabProxmox
from lab.world.pve.tasks import patiently

SLOW_S = 20.0
# PVE makes whoever failed to log in wait this long.
LOGIN_DELAY_S = 3.0
_PREFIX = "/api2/json"
_HEADERS = {
    "Content-Type": "application/json;charset=UTF-8",
    "Server": "pve-api-daemon/3.0",
    "Cache-Control": "max-age=0",
    "Pragma": "no-cache",
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
    "shut_down_vm": "qmshutdown",
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
        self._storing = Storing(pve)
        self._handlers: dict[str, Handler] = {
            **Reading(pve).handlers,
            **Guests(pve).handlers,
            **Hosts(pve).handlers,
            **self._storing.handlers,
            **TaskCalls(pve).handlers,
            **Changing(pve, self._schema).handlers,
            **Accounting(pve, self._tickets).handlers,
        }
        self._servers: dict[str, HttpsServer] = {}
        self._fingerprints: dict[str, str] = {}
        for name, (address, port) in addresses.items():
            keys = ca.server(f"pve-{name}", address, name)
            self._fingerprints[name] = pve.hosts[name].fingerprint = keys.fingerprint
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

    def answers(self, call: str) -> bool:
        """Whether a call of the table has somebody who answers it."""
        return call in self._handlers or call in self._schema.indexes

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
            # A call that is none has no line of its own to end.
            body: dict[str, Any] = {"data": None, "message": no.text if no.status == 501 else no.text + "\n"}
            if no.errors:
                body["errors"] = no.errors
            return Reply(no.status, no.text.split("\n", 1)[0], _HEADERS, json.dumps(body).encode(), close=True)
        if isinstance(data, Reply):
            return data
        told: dict[str, Any] = {"data": data} | ({"total": data.total} if isinstance(data, Listed) else {})
        return Reply(200, "OK", _HEADERS, json.dumps(told).encode())

    def _answer(self, request: Request) -> Any:
        path, _, query = request.target.partition("?")
        below = path[len(_PREFIX) :] if path.startswith(_PREFIX + "/") else ""
        found = self._schema.find(request.method, below) if below else None
        with self._world.looking():
            rights = self._schema.rights.get(found[0], "") if found else ""
            actor = self._actor(request, open_to_all=rights == "world")
            if found is None:
                self._note(f"{request.method} {path}")
                raise Refusal(501, f"Method '{request.method} {below or path}' not implemented")
            call, in_path = found
            given, file = parameters(request, query, in_path)
            self._may(actor, rights, {name: str(value) for name, value in given.items()})
            if "node" in in_path and call not in ASKED_HERE:
                self._pve.reach(in_path["node"])
            if file:
                given["tmpfilename"] = name = f"/var/tmp/pveupload-{self._world.random.getrandbits(64):016x}"  # noqa: S108
                self._storing.arrived[name] = file
            args = self._schema.check(call, given)
            for name in UNMODELLED.get(call, ()):
                if args.get(name):
                    raise NotModelled(f"the parameter {name} of {call}")
        return self._perform(call, actor, args)

    def _actor(self, request: Request, *, open_to_all: bool) -> str:
        """Who asks; for what is open to all nobody has to be anybody, but a token gets no ticket."""
        if not open_to_all:
            return self._tickets.actor(request.method, request.headers)
        path = request.target.partition("?")[0].removeprefix(_PREFIX)
        if path == "/access/ticket" and request.headers.get("authorization", "").startswith("PVEAPIToken"):
            raise Refusal(
                403, f"Permission check failed (URI '{path}' not available with API token, need proper ticket.\n)"
            )
        return ""

    def _may(self, actor: str, rights: str, given: Mapping[str, str]) -> None:
        """Raise the 403 unless every clause of a call's rights holds (table.py says how they read)."""
        for clause in rights.split("; ") if rights not in ("", "world") else ():
            either = [_asked(text, given) for text in clause.split(" or ")]
            if not any(enough(self._pve.access.held(actor, path)) for path, _, enough in either):
                path, privileges, _ = either[0]
                which = f" ({path}, {'|'.join(privileges)})" if len(either) == 1 else ""
                raise Refusal(403, f"Permission check failed{which}")

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
        data = patiently(self._world, lambda: self._act(call, actor, args, named if fault is Fault.LIE_ONCE else None))
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

    def _act(self, call: str, actor: str, args: Args, lie: tuple[str, str] | None) -> Any:
        if lie is not None and lie[0] in _TASK_KINDS:
            target = str(args.get("vmid", args.get("filename", "")))
            return self._pve.tasks.pretend(str(args["node"]), _TASK_KINDS[lie[0]], target, actor).upid
        if lie is not None:
            return None
        if call in self._schema.indexes:
            return [{"name": name, "subdir": name} for name in self._schema.indexes[call]]
        if call not in self._handlers:
            raise NotModelled(call)
        return self._handlers[call](actor, args)


def _asked(text: str, given: Mapping[str, str]) -> tuple[str, tuple[str, ...], Callable[[frozenset[str]], bool]]:
    """One clause: the path, the privileges, and whether what is held there is enough."""
    path, _, told = text.partition(" ")
    path = re.sub(r"\{(\w+)\}", lambda match: given.get(match[1], ""), path)
    wanted = tuple(re.split(r"[&|]", told))
    return path, wanted, set(wanted).issubset if "&" in told else lambda held: not held.isdisjoint(wanted)
