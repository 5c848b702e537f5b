"""Users, API tokens and privileges of the simulated Proxmox. Knows no request: it answers who may do what where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

# Privileges of PVE 9 (pve-access-control); 8.4 has VM.Monitor where 9 has VM.GuestAgent.*.
_BY_AREA = {
    "Sys": ("Audit", "Modify", "Console", "AccessNetwork", "PowerMgmt", "Syslog", "Incoming"),
    "VM": (
        "Allocate",
        "Audit",
        "Clone",
        "PowerMgmt",
        "Migrate",
        "Snapshot",
        "Snapshot.Rollback",
        "Backup",
        "Console",
        "Replicate",
    ),
    "VM.Config": ("CDROM", "CPU", "Cloudinit", "Disk", "HWType", "Memory", "Network", "Options"),
    "VM.GuestAgent": ("Audit", "Unrestricted", "FileRead", "FileWrite", "FileSystemMgmt"),
    "Datastore": ("Allocate", "AllocateSpace", "AllocateTemplate", "Audit"),
    "Pool": ("Allocate", "Audit"),
    "SDN": ("Use", "Audit", "Allocate"),
    "Mapping": ("Use", "Audit", "Modify"),
    "Permissions": ("Modify",),
    "User": ("Modify",),
    "Group": ("Allocate",),
    "Realm": ("Allocate", "AllocateUser"),
}
PRIVILEGES = frozenset(f"{area}.{name}" for area, names in _BY_AREA.items() for name in names)
# What an administrator of everything but the hosts themselves does not hold.
_FOR_ROOT = frozenset(
    {"Sys.Modify", "Sys.PowerMgmt", "Sys.Incoming", "Sys.AccessNetwork", "Permissions.Modify", "Realm.Allocate"}
)


def _of(*beginnings: str) -> frozenset[str]:
    return frozenset(name for name in PRIVILEGES if name.startswith(beginnings))


BUILT_IN: dict[str, frozenset[str]] = {
    "Administrator": PRIVILEGES,
    "NoAccess": frozenset(),
    "PVEAdmin": PRIVILEGES - _FOR_ROOT,
    "PVEAuditor": frozenset(name for name in PRIVILEGES if name.endswith(".Audit")),
    "PVEDatastoreAdmin": _of("Datastore."),
    "PVEDatastoreUser": frozenset({"Datastore.AllocateSpace", "Datastore.Audit"}),
    "PVEPoolAdmin": _of("Pool."),
    "PVEPoolUser": frozenset({"Pool.Audit"}),
    "PVESysAdmin": _of("Sys.") - _FOR_ROOT,
    "PVETemplateUser": frozenset({"VM.Audit", "VM.Clone"}),
    "PVEUserAdmin": frozenset({"User.Modify", "Group.Allocate", "Realm.AllocateUser"}),
    "PVEVMAdmin": _of("VM."),
    "PVEVMUser": _of("VM.Config.CDROM", "VM.Config.Cloudinit", "VM.Audit", "VM.Backup", "VM.Console", "VM.PowerMgmt"),
    "PVEMappingAdmin": _of("Mapping."),
    "PVEMappingUser": frozenset({"Mapping.Audit", "Mapping.Use"}),
    "PVEMappingAuditor": frozenset({"Mapping.Audit"}),
    "PVESDNAdmin": _of("SDN."),
    "PVESDNUser": frozenset({"SDN.Audit", "SDN.Use"}),
}
"""The roles that are always there. Their exact privileges differ a little from version to version."""


class Refusal(Exception):
    """The simulated Proxmox says no at once: the HTTP status and the text it would send, and 400's map of parameters."""

    def __init__(self, status: int, text: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.errors = errors


class NotModelled(Refusal):
    """What the real Proxmox can do and the lab cannot: refused loudly, for an answer would be a guess."""

    def __init__(self, text: str) -> None:
        super().__init__(501, f"the lab does not model {text}")


def parameter_refusal(**errors: str) -> Refusal:
    """The 400 of a parameter check."""
    return Refusal(400, "Parameter verification failed.", errors)


@dataclass
class LabUser:
    """A user (`name@realm`) with rights by path; root@pam needs none. Passwords and secrets are the lab's own, made per run.

    `rights` go down; `here` has what is held at a path alone, where some role there does not.
    """

    name: str
    password: str = ""
    rights: dict[str, frozenset[str]] = field(default_factory=dict)
    here: dict[str, frozenset[str]] = field(default_factory=dict)
    # What else is said of it (comment, email, enable, expire, firstname, lastname, groups), by PVE's names.
    told: dict[str, str | int] = field(default_factory=dict)


@dataclass
class LabToken:
    """An API token `user@realm!name`. With privilege separation it holds what both the user and it were given."""

    token_id: str
    secret: str
    separated: bool = True
    rights: dict[str, frozenset[str]] = field(default_factory=dict)
    here: dict[str, frozenset[str]] = field(default_factory=dict)
    told: dict[str, str | int] = field(default_factory=dict)

    @property
    def user(self) -> str:
        """The user it belongs to."""
        return self.token_id.partition("!")[0]


@dataclass
class LabGroup:
    """A group of users: each may what it may, where the user has no rights of its own."""

    name: str
    comment: str = ""
    members: set[str] = field(default_factory=set)
    rights: dict[str, frozenset[str]] = field(default_factory=dict)
    here: dict[str, frozenset[str]] = field(default_factory=dict)


class Access:
    """Who there is and what they may."""

    def __init__(self) -> None:
        self.users: dict[str, LabUser] = {"root@pam": LabUser("root@pam")}
        self.tokens: dict[str, LabToken] = {}
        self.groups: dict[str, LabGroup] = {}
        self.roles: dict[str, frozenset[str]] = dict(BUILT_IN)
        # Entries of the access list: (path, user, token or group) → its roles, each with whether it goes down.
        self.entries: dict[tuple[str, str], dict[str, bool]] = {}
        # The pool that has a VM or a storage, by its path; "" for none.
        self.pool_of: Callable[[str], str] = lambda path: ""

    def add_token(self, token: LabToken, user_rights: dict[str, frozenset[str]] | None = None) -> None:
        """Add a token, and its user with these rights (by default the token's own) if there is none yet."""
        rights = token.rights if user_rights is None else user_rights
        self.users.setdefault(token.user, LabUser(token.user, rights=dict(rights)))
        self.tokens[token.token_id] = token

    def listed(self) -> dict[tuple[str, str], dict[str, bool]]:
        """The access list: its entries, and what somebody had from the first, by the role that is just that."""
        named = {held: role for role, held in self.roles.items()}
        holders: dict[str, LabUser | LabToken] = {**self.users, **self.tokens}
        first = {
            (path, name): {named[held]: True}
            for name, holder in holders.items()
            for path, held in holder.rights.items()
            if held in named
        }
        return {**first, **self.entries}

    def held(self, actor: str, path: str, *, below: bool = False) -> frozenset[str]:
        """Privileges of `user@realm` or `user@realm!token` at a path, or `below` it. Of rights that go down the nearest win.

        Whoever has rights to a pool has them to the VMs and storages in it besides, and to nothing below those.
        """
        if actor == "root@pam":
            return PRIVILEGES
        token = self.tokens.get(actor)
        if token is None:
            user = self.users.get(actor)
            return self._with_pool(user, self.groups_of(actor), path, below) if user else frozenset()
        if not token.separated:
            return self.held(token.user, path, below=below)
        return self.held(token.user, path, below=below) & self._with_pool(token, (), path, below)

    def _with_pool(
        self, own: LabUser | LabToken, groups: tuple[LabGroup, ...], path: str, below: bool
    ) -> frozenset[str]:
        held = _at(own, groups, path, below)
        pool = "" if below else self.pool_of(path)
        return held | _at(own, groups, f"/pool/{pool}", below=False) if pool else held

    def groups_of(self, user: str) -> tuple[LabGroup, ...]:
        """The groups that a user is in, by their names."""
        return tuple(group for _, group in sorted(self.groups.items()) if user in group.members)

    def require(self, actor: str, path: str, *privileges: str) -> None:
        """Raise the 403 of PVE unless the actor holds one of these privileges at the path."""
        if not self.held(actor, path) & set(privileges):
            raise Refusal(403, f"Permission check failed ({path}, {'|'.join(privileges)})")

    def may(self, actor: str, path: str, *privileges: str) -> bool:
        """Whether the actor holds one of these privileges at the path."""
        return bool(self.held(actor, path) & set(privileges))


def everything() -> dict[str, frozenset[str]]:
    """Rights to everything."""
    return {"/": PRIVILEGES}


def _at(own: LabUser | LabToken, groups: tuple[LabGroup, ...], path: str, below: bool) -> frozenset[str]:
    """At the nearest path where anything is held: by itself, or else by its groups together."""
    exact = not below
    while True:
        for holders in ((own,), groups):
            found = [each.here.get(path, each.rights.get(path)) if exact else each.rights.get(path) for each in holders]
            if any(held is not None for held in found):
                return frozenset().union(*(held for held in found if held is not None))
        if path == "/":
            return frozenset()
        path, exact = path.rsplit("/", 1)[0] or "/", False
