"""A modelled house of which a part is lost: two applications side by side, disks that may be made anew. Values only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from house.model import DiskFate, House
from lab.modelled.sample import sample_app, sample_claim, sample_house

LOSER, NEIGHBOUR = ("apps", "notes"), ("apps", "wiki")


def lost_house(state_dir: Path) -> House:
    """`notes` is what loses its data, `wiki` lives beside it. No node's disk is the last copy of anything."""
    house = sample_house(
        state_dir=state_dir, claims=(sample_claim("notes"), sample_claim("wiki")),
        flux_apps=(
            sample_app("volsync", namespace="volsync-system", wait=True), sample_app("notes", "volsync-system/volsync"),
            sample_app("wiki", "volsync-system/volsync"),
        ),
    )  # fmt: skip
    nodes = (
        replace(node, disks=tuple(replace(disk, fate=DiskFate.CREATE) for disk in node.disks)) for node in house.nodes
    )
    return replace(house, nodes=tuple(nodes))
