"""A house whose control planes are the API servers of the tests, with the kubeconfig where a run would put it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from house.model import House
from tests.builders import a_house, a_node
from tests.contract.apiserver import PORT, ApiServers


def house_on(servers: ApiServers, folder: Path, **changes: Any) -> House:
    """The four-node house with as many control planes as there are API servers; its state is in `folder`."""
    shutil.copy(servers.kubeconfig, folder / "kubeconfig")
    house = a_house()
    return replace(
        house,
        state_dir=folder,
        nodes=tuple(a_node(n, address=address) for n, address in enumerate(servers.addresses, 1)),
        cluster=replace(house.cluster, endpoint=f"https://{servers.addresses[0]}:{PORT}"),
        **changes,
    )
