"""VolSync as the lab runs it: the real controller, started by its Deployment's pod; its movers are known by their image."""

from __future__ import annotations

from lab.parts.pods.images import MOVER_IMAGE, Controller, mover, short_name

# The image that VolSync is told to give its restic pods; by it the simulated kubelet knows a mover.
MOVER_NAME = short_name(MOVER_IMAGE)
VOLSYNC = Controller(
    "volsync",
    (
        "--metrics-bind-address=0",
        "--health-probe-bind-address={address}:8081",
        f"--restic-container-image={MOVER_IMAGE}",
    ),
    ready="http://{address}:8081/readyz",
    environment=(("VOLSYNC_NAMESPACE", "{namespace}"),),
    kubeconfig_flag=True,
)
MOVER = mover()
