"""Where a house is put: a block whose ports are free, all of them; and who is in the way when there is none."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.houses.nouns import FOUR_NODES, ONE_NODE, Block, free_block
from lab.parts.errors import PartFailed


@contextmanager
def listening(address: str, port: int) -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((address, port))
        other.listen()
        yield


@pytest.mark.parametrize(("number", "port"), [(102, 8006), (14, 50000), (12, 2380), (20, 8445)])
def test_a_block_in_which_any_door_is_taken_is_passed_over(number: int, port: int) -> None:
    block = free_block(FOUR_NODES)
    with listening(f"{block.prefix}.{number}", port):
        assert free_block(FOUR_NODES) != block


def test_a_port_that_somebody_holds_in_every_block_is_named() -> None:
    # Blocks of its own: held on every address, the port would be missing to every house that runs beside this test.
    with (
        listening("127.251.0.11", 50000),
        listening("127.252.0.11", 50000),
        pytest.raises(PartFailed, match="none of the 2 blocks of loopback addresses has all its ports free") as refused,
    ):
        free_block(ONE_NODE, (251, 252))
    assert refused.value.evidence == ("127.251.0.11:50000: Address already in use",)
    assert "sport = :50000" in refused.value.hint


def test_a_worker_needs_no_port_of_a_control_plane() -> None:
    doors = set(Block("127.99.9").doors(FOUR_NODES))
    assert ("127.99.9.14", 50000) in doors
    assert ("127.99.9.14", 6443) not in doors
    assert len(doors) == 5 + 4 * 2 + 3 * 3
