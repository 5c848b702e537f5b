"""How etcd stands where it may stand still: what every control plane says, and of those that say nothing, why. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.ports import ProxmoxView, TalosView
from adapters.proxmox.results import PowerState
from adapters.talos.results import EtcdData, EtcdState, Phase
from cluster.machines.absent import absent_nodes
from cluster.machines.vms import find_vm
from house.model import House, Node
from talos.etcd import states_of
from talos.quorum import Standing, listed_by, standing


@dataclass(frozen=True)
class Ground:
    """Control planes by what they have: `having` data and not healthy, `bare` (asked, no data), `unmade` (no VM, or in maintenance
    without any configuration), `off` (a VM that does not run), `dark` (on a host that is off), `silent` (gives no answer, and runs
    or is of metal).

    `starting`: its etcd lists itself alone and is not healthy yet, as a new one does. `etcd` counts who is healthy.
    """

    states: dict[str, EtcdState]
    etcd: Standing
    having: tuple[Node, ...]
    bare: tuple[Node, ...]
    unmade: tuple[Node, ...]
    off: tuple[Node, ...]
    dark: tuple[Node, ...]
    silent: tuple[Node, ...]
    starting: tuple[Node, ...]

    @property
    def works(self) -> bool:
        """Whether any control plane is a healthy member: then etcd has a majority, whatever else is wrong."""
        return any(state.healthy for state in self.states.values())

    @property
    def told(self) -> str:
        """Of one that works, how it stands. A healthy member has a majority behind it, whether all of that can be asked or not."""
        if self.etcd.works:
            return f"etcd works, {self.etcd}"
        return f"etcd works; {self.etcd.there} of {self.etcd.voters} says so, for not every member could be asked"

    @property
    def voters(self) -> int:
        """How many voted in the etcd that stands still, by the longest list; where none lists, as many as control planes."""
        lists = [sum(not one.learner for one in state.members) for state in self.states.values()]
        return max([*lists, 0]) or len(self.states)


def look_at_ground(proxmox: ProxmoxView, talos: TalosView, house: House) -> Ground:
    """Ask every control plane, and Proxmox of those that do not answer. Raises what a look raises."""
    nodes = house.control_planes
    states = states_of(talos, nodes)
    absent = {node.name for node in absent_nodes(proxmox, house)}
    placed: dict[str, list[Node]] = {name: [] for name in ("having", "bare", "unmade", "off", "dark", "silent", "starting")}
    for node in nodes:
        placed[_place(proxmox, talos, house, node, states[node.name], node.name in absent)].append(node)
    return Ground(states, standing(states, listed_by(states)), **{name: tuple(found) for name, found in placed.items()})


def _place(proxmox: ProxmoxView, talos: TalosView, house: House, node: Node, state: EtcdState, absent: bool) -> str:
    if state.data is EtcdData.PRESENT:
        alone = [one.hostname for one in state.members if not one.learner] == [node.name]
        return "starting" if alone and not state.healthy and len(house.control_planes) > 1 else "having"
    if state.data is EtcdData.NONE:
        return "bare"
    if absent:
        return "dark"
    if gone(proxmox, talos, house, node) or talos.phase(node.address) is Phase.MAINTENANCE:
        return "unmade"
    vm = find_vm(proxmox, house, node)
    return "off" if vm is not None and vm.power is PowerState.STOPPED else "silent"


def gone(proxmox: ProxmoxView, talos: TalosView, house: House, node: Node) -> bool:
    """Whether there is no VM of it, and nothing answers at its address: one that does may have data, wherever it runs. A machine of
    metal is never gone: silent, it may have data."""
    return not node.metal and find_vm(proxmox, house, node) is None and talos.phase(node.address) is Phase.UNREACHABLE
