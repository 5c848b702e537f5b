"""Where everything of a running house is, written down for any client: addresses, CA files, credential files, process ids."""

from __future__ import annotations

import json
import os
from typing import Any

from engine.files.whole import write_whole
from lab.houses.credentials import FILES, TOKEN_ID
from lab.houses.nouns import (
    API_PORT,
    CHARTS_PORT,
    FACTORY_PORT,
    GIT_PORT,
    NAS_SSH_PORT,
    PROXMOX_PORT,
    REGISTRIES_PORT,
    S3_PORT,
    TALOS_PORT,
    HouseShape,
)
from lab.parts.supervisor import ProcessId
from lab.running.house import LabHouse


def endpoints(house: LabHouse) -> dict[str, Any]:
    """What `.lab/<house>/endpoints.json` holds. Secrets are named by their files, never told."""
    folder, block = house.folder, house.block
    own = ProcessId.of(os.getpid())
    assert own is not None  # it is this very process
    secret = {field: str(folder.secrets / name) for field, name in FILES.items()}
    ca_file = str(folder.ca_file)
    return {
        "house": house.shape.name,
        "simulated": True,
        "settings": str(folder.settings),
        "speed": house.speed,
        "daemon": {"pid": own.pid, "started": own.started, "log": str(folder.log), "control": str(folder.control)},
        "ca_file": ca_file,
        "proxmox": {
            "hosts": {n.host: f"https://{block.host(n)}:{PROXMOX_PORT}" for n in house.shape.nodes},
            "token_id": TOKEN_ID,
            "token_secret_file": secret["proxmox_token"],
        },
        "talos": {n.name: f"{block.node(n)}:{TALOS_PORT}" for n in house.shape.nodes},
        "kubernetes": {
            "endpoint": block.endpoint,
            "control_planes": {
                n.name: f"https://{block.node(n)}:{API_PORT}" for n in house.shape.nodes if n.control_plane
            },
        },
        "git": {"url": block.git, "clone": str(folder.clone)},
        "charts": {"url": block.charts},
        "factory": {"url": block.factory, "image": house.house.image.url},
        "s3": {
            "url": f"https://{block.store}:{S3_PORT}",
            "backups": block.backups,
            "key_id_file": secret["store_key_id"],
            "key_file": secret["store_key"],
            "restic_password_file": secret["restic_password"],
        },
        "age_key_file": secret["age_key"],
        **({"nas": {"sftp": f"{block.nas}:{NAS_SSH_PORT}", "served_by": house.nas_sftp.server.told}} if house.shape.nas else {}),
    }


def doors(shape: HouseShape, told: dict[str, Any]) -> dict[str, tuple[str, int]]:
    """Name → address and port of every door that is open from the start (Talos and Kubernetes open with their machines)."""
    prefix = told["kubernetes"]["endpoint"].removeprefix("https://").rpartition(".")[0]
    servers, store = f"{prefix}.20", f"{prefix}.30"
    found = {
        "git": (servers, GIT_PORT),
        "charts": (servers, CHARTS_PORT),
        "factory": (servers, FACTORY_PORT),
        "registries": (servers, REGISTRIES_PORT),
        "s3": (store, S3_PORT),
        "kubernetes": (f"{prefix}.10", API_PORT),
    }
    return found | {n.host: (f"{prefix}.{100 + n.number}", PROXMOX_PORT) for n in shape.nodes}


def write_endpoints(house: LabHouse) -> None:
    """Write the file whole or not at all."""
    write_whole(house.folder.endpoints, json.dumps(endpoints(house), indent=2) + "\n", mode=None, lasting=False)
