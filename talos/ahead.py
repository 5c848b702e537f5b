"""What a pass over a house will ask of its nodes, asked from its beginning on: their answers are waited for together.

For views that remember (adapters/remembering.py): who comes to ask finds the answer, or waits for the one that is under way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from adapters.ports import TalosView
from engine.workers import Workers
from house.model import House


def ask_ahead(talos: TalosView, house: House, workers: Workers) -> None:
    """Begin to ask all nodes, each thing of all of them together, and the control planes for their etcd. Waits for nothing.

    Of a node that is no configured one of ours nothing but its certificate is asked.
    """
    nodes = tuple(node.address for node in house.nodes)
    planes = tuple(node.address for node in house.control_planes)
    for ask in (talos.machines, talos.applied_digests, talos.versions, talos.clocks):
        workers.start(partial(quietly, partial(ask, nodes, planes)))
    workers.start(partial(quietly, partial(talos.etcds, planes)))


def quietly(ask: Callable[[], object]) -> None:
    """Ask, for the answer to be remembered, whatever it is."""
    try:
        ask()
    except Exception:  # noqa: BLE001 - the row that asks for it tells what was answered, and meets a bug of ours by itself
        return
