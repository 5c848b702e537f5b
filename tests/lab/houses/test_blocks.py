"""Where a house is put: a block that nobody else is put into and whose ports are free, all of them; and who is in the way when
there is none."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from lab.houses.blocks import claim, reserve
from lab.houses.nouns import FOUR_NODES, ONE_NODE
from lab.parts.errors import PartFailed

OURS = range(200 + os.getpid() % 24 * 2, 202 + os.getpid() % 24 * 2)
"""Blocks of no house: one that starts beside these tests would take what was just given up."""


@contextmanager
def listening(address: str, port: int) -> Iterator[None]:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((address, port))
        other.listen()
        yield


@pytest.mark.parametrize(("number", "port"), [(102, 8006), (14, 50000), (12, 2380), (20, 8445)])
def test_a_block_in_which_any_door_is_taken_is_passed_over(number: int, port: int) -> None:
    with reserve(FOUR_NODES, OURS) as first:
        block = first.block
    with listening(f"{block.prefix}.{number}", port), reserve(FOUR_NODES, OURS) as second:
        assert second.block != block


def test_two_houses_that_start_at_the_same_moment_get_two_blocks() -> None:
    with reserve(ONE_NODE) as first, reserve(ONE_NODE) as second, reserve(FOUR_NODES) as third:
        assert len({first.block, second.block, third.block}) == 3


def test_a_block_is_free_again_when_its_house_is_closed_or_killed() -> None:
    number = OURS[0]
    with reserve(ONE_NODE, (number,)):
        assert claim(number) is None
    waits = "import sys; print(flush=True); sys.stdin.read()"
    with reserve(ONE_NODE, (number,)) as again:
        holder = subprocess.Popen(
            [sys.executable, "-c", waits],
            pass_fds=(again.guard.fileno(),),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert claim(number) is None  # we have closed it, the process that it was handed to has not
    finally:
        holder.kill()
        holder.communicate()
    freed = claim(number)
    assert freed is not None
    freed.close()


def test_every_one_of_many_processes_that_start_at_once_gets_a_block_of_its_own() -> None:
    script = (
        "import sys; from lab.houses.blocks import reserve; from lab.houses.nouns import ONE_NODE\n"
        "sys.stdin.readline(); held = reserve(ONE_NODE); print(held.block.prefix, flush=True); sys.stdin.read()"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    try:
        for one in starters:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        blocks = [one.stdout.readline().strip() for one in starters if one.stdout is not None]
    finally:
        for one in starters:
            one.kill()
            one.communicate()
    assert all(blocks)
    assert len(set(blocks)) == len(starters)


def test_a_port_that_somebody_holds_in_every_block_is_named() -> None:
    # Blocks of its own: held on every address, the port would be missing to every house that runs beside this test.
    with (
        listening("127.251.0.11", 50000),
        listening("127.252.0.11", 50000),
        pytest.raises(PartFailed, match="none of the 2 blocks of loopback addresses has all its ports free") as refused,
    ):
        reserve(ONE_NODE, (251, 252))
    assert refused.value.evidence == (f"127.251.0.11:50000: {os.strerror(98)}",)
    assert "sport = :50000" in refused.value.hint


def test_blocks_that_all_belong_to_houses_are_not_blamed_on_a_port() -> None:
    with (
        reserve(ONE_NODE, (253, 254)),
        reserve(ONE_NODE, (253, 254)),
        pytest.raises(PartFailed, match="all 2 blocks of loopback addresses belong to houses that run"),
    ):
        reserve(ONE_NODE, (253, 254))
