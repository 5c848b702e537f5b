"""Which block of loopback addresses a house is put into, and that nobody else is put there. Starts nothing."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from lab.houses.nouns import Block, HouseShape
from lab.parts.errors import PartFailed

# Blocks 127.N.0.0/24 that houses are put into; the tests of single parts use those from 101 on.
HOUSE_BLOCKS = range(20, 100)


@dataclass(frozen=True)
class Reserved:
    """A block that is this process's own, and of those that it hands `guard` on to, until the last of them has closed it or died.

    The guard is an abstract unix socket: the kernel gives its name to one process alone, takes it back from a dead one, and
    knows it in exactly the network namespace whose loopback addresses it stands for.
    """

    block: Block
    guard: socket.socket

    def close(self) -> None:
        """Give the block up, unless another process holds the guard too."""
        self.guard.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def reserve(shape: HouseShape, numbers: Sequence[int] = HOUSE_BLOCKS) -> Reserved:
    """The first block of these that nobody has reserved and whose doors can all be bound.

    PartFailed, with the ports that are in the way, when there is none.
    """
    in_the_way: dict[int, str] = {}
    blocks: Counter[int] = Counter()
    reserved = 0
    for number in numbers:
        held = claim(number)
        if held is None:
            reserved += 1
            continue
        taken = _taken(held.block.doors(shape))
        if taken is None:
            return held
        held.close()
        port, told = taken
        in_the_way.setdefault(port, told)
        blocks[port] += 1
    houses = f"{reserved} of {len(numbers)} blocks belong to houses that run; " if reserved else ""
    if not blocks:
        raise PartFailed(f"all {len(numbers)} blocks of loopback addresses belong to houses that run")
    (port, _), *_ = blocks.most_common(1)
    raise PartFailed(
        f"none of the {len(numbers)} blocks of loopback addresses has all its ports free",
        evidence=tuple(in_the_way[port] for port, _ in blocks.most_common()),
        hint=f"{houses}a program that listens on a port of every address takes it from every block:"
        f" `ss -ltnp 'sport = :{port}'` tells which",
    )


def claim(number: int) -> Reserved | None:
    """Block 127.`number`.0.0/24, whatever listens there; None when somebody has it."""
    guard = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with suppress(OSError):
        guard.bind(f"\0blackstart-lab-127.{number}.0")
        return Reserved(Block(f"127.{number}.0"), guard)
    guard.close()
    return None


def _taken(doors: Iterable[tuple[str, int]]) -> tuple[int, str] | None:
    """The first of these doors that can't be bound, with the reason: what a killed house left behind may still listen."""
    with ExitStack() as stack:
        for address, port in doors:
            probe = stack.enter_context(socket.socket())
            # Connections of a house that just went down linger; they are in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                return port, f"{address}:{port}: {os.strerror(error.errno or 0)}"
    return None
