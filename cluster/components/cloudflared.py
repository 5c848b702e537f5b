"""cloudflared: the way in from the internet. Its pods are ready while they have a connection to Cloudflare."""

from __future__ import annotations

from cluster.components.shape import Component

CLOUDFLARED = Component(
    key="cloudflared",
    title="cloudflared",
    images=("cloudflare/cloudflared", "cloudflared"),
    charts=("cloudflared", "cloudflare-tunnel", "cloudflare-tunnel-remote"),
    means="nothing of the house is reached from the internet; inside everything goes on",
)
