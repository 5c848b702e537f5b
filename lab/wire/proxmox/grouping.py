"""The calls about groups of users. Each takes who asks and the checked parameters, and answers the `data` that PVE would."""

from __future__ import annotations

from typing import Any

from lab.wire.proxmox.reading import Args, Handler
from lab.world.pve.access import Access, LabGroup
from lab.world.pve.accounts import Accounts


class Grouping:
    """The calls about groups, over one cluster's accounts."""

    def __init__(self, access: Access, accounts: Accounts) -> None:
        self._access, self._accounts = access, accounts
        one = "/access/groups/{groupid}"
        self.handlers: dict[str, Handler] = {
            "GET /access/groups": self.groups,
            "POST /access/groups": lambda actor, args: accounts.make_group(_name(args), _comment(args)),
            f"GET {one}": self.group,
            f"PUT {one}": lambda actor, args: accounts.change_group(_name(args), _comment(args)),
            f"DELETE {one}": lambda actor, args: accounts.remove_group(_name(args)),
        }

    def groups(self, actor: str, args: Args) -> list[dict[str, Any]]:
        """Those that the caller may know of, with who is in them."""
        wanted = ("User.Modify", "Sys.Audit", "Group.Allocate")
        seen = [
            group for name, group in sorted(self._access.groups.items())
            if self._access.may(actor, f"/access/groups/{name}", *wanted)
        ]  # fmt: skip
        return [{"groupid": group.name, "users": ",".join(sorted(group.members)), **_said(group)} for group in seen]

    def group(self, actor: str, args: Args) -> dict[str, Any]:
        """One group."""
        found = self._accounts.group(_name(args))
        return {"members": sorted(found.members), **_said(found)}


def _said(group: LabGroup) -> dict[str, str]:
    return {"comment": group.comment} if group.comment else {}


def _name(args: Args) -> str:
    return str(args["groupid"])


def _comment(args: Args) -> str:
    return str(args.get("comment", ""))
