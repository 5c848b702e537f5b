"""Users, groups, tokens, roles and the access list, as requests change them. Knows no protocol.

What somebody may do stays in `rights` and `here` of the user, token or group (access.py): an entry of the list writes it there.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from random import Random

from lab.world.pve.access import BUILT_IN, Access, LabGroup, LabToken, LabUser, Refusal, parameter_refusal
from lab.world.pve.pools import CLUSTER_LOCK_S
from lab.world.pve.tasks import Busy

Told = Mapping[str, str | int]
_REALMS = ("pam", "pve")
_PATH = re.compile(
    r"/|/access(/groups(/[\w.-]+)?|/realm(/[\w.-]+)?)?|/nodes(/[\w.-]+)?|/pool(/[\w.-]+){0,4}|/vms(/[1-9]\d+)?|/storage(/[\w.-]+)?|"
    r"/sdn(/zones(/[\w.-]+){0,3}|/[\w-]+(/[\w.-]+)?)?|/mapping(/[\w-]+(/[\w.-]+)?)?"
)


class Accounts:
    """The requests that change who may do what."""

    def __init__(self, access: Access, quorate: Callable[[], bool], random: Random) -> None:
        self._access, self._quorate, self._random = access, quorate, random

    # Roles.

    def make_role(self, name: str, privileges: Iterable[str]) -> None:
        """Add a role."""
        self._writable("create role")
        if name in self._access.roles:
            raise Refusal(500, f"create role failed: role '{name}' already exists")
        self._access.roles[name] = frozenset(privileges)

    def change_role(self, name: str, privileges: Iterable[str], *, append: bool) -> None:
        """Give a role these privileges, or these besides its own."""
        self._writable("modify role")
        if name in BUILT_IN:
            raise Refusal(500, f"modify role failed: auto-generated role '{name}' cannot be modified")
        held = self.role(name)
        self._access.roles[name] = frozenset(privileges) | (held if append else frozenset())
        self._spread()

    def role(self, name: str) -> frozenset[str]:
        """Privileges of a role."""
        if name not in self._access.roles:
            raise Refusal(500, f"role '{name}' does not exist")
        return self._access.roles[name]

    def remove_role(self, name: str) -> None:
        """Take a role away, and out of every entry."""
        self._writable("delete role")
        if name in BUILT_IN:
            raise Refusal(500, f"delete role failed: auto-generated role '{name}' cannot be deleted")
        if name not in self._access.roles:
            raise Refusal(500, f"delete role failed: role '{name}' does not exist")
        del self._access.roles[name]
        for roles in self._access.entries.values():
            roles.pop(name, None)
        self._spread()

    # Users.

    def user(self, name: str) -> LabUser:
        """A user that there is."""
        if name not in self._access.users:
            raise Refusal(500, f"no such user ('{name}')")
        return self._access.users[name]

    def make_user(self, name: str, password: str, told: Told, groups: Iterable[str] = ()) -> None:
        """Add a user, to these groups."""
        self._writable("create user")
        realm = name.rpartition("@")[2]
        if realm not in _REALMS:
            raise Refusal(500, f"create user failed: domain '{realm}' does not exist")
        if name in self._access.users:
            raise Refusal(500, f"create user failed: user '{name}' already exists")
        for group in groups:
            self._group(group, f"create user failed: no such group '{group}'")
        self._access.users[name] = LabUser(name, password, told=dict(told))
        self._join(name, groups)

    def change_user(self, name: str, told: Told, groups: Iterable[str] | None = None, *, append: bool = False) -> None:
        """Say something else of a user; with `groups` it is in these, with `append` besides its own."""
        self._writable("update user")
        self.user(name)
        for group in groups or ():
            self._group(group, f"update user failed: no such group '{group}'")
        self.user(name).told.update(told)
        if groups is not None:
            for each in () if append else self._access.groups_of(name):
                each.members.discard(name)
            self._join(name, groups)

    def _join(self, user: str, groups: Iterable[str]) -> None:
        for group in groups:
            self._access.groups[group].members.add(user)

    def remove_user(self, name: str) -> None:
        """Take a user away, with its tokens and entries."""
        self._writable("delete user")
        self.user(name)
        del self._access.users[name]
        for group in self._access.groups.values():
            group.members.discard(name)
        for token in [token for token, each in self._access.tokens.items() if each.user == name]:
            del self._access.tokens[token]
        for key in [key for key in self._access.entries if key[1].partition("!")[0] == name]:
            del self._access.entries[key]

    # Groups.

    def group(self, name: str) -> LabGroup:
        """A group that there is."""
        return self._group(name, f"group '{name}' does not exist")

    def make_group(self, name: str, comment: str) -> None:
        """Add a group without anybody in it."""
        self._writable("create group")
        if name in self._access.groups:
            raise Refusal(500, f"create group failed: group '{name}' already exists")
        self._access.groups[name] = LabGroup(name, comment)

    def change_group(self, name: str, comment: str) -> None:
        """Say something else of a group."""
        self._writable("modify group")
        self._group(name, f"modify group failed: group '{name}' does not exist").comment = comment

    def remove_group(self, name: str) -> None:
        """Take a group away, with its entries; who was in it stays."""
        self._writable("delete group")
        self._group(name, f"delete group failed: group '{name}' does not exist")
        del self._access.groups[name]
        for key in [key for key in self._access.entries if key[1] == name]:
            del self._access.entries[key]

    def _group(self, name: str, words: str) -> LabGroup:
        if name not in self._access.groups:
            raise Refusal(500, words)
        return self._access.groups[name]

    # Tokens.

    def token(self, user: str, name: str) -> LabToken:
        """A token that there is."""
        self.user(user)
        found = self._access.tokens.get(f"{user}!{name}")
        if found is None:
            raise Refusal(500, f"no such token '{name}' for user '{user}'")
        return found

    def make_token(self, user: str, name: str, told: Told) -> LabToken:
        """Add a token; its secret is told this once."""
        self._writable("create token")
        self.user(user)
        if f"{user}!{name}" in self._access.tokens:
            raise parameter_refusal(tokenid="Token already exists.")
        secret = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        rest = {key: value for key, value in told.items() if key != "privsep"}
        made = LabToken(f"{user}!{name}", secret, separated=bool(told.get("privsep", 1)), told=rest)
        self._access.tokens[made.token_id] = made
        return made

    def change_token(self, user: str, name: str, told: Told) -> LabToken:
        """Say something else of a token, or let it do all that its user may."""
        self._writable("update token")
        found = self.token(user, name)
        found.separated = bool(told.get("privsep", found.separated))
        found.told.update({key: value for key, value in told.items() if key not in ("privsep", "regenerate")})
        return found

    def remove_token(self, user: str, name: str) -> None:
        """Take a token away, with its entries."""
        self._writable("delete token")
        found = self.token(user, name)
        del self._access.tokens[found.token_id]
        for key in [key for key in self._access.entries if key[1] == found.token_id]:
            del self._access.entries[key]

    # The access list.

    def grant(
        self, path: str, roles: Iterable[str], who: Iterable[str], *, down: bool = True, delete: bool = False
    ) -> None:
        """Give users, groups and tokens roles at a path, or with `delete` take them away there."""
        self._writable("update ACL")
        path = "/" + path.strip("/")
        if not _PATH.fullmatch(path):
            raise parameter_refusal(path=f"invalid ACL path '{path}'")
        for role in roles:
            if role not in self._access.roles:
                raise Refusal(500, f"update ACL failed: role '{role}' does not exist")
        for name in who:
            if not any(name in known for known in (self._access.users, self._access.groups, self._access.tokens)):
                kind = kind_of(name)
                raise Refusal(500, f"update ACL failed: {kind} '{name}' does not exist")
            entry = self._access.entries.setdefault((path, name), dict(self._access.listed().get((path, name), {})))
            for role in roles:
                if delete:
                    entry.pop(role, None)
                else:
                    entry[role] = down
            self._write(path, name)

    def _spread(self) -> None:
        for path, name in list(self._access.entries):
            self._write(path, name)

    def _write(self, path: str, name: str) -> None:
        """An entry as rights; one without a role is none."""
        roles = self._access.entries[path, name]
        holder = self._access.tokens.get(name) or self._access.groups.get(name) or self._access.users[name]
        if not roles:
            del self._access.entries[path, name]
        down = [role for role, goes_down in roles.items() if goes_down]
        for where, held in ((holder.rights, down), (holder.here, roles if len(down) < len(roles) else [])):
            where.pop(path, None)
            if held:
                where[path] = frozenset(each for role in held for each in self._access.roles[role])

    def _writable(self, doing: str) -> None:
        if not self._quorate():
            raise Busy(CLUSTER_LOCK_S, f"{doing} failed: cfs-lock 'file-user_cfg' error: no quorum!")


def kind_of(name: str) -> str:
    """What the access list calls somebody of this name: a user's has a realm, and a token's its own name after that."""
    return "token" if "!" in name else "user" if "@" in name else "group"
