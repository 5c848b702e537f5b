"""spegel: nodes give each other the images that they have."""

from __future__ import annotations

from cluster.components.shape import Component

SPEGEL = Component(
    key="spegel",
    title="spegel",
    images=("spegel",),
    charts=("spegel",),
    means="each node pulls every image from its registry again, within that registry's limits",
)
