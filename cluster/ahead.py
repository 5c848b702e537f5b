"""What a plan or a verify will ask of nodes and cluster, asked from its beginning on, beside the programs that it waits for.

For views that remember (adapters/remembering.py). A plan comes to the cluster last, behind charts and stores: all that it needs
there would be asked in turn while nothing else is left to wait for. Where there is no cluster each of these is refused at once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from adapters.context import LookContext
from engine.workers import Workers
from house.model import House
from talos import ahead as nodes
from talos.ahead import ahead


def ask_ahead(look: LookContext, house: House, workers: Workers, bugs: list[str]) -> None:
    """Begin to ask; waits for nothing. What was no answer but a bug of ours is put into `bugs`, in words, as it comes."""
    nodes.ask_ahead(look.talos, house, workers, bugs)
    asks: tuple[Callable[[], object], ...] = (
        look.cluster.api_servers, look.hold.record, look.hold.policies_missing, look.releases.releases, look.cluster.nodes,
        look.flux.state, partial(look.hold.refusals, frozenset()),
    )  # fmt: skip
    workers.start(partial(_in_turn, asks, bugs))


def _in_turn(asks: tuple[Callable[[], object], ...], bugs: list[str]) -> None:
    """One after another, on one thread: rows that look elsewhere meanwhile are not to wait for it."""
    for ask in asks:
        ahead(ask, bugs)
