"""The VM that a NAS runs in, as Proxmox sees it. Nothing here starts it."""

from __future__ import annotations

from dataclasses import replace

from adapters.nas.results import NasLook, NasTrouble, Trouble
from adapters.ports import ProxmoxView
from adapters.proxmox.results import PowerState, Vm
from engine.errors import PermanentError, TransientError
from house.values.nas import Nas

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
        told = f"its VM {nas.vm} is off, on {found.host}"
        hint = f"what needs it starts it, or you do: qm start {nas.vm}   # on {found.host}"
    return replace(look, trouble=NasTrouble(look.trouble.trouble, f"{look.trouble.detail}; {told}", hint))


def machine_of(nas: Nas, proxmox: ProxmoxView) -> Vm:
    """The VM of the settings, sure to be that one.

    Raises PermanentError where there is none, or one that is called otherwise or is a node of ours: that may be anybody's, and
    is never started. TransientError where its host does not answer.
    """
    found = next((one for one in proxmox.vms() if one.vm_id == nas.vm), None)
    if found is None:
        raise PermanentError(
            f"Proxmox shows no VM {nas.vm}, which NAS {nas.name} is",
            hint=f"the token may not see it (VM.Audit on /vms/{nas.vm}), or it is lost: a NAS is never made anew from here",
        )
    if not found.readable:
        raise TransientError(f"{found.host}, which VM {nas.vm} is on, does not answer", hint="bring that host back")
    if found.token or found.name.lower() != nas.vm_name.lower():
        raise PermanentError(
            f"VM {nas.vm} on {found.host} is {found.name or 'nameless'}, and NAS {nas.name} is {nas.vm_name}: it is not touched",
            evidence=(f"owner token {found.token}",) if found.token else (),
            hint=f"if it is the NAS, write its name there: nas.{nas.name}.vm_name; else its id: nas.{nas.name}.vm",
        )
    return found
