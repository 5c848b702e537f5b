"""What the texts mean that Proxmox gives with a refusal or at a task's end: may it pass, or is it a no. Knows no client class.

The texts are those of qemu-server, pve-storage and pve-cluster 8.4 to 9.2, matched as patterns since names vary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from adapters.proxmox.results import TaskStatus
from engine.errors import BlackstartError, PermanentError, TransientError

_NO_QUORUM = "the Proxmox cluster has no quorum: bring hosts back until `pvecm status` says Quorate: Yes"
_SOMEBODY = "somebody else is at it (also a few seconds after a stop and a start): see the task list, then the same again"
_WGET = re.compile(r"ERROR (\d{3}): (.*?)\.?$")


class HostUnknown(PermanentError):
    """The endpoint knows no address for this host: it is none of the cluster's, or one that did not come up since a power cut."""

    def __init__(self, what: str, *, evidence: tuple[str, ...] = (), hint: str = "", next_command: str = "") -> None:
        super().__init__(what, evidence=evidence, hint=hint, next_command=next_command)
        named = re.search(r"hostname lookup '([^']+)' failed|no such cluster node '([^']+)'", " ".join((what, *evidence)))
        self.host = (named[1] or named[2]) if named else ""


@dataclass(frozen=True)
class Meaning:
    """The kind of our error, and what usually helps."""

    kind: type[BlackstartError]
    hint: str


_TEXTS: tuple[tuple[str, type[BlackstartError], str], ...] = (
    (r"no quorum|/etc/pve/\S+\.tmp\.\S+' - Permission denied", TransientError, _NO_QUORUM),
    (r"can't lock file|got lock request timeout|VM is locked", TransientError, _SOMEBODY),
    (r"cfs-lock '[^']+' error", TransientError, "another host of the cluster holds that lock, or Proxmox has just lost quorum"),
    (
        r"is not online|is not available on node",
        TransientError,
        "the storage cannot be reached from this host: see `pvesm status` there",
    ),
    (r"got timeout|start worker failed|Too many redirections", TransientError, "the host is busy: look at its load"),
    (r"config(uration)? file .*already exists|already exists", PermanentError, "something has that id or name already"),
    (r"no such task", TransientError, "the host's task list no longer holds it, or not yet"),
    (
        r"No wake on LAN MAC address",
        PermanentError,
        "once it is up: pvenode config set --wakeonlan MAC   # on that host, and Wake-on-LAN on in its firmware",
    ),
    (r"no such cluster node|hostname lookup '", HostUnknown, "no host of this Proxmox cluster has that name"),
    (r"does not exist", PermanentError, "it is not there, or on another host"),
    (r"protection mode", PermanentError, "somebody protected this VM: `qm set VMID --protection 0` takes that off"),
    (r"only root|Only root", PermanentError, "Proxmox refuses this to every API token"),
    (r"is running - destroy failed", PermanentError, "stop the VM first"),
    (
        r"is not configured for content-type",
        PermanentError,
        "enable it on any Proxmox host: `pvesm set STORAGE --content …`, with what the storage has now and that type",
    ),
    (r"not a file based storage", PermanentError, "images go to a storage of type dir, nfs, cifs or cephfs"),
)

# At a task's end, besides: what a download says when it was the network.
_PASSING = (
    r"unable to resolve host address|Temporary failure in name resolution|Connection refused|Connection timed out|"
    r"Connection reset|No route to host|Network is unreachable|ERROR (5\d\d|429):"
)


def meaning(text: str) -> Meaning | None:
    """What a known text means, None for one that nobody wrote down here."""
    for pattern, kind, hint in _TEXTS:
        if re.search(pattern, text):
            return Meaning(kind, hint)
    return None


def task_failure(status: TaskStatus) -> BlackstartError:
    """Our error for a task that ended badly: transient where it may pass. It says nothing about how far the task came.

    A download tells no more than wget's exit code; why it failed is in its log alone.
    """
    answers = [found[0].rstrip(".") for line in status.log_tail if (found := _WGET.search(line))]
    told = f"{status.exit_status} ({answers[-1]})" if answers else status.exit_status
    known = meaning(status.exit_status)
    if known is None and re.search(_PASSING, " ".join((status.exit_status, *answers))):
        known = Meaning(TransientError, "the host could not get it: see its network, its name server, and the server")
    found_kind, hint = (known.kind, known.hint) if known is not None else (PermanentError, "")
    kind = TransientError if issubclass(found_kind, TransientError) else PermanentError
    return kind(f"Proxmox task ended with: {told}", evidence=(status.ref.upid, *status.log_tail), hint=hint)
