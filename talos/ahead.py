"""What a pass over a house will ask of its nodes, asked from its beginning on: their answers are waited for together.

For views that remember (adapters/remembering.py): who comes to ask finds the answer, or waits for the one that is under way.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial

from adapters.ports import TalosView
from engine.errors import OurError
from engine.workers import Workers
from house.model import House


def ask_ahead(talos: TalosView, house: House, workers: Workers, bugs: list[str]) -> None:
    """Begin to ask all nodes, each thing of all of them together, and the control planes for their etcd. Waits for nothing.

    Of a node that is no configured one of ours nothing but its certificate is asked. For `bugs` see `ahead`.
    """
    nodes = tuple(node.address for node in house.nodes)
    planes = tuple(node.address for node in house.control_planes)
    for ask in (talos.machines, talos.applied_digests, talos.versions, talos.clocks):
        workers.start(partial(ahead, partial(ask, nodes, planes), bugs))
    workers.start(partial(ahead, partial(talos.etcds, planes), bugs))


def ahead(ask: Callable[[], object], bugs: list[str]) -> None:
    """Ask, for the answer to be remembered, whatever it is: its row tells it. What is none is a bug of ours that no row need meet
    (they ask for one node, or do not stand in this course): it is put into `bugs`, in words, for whoever ends the pass."""
    try:
        ask()
    except OurError:
        return
    except Exception as bug:  # noqa: BLE001 - this thread is nobody's: it is told by who began it
        frame = traceback.extract_tb(bug.__traceback__)[-1]
        told = f"{type(bug).__name__} at {frame.filename}:{frame.lineno}"
        bugs.append(f"a bug of Blackstart's while nodes and cluster were asked ahead; their rows asked by themselves: {told}")
