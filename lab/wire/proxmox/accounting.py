"""The calls about users, tokens, roles, the access list and pools. Each takes who asks and the checked parameters."""

from __future__ import annotations

import re
from typing import Any

from lab.wire.proxmox.auth import Tickets
from lab.wire.proxmox.grouping import Grouping
from lab.wire.proxmox.reading import Args, Handler
from lab.world.pve.access import BUILT_IN, LabToken, LabUser
from lab.world.pve.accounts import Accounts, kind_of
from lab.world.pve.cluster import LabProxmox

_TOLD = ("comment", "email", "enable", "expire", "firstname", "lastname", "keys")
_PLACES = (
    "/", "/access", "/access/groups", "/access/realm", "/mapping", "/mapping/dir", "/mapping/hwrng", "/mapping/notifications",
    "/mapping/pci", "/mapping/usb", "/nodes", "/pool", "/sdn", "/sdn/controllers", "/sdn/dns", "/sdn/fabrics", "/sdn/ipams",
    "/sdn/zones", "/sdn/zones/localnetwork", "/storage", "/vms",
)  # fmt: skip
# What each part of the web interface asks of a ticket's holder, by the areas of the privileges.
_CAPABILITIES = {
    "access": ("/access", ("User.", "Group.", "Permissions.")), "dc": ("/", ("Sys.Audit", "Sys.Modify", "SDN.")),
    "mapping": ("/mapping", ("Mapping.", "Permissions.")), "nodes": ("/nodes", ("Sys.", "Permissions.")),
    "sdn": ("/sdn", ("SDN.", "Permissions.")), "storage": ("/storage", ("Datastore.", "Permissions.")),
    "vms": ("/vms", ("VM.", "Permissions.")),
}  # fmt: skip


class Accounting:
    """The calls about who may do what, over one cluster."""

    def __init__(self, pve: LabProxmox, tickets: Tickets) -> None:
        self._pve, self._access, self._tickets = pve, pve.access, tickets
        self._accounts = accounts = Accounts(pve.access, lambda: pve.quorate, pve.world.random)
        user, token = "/access/users/{userid}", "/access/users/{userid}/token/{tokenid}"
        self.handlers: dict[str, Handler] = {
            "POST /access/ticket": self.log_in,
            "GET /access/ticket": lambda actor, args: None,
            "GET /access/domains": self.domains,
            "GET /access/permissions": self.permissions,
            **Grouping(pve.access, accounts).handlers,
            "GET /access/roles": self.roles,
            "POST /access/roles": lambda actor, args: accounts.make_role(str(args["roleid"]), _privileges(args)),
            "GET /access/roles/{roleid}": lambda actor, args: dict.fromkeys(
                sorted(accounts.role(str(args["roleid"]))), 1
            ),
            "PUT /access/roles/{roleid}": self.change_role,
            "DELETE /access/roles/{roleid}": lambda actor, args: accounts.remove_role(str(args["roleid"])),
            "GET /access/users": self.users,
            "POST /access/users": self.make_user,
            f"GET {user}": self.user,
            f"PUT {user}": self.change_user,
            f"DELETE {user}": self.remove_user,
            f"GET {user}/token": self.tokens,
            f"GET {token}": self.token,
            f"POST {token}": self.make_token,
            f"PUT {token}": self.change_token,
            f"DELETE {token}": self.remove_token,
            "GET /access/acl": self.entries,
            "PUT /access/acl": self.grant,
            "PUT /access/password": self.password,
            "GET /pools": self.pools,
            "POST /pools": lambda actor, args: pve.pools.make(actor, str(args["poolid"]), str(args.get("comment", ""))),
            "PUT /pools": self.change_pool,
            "DELETE /pools": lambda actor, args: pve.pools.remove(actor, str(args["poolid"])),
            "GET /pools/{poolid}": lambda actor, args: self._pool(str(args["poolid"]), str(args.get("type", ""))),
            "PUT /pools/{poolid}": self.change_pool,
            "DELETE /pools/{poolid}": lambda actor, args: pve.pools.remove(actor, str(args["poolid"])),
        }

    # Logging in.

    def log_in(self, actor: str, args: Args) -> dict[str, object]:
        """A ticket for a password, or for a ticket."""
        name = str(args["username"])
        made = self._tickets.log_in(
            name if "@" in name else f"{name}@{args.get('realm', 'pam')}", str(args["password"])
        )
        cap = {
            area: {each: 1 for each in sorted(self._access.held(str(made["username"]), path)) if each.startswith(begin)}
            for area, (path, begin) in _CAPABILITIES.items()
        }
        return made | {"cap": cap} | ({"clustername": self._pve.name} if self._pve.name else {})

    def domains(self, actor: str, args: Args) -> list[dict[str, str]]:
        """The two realms that are always there; asked before anybody logs in."""
        return [
            {"realm": "pam", "type": "pam", "comment": "Linux PAM standard authentication"},
            {"realm": "pve", "type": "pve", "comment": "Proxmox VE authentication server"},
        ]

    def permissions(self, actor: str, args: Args) -> dict[str, dict[str, int]]:
        """Somebody's privileges: at one path, or at every path that there is; where there are none, nothing is said."""
        whose = str(args.get("userid", actor))
        if whose.partition("!")[0] != actor.partition("!")[0] or ("!" in actor and whose != actor):
            self._access.require(actor, "/access", "Sys.Audit")
        known = {*_PLACES, *self._objects(), *(path for path, _ in self._access.entries)}
        paths = [str(args["path"])] if "path" in args else sorted(known)
        held = {path: self._with_propagation(whose, path) for path in paths}
        return {path: privileges for path, privileges in held.items() if privileges or "path" in args}

    def _with_propagation(self, whose: str, path: str) -> dict[str, int]:
        below = self._access.held(whose, path, below=True)
        return {name: int(name in below) for name in sorted(self._access.held(whose, path))}

    def _objects(self) -> set[str]:
        pve = self._pve
        found = {f"/nodes/{name}" for name in pve.hosts} | {f"/storage/{name}" for name in pve.storages.names()}
        return found | {f"/vms/{vm_id}" for vm_id in pve.vms} | {f"/pool/{name}" for name in pve.pools.comments}

    # Roles, users, tokens.

    def roles(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Every role with its privileges."""
        held = sorted(self._access.roles.items())
        return [
            {"roleid": name, "privs": ",".join(sorted(privs)), "special": int(name in BUILT_IN)} for name, privs in held
        ]

    def change_role(self, actor: str, args: Args) -> None:
        """Other privileges for a role."""
        self._accounts.change_role(str(args["roleid"]), _privileges(args), append=bool(args.get("append")))

    def users(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Users that the caller may know of, itself always."""
        every = self._access.may(actor, "/access/groups", "User.Modify", "Sys.Audit")
        own = actor.partition("!")[0]
        rows = [_user_row(user) for name, user in sorted(self._access.users.items()) if every or name == own]
        if not args.get("full"):
            return rows
        return [
            {**row, "groups": ",".join(each.name for each in self._access.groups_of(name)), "tokens": self._token_rows(name)}
            for row in rows
            for name in [str(row["userid"])]
        ]

    def user(self, actor: str, args: Args) -> dict[str, Any]:
        """One user."""
        self._access.require(actor, "/access/groups", "User.Modify", "Sys.Audit")
        name = str(args["userid"])
        row = {
            key: value
            for key, value in _user_row(self._accounts.user(name)).items()
            if key not in ("userid", "realm-type")
        }
        return row | {
            "groups": [each.name for each in self._access.groups_of(name)],
            "tokens": {each.token_id.partition("!")[2]: _token_row(each) for each in self._tokens_of(name)},
        }

    def make_user(self, actor: str, args: Args) -> None:
        """Add a user."""
        name = str(args["userid"])
        groups = _listed(args.get("groups"))
        self._access.require(actor, f"/access/realm/{name.rpartition('@')[2]}", "Realm.AllocateUser")
        for path in [f"/access/groups/{group}" for group in groups] or ["/access/groups"]:
            self._access.require(actor, path, "User.Modify")
        self._accounts.make_user(name, str(args.get("password", "")), _told(args), groups)

    def change_user(self, actor: str, args: Args) -> None:
        """Say something else of a user."""
        self._access.require(actor, "/access/groups", "User.Modify")
        groups = _listed(args["groups"]) if "groups" in args else None
        self._accounts.change_user(str(args["userid"]), _told(args), groups, append=bool(args.get("append")))

    def remove_user(self, actor: str, args: Args) -> None:
        """Take a user away."""
        self._access.require(actor, "/access/groups", "User.Modify")
        self._accounts.remove_user(str(args["userid"]))

    def password(self, actor: str, args: Args) -> None:
        """Another password; a user may change its own."""
        name = str(args["userid"])
        if actor != name:
            self._access.require(actor, "/access/groups", "User.Modify")
        self._accounts.user(name).password = str(args["password"])

    def tokens(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """A user's tokens."""
        name = self._mine(actor, args)
        self._accounts.user(name)
        return self._token_rows(name)

    def _token_rows(self, user: str) -> list[dict[str, Any]]:
        return [{"tokenid": each.token_id.partition("!")[2], **_token_row(each)} for each in self._tokens_of(user)]

    def token(self, actor: str, args: Args) -> dict[str, Any]:
        """One token, without its secret."""
        return _token_row(self._accounts.token(self._mine(actor, args), str(args["tokenid"])))

    def make_token(self, actor: str, args: Args) -> dict[str, Any]:
        """Add a token, and tell its secret."""
        made = self._accounts.make_token(self._mine(actor, args), str(args["tokenid"]), _token_told(args))
        info = {key: str(value) for key, value in _token_row(made).items() if key in args or key == "privsep"}
        return {"full-tokenid": made.token_id, "info": info, "value": made.secret}

    def change_token(self, actor: str, args: Args) -> dict[str, Any]:
        """Say something else of a token."""
        return _token_row(self._accounts.change_token(self._mine(actor, args), str(args["tokenid"]), _token_told(args)))

    def remove_token(self, actor: str, args: Args) -> None:
        """Take a token away."""
        self._accounts.remove_token(self._mine(actor, args), str(args["tokenid"]))

    def _mine(self, actor: str, args: Args) -> str:
        name = str(args["userid"])
        if actor != name:
            self._access.require(actor, "/access/groups", "User.Modify")
        return name

    def _tokens_of(self, user: str) -> list[LabToken]:
        return [token for _, token in sorted(self._access.tokens.items()) if token.user == user]

    # The access list.

    def entries(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Entries at paths whose rights the caller may change."""
        return [
            {
                "path": path,
                "ugid": who,
                "type": kind_of(who),
                "roleid": role,
                "propagate": int(down),
            }
            for (path, who), roles in sorted(self._access.listed().items())
            for role, down in sorted(roles.items())
            if self._access.may(actor, path, "Permissions.Modify")
        ]

    def grant(self, actor: str, args: Args) -> None:
        """Give or take roles at a path."""
        self._access.require(actor, str(args["path"]), "Permissions.Modify")
        who = [name for key in ("users", "groups", "tokens") for name in _listed(args.get(key))]
        down, delete = bool(args.get("propagate", 1)), bool(args.get("delete"))
        self._accounts.grant(str(args["path"]), _listed(args["roles"]), who, down=down, delete=delete)

    # Pools.

    def pools(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Those that the caller may see; one alone with what is in it."""
        seen = dict(self._pve.pools.seen_by(actor))
        if "poolid" not in args:
            return [_pool_row(name, told) for name, told in seen.items()]
        name = str(args["poolid"])
        if name not in seen and name in self._pve.pools.comments:
            self._access.require(actor, f"/pool/{name}", "Pool.Audit")
        return [{"poolid": name, **self._pool(name, str(args.get("type", "")))}]

    def _pool(self, name: str, kind: str) -> dict[str, Any]:
        vms, storages = self._pve.pools.members(name)
        members: list[dict[str, Any]] = [
            {
                "id": f"qemu/{vm.vm_id}",
                "vmid": vm.vm_id,
                "type": "qemu",
                "node": vm.host,
                "name": vm.name,
                "status": vm.power,
            }
            for vm in vms
        ]
        members += [
            {"id": f"storage/{host}/{each}", "storage": each, "type": "storage", "node": host, "status": "available"}
            for each in storages
            for host in self._pve.hosts
        ]
        told = self._pve.pools.comments[name]
        return ({"comment": told} if told else {}) | {
            "members": [each for each in members if kind in ("", each["type"])]
        }

    def change_pool(self, actor: str, args: Args) -> None:
        """Another comment, more or fewer members."""
        comment = str(args["comment"]) if "comment" in args else None
        vm_ids, storages = [int(each) for each in _listed(args.get("vms"))], _listed(args.get("storage"))
        delete, move = bool(args.get("delete")), bool(args.get("allow-move"))
        self._pve.pools.change(actor, str(args["poolid"]), comment, vm_ids, storages, delete=delete, move=move)


def _pool_row(name: str, told: str) -> dict[str, Any]:
    return {"poolid": name} | ({"comment": told} if told else {})


def _told(args: Args) -> dict[str, str | int]:
    return {key: args[key] for key in _TOLD if key in args}


def _token_told(args: Args) -> dict[str, str | int]:
    return {key: args[key] for key in ("comment", "expire", "privsep") if key in args}


def _user_row(user: LabUser) -> dict[str, Any]:
    realm = user.name.rpartition("@")[2]
    return {"userid": user.name, "enable": 1, "expire": 0, "realm-type": realm, **user.told}


def _token_row(token: LabToken) -> dict[str, Any]:
    return {"privsep": int(token.separated), "expire": 0, **token.told}


def _privileges(args: Args) -> tuple[str, ...]:
    return _listed(args.get("privs"))


def _listed(names: object) -> tuple[str, ...]:
    return tuple(name for name in re.split(r"[,;\s]+", str(names or "")) if name)
