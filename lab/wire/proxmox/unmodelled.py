"""Parameters that the real Proxmox takes and the lab does not: given, they are refused loudly, for ignoring one would be a lie."""

from __future__ import annotations

from collections.abc import Mapping

_VM = "/nodes/{node}/qemu/{vmid}"
UNMODELLED: Mapping[str, tuple[str, ...]] = {
    "POST /access/ticket": ("otp", "tfa-challenge", "path", "privs"),
    "GET /nodes/{node}/storage": ("format", "target"),
    "GET /nodes/{node}/tasks/{upid}/log": ("download",),
    "DELETE /nodes/{node}/storage/{storage}/content/{volume}": ("delay",),
    "POST /nodes/{node}/qemu": ("archive", "live-restore", "ha-managed"),
    f"POST {_VM}/clone": ("snapname",),
    f"POST {_VM}/template": ("disk",),
    f"POST {_VM}/move_disk": ("target-vmid", "target-disk"),
    f"POST {_VM}/status/start": (
        "force-cpu", "machine", "migratedfrom", "migration_network", "migration_type", "nets-host-mtu", "stateuri", "targetstorage",
        "with-conntrack-state",
    ),
    f"POST {_VM}/status/stop": ("keepActive", "migratedfrom"),
    f"POST {_VM}/status/shutdown": ("keepActive",),
    f"POST {_VM}/status/suspend": ("todisk", "statestorage"),
}  # fmt: skip
