"""Where Talos's files of one house are in its state folder: all mode 0600, all made again at any time. Knows no content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TalosFiles:
    """Files below `state/<house>/`."""

    state_dir: Path

    @property
    def folder(self) -> Path:
        """The rendered machineconfigs, one `<node>.yaml` each, with talosconfig and inputs.json."""
        return self.state_dir / "machineconfigs"

    @property
    def talosconfig(self) -> Path:
        """The talosconfig that was rendered with the machineconfigs."""
        return self.folder / "talosconfig"

    @property
    def inputs(self) -> Path:
        """What the rendered files were made from."""
        return self.folder / "inputs.json"

    @property
    def kubeconfig(self) -> Path:
        """The admin kubeconfig."""
        return self.state_dir / "kubeconfig"

    def machineconfig(self, node: str) -> Path:
        """The rendered machineconfig of one node."""
        return self.folder / f"{node}.yaml"
