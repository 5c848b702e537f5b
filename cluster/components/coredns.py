"""coredns: the names of the cluster's Services, and through it every name outside."""

from __future__ import annotations

from cluster.components.shape import Component

COREDNS = Component(
    key="coredns",
    title="coredns",
    images=("coredns",),
    charts=("coredns",),
    means="no pod finds another by its name, nor anything outside: nearly everything fails, and says so in other words",
)
