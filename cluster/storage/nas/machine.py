"""The VM that a silent NAS runs in, as Proxmox sees it: named, and never started from here."""

from __future__ import annotations

from dataclasses import replace

from adapters.nas.results import NasLook, NasTrouble, Trouble
from adapters.ports import ProxmoxView
from adapters.proxmox.results import PowerState
from engine.errors import PermanentError, TransientError
from house.nas import Nas

_SILENT = (Trouble.UNREACHABLE, Trouble.SLOW, Trouble.DROPPED)


def with_machine(nas: Nas, look: NasLook, proxmox: ProxmoxView) -> NasLook:
    """The same look; where the NAS is silent and is a VM, with what Proxmox says of that. One without an answer adds nothing."""
    if look.trouble is None or look.trouble.trouble not in _SILENT or not nas.vm:
        return look
    try:
        found = next((one for one in proxmox.vms() if one.vm_id == nas.vm), None)
    except (TransientError, PermanentError):
        return look
    if found is None:
        told, hint = f"Proxmox has no VM {nas.vm}", "vm: in the settings names the one that it runs in"
    elif found.power is not PowerState.STOPPED:
        state = "runs" if found.power is PowerState.RUNNING else "neither runs nor is off"
        told, hint = f"its VM {nas.vm} {state} on {found.host}", look.trouble.hint
    else:
        told, hint = f"its VM {nas.vm} is off, on {found.host}", f"start it: qm start {nas.vm}   # on {found.host}; no run does"
    return replace(look, trouble=NasTrouble(look.trouble.trouble, f"{look.trouble.detail}; {told}", hint))
