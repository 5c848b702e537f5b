"""Which addresses a house needs."""

from __future__ import annotations

from lab.houses.nouns import FOUR_NODES, Block


def test_a_worker_needs_no_port_of_a_control_plane() -> None:
    doors = set(Block("127.99.9").doors(FOUR_NODES))
    assert ("127.99.9.14", 50000) in doors
    assert ("127.99.9.14", 6443) not in doors
    assert len(doors) == 6 + 4 * 2 + 3 * 3
