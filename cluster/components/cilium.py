"""cilium: without it no pod gets an address, and a node that loses it is NotReady."""

from __future__ import annotations

from cluster.components.shape import Component

CILIUM = Component(
    key="cilium",
    title="cilium",
    images=("cilium/cilium", "cilium", "operator-generic", "hubble-relay", "hubble-ui", "cilium-envoy"),
    charts=("cilium",),
    must=("cilium",),
    means="no new pod gets an address on that node, and what runs there may not be reached",
)
