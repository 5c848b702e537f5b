"""How hosts are reserved by a pool, through every door of the Proxmox port."""

from __future__ import annotations

import pytest

from adapters.proxmox.reserving import MayNotReserve
from adapters.proxmox.results import Reservation, Whose
from engine.errors import PermanentError, TransientError
from lab.world.pve.access import PRIVILEGES
from tests.contract.proxmox.proxmox_doors import HOUSE, Door


class TestReserving:
    OWNER = "run r, process 7 of b:1 in 1, since 2025-06-15T15:06:40Z, on desk-1a2b:/a state: folder"

    def test_it_is_made_once_and_says_whose_it_is(self, door: Door) -> None:
        assert door.port.reservation() is None
        door.port.reserve()
        assert door.port.reservation() == Reservation(self.OWNER, Whose.OURS, 1_750_000_000.0, "desk-1a2b:/a state: folder")
        assert door.pve.pools.comments == {"blackstart-5f1d7c2a9e": self.OWNER}
        door.port.reserve()
        door.port.unreserve("somebody else")
        assert door.port.reservation() is not None
        door.port.unreserve(self.OWNER)
        assert door.port.reservation() is None
        door.port.unreserve(self.OWNER)

    @pytest.mark.parametrize(
        ("owner", "whose"),
        [
            (OWNER.replace("process 7", "process 6"), Whose.DEAD),
            (OWNER.replace("process 7", "process 8"), Whose.ANOTHER),
            (OWNER.replace("process 7", "process 6").replace("desk-1a2b", "other-3c4d"), Whose.ANOTHER),
            ("", Whose.ANOTHER),
            ("of a person: 100 % \"mine\" é", Whose.ANOTHER),
        ],
    )
    def test_another_s_is_not_replaced(self, door: Door, owner: str, whose: Whose) -> None:
        door.pve.pools.comments["blackstart-5f1d7c2a9e"] = owner
        door.port.reserve()
        found = door.port.reservation()
        assert found is not None
        assert (found.owner, found.whose) == (owner, whose)
        door.port.unreserve(owner)
        assert door.port.reservation() is None

    def test_a_pool_of_another_name_is_nobody_s(self, door: Door) -> None:
        door.pve.pools.comments["blackstart-5f1d7c2a9f"] = self.OWNER
        assert door.port.reservation() is None

    @pytest.mark.parametrize("lacking", ["Pool.Allocate", "Pool.Audit"])
    def test_a_token_that_may_not_is_told_by_the_privilege(self, door: Door, lacking: str) -> None:
        token = door.pve.access.tokens[HOUSE.proxmox.token_id]
        token.rights = {**token.rights, "/pool": PRIVILEGES - {lacking}}
        with pytest.raises(MayNotReserve) as no:
            door.port.reservation()
        assert no.value.evidence == (f"/pool/blackstart-5f1d7c2a9e: {lacking}",)
        if lacking == "Pool.Allocate":
            with pytest.raises(PermanentError, match=r"Permission check failed \(/pool/blackstart-5f1d7c2a9e, Pool.Allocate\)"):
                door.port.reserve()
        assert door.pve.pools.comments == {}

    def test_without_a_quorum_nothing_is_reserved(self, door: Door) -> None:
        for host in ("pve-3", "pve-4"):
            door.pve.host_down(host)
        with pytest.raises(TransientError, match="no quorum"):
            door.port.reserve()
        assert door.port.reservation() is None
