"""external-dns: each instance of it writes the records of one provider, and is a row of its own."""

from __future__ import annotations

from cluster.components.shape import Component

EXTERNAL_DNS = Component(
    key="external-dns",
    title="external-dns",
    images=("external-dns",),
    charts=("external-dns",),
    means="the records of its zones stay as they are: new applications have no name, and old ones keep theirs",
    apart=True,
)
