"""The runbook: every step's `by_hand`, in order, so that the operator is never hostage to this tool. Decides nothing.

It must do without this tool: what a command needs besides the usual programs is written beside it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, runtime_checkable

from adapters.hold.manifests import manifests
from cluster.by_hand import POLICIES_FILE, secret_by_hand
from cluster.course import Course
from engine.errors import PermanentError, SettingsInvalid
from engine.files.whole import write_whole
from engine.graph import is_step
from engine.secrets import redact
from house.model import House
from recovery.course import course as restore_course
from tools.manifest import Need, needed_by
from tools.places import Places


@runtime_checkable
class ByHand(Protocol):
    """What can be done, or made sure of, by a command; every step is one, and most checks."""

    def by_hand(self) -> str:
        """The command, on one line."""


def runbook_of(house: House, known: dict[str, str], path: Path, whole: Course) -> tuple[Path, ...]:
    """The runbook of building and restoring, written to `path`: a night that needs the one needs the other.

    `known` is what the lock file has. SettingsInvalid for a path that can be no page, PermanentError when it cannot be written.
    """
    if path.name == "-" or (path.exists() and not path.is_file()):
        raise SettingsInvalid(
            f"the runbook is a page with a file beside it: {path} holds neither", hint="--runbook names a file, such as runbook.md"
        )
    data = house.claims or house.restorable
    restore = restore_course(house, house.claims, known=known, databases=house.restorable) if data else None
    try:
        return write_runbook(path, house, whole, restore)
    except OSError as error:
        raise PermanentError(
            f"the runbook cannot be written to {path}: {error.strerror}", hint="--runbook names a file in a folder that is there"
        ) from error


def write_runbook(path: Path, house: House, build: Course, restore: Course | None = None) -> tuple[Path, ...]:
    """Write the commands of both courses as Markdown, and the hold's policies beside it; answers the files written.

    Raises OSError when the folder cannot be written to.
    """
    mark = " (simulated house)" if house.simulated else ""
    lines = [
        f"# Runbook of {house.name}{mark}", "",
        "What a person would type, in order, without Blackstart. Wait after each step until its title is true.", "",
        *_before(house),
        "## The cluster", "",
        *_items(build),
    ]  # fmt: skip
    if restore is not None:
        lines += ["## The data", "", "For each claim: until its hold is released, no backup of it is written.", ""]
        lines += _items(restore)
    lines += _lost_nas(house)
    text = redact("\n".join(lines).rstrip("\n")) + "\n"
    write_whole(path, text.encode("utf-8", "backslashreplace"), mode=None)
    policies = path.with_name(POLICIES_FILE)
    write_whole(policies, manifests(), mode=None)
    return path, policies


def _before(house: House) -> Iterable[str]:
    """The machines, and what the shell must know."""
    cluster, folder = house.cluster, Path(house.cluster.talconfig).parent
    yield from ("## Before the first step", "")
    yield f"Talos {cluster.talos_version}, Kubernetes {cluster.kubernetes_version}, API at {cluster.endpoint}."
    yield f"Flux pulls {house.flux.branch} of {house.flux.url}."
    yield from ("", "| node | role | address | MAC | VM | Proxmox host |", "|---|---|---|---|---|---|")
    for node in house.nodes:
        role = "control plane" if node.control_plane else "worker"
        place = "of metal | its power is yours" if node.metal else f"{node.vm_id} | {node.host}"
        yield f"| {node.name} | {role} | {node.address} | {node.mac} | {place} |"
    yield from ("", "Commands that begin with `qm`, `pvesh`, `pvesm`, `pvecm` or `pveum` are typed on a Proxmox host, as root;")
    yield "all others on one machine that reaches the house, in one bash, in the folder of this page. Beside git, curl and ssh they"
    yield f"need {', '.join(program.name for program in needed_by(Need.RUN))}: the checkout's, or others on PATH. There, first:"
    yield from (
        "", "```sh",
        f'export PATH={shlex.quote(str(Places().programs))}:"$PATH"',
        f"mkdir -p -m 700 {shlex.quote(str(house.state_dir))}",
        f'export SOPS_AGE_KEY="$({secret_by_hand(house.age_key)})"',
        f"export TALOSCONFIG={shlex.quote(str(folder / 'clusterconfig' / 'talosconfig'))}",
        f"export KUBECONFIG={shlex.quote(str(house.state_dir / 'kubeconfig'))}",
        "```", "",
    )  # fmt: skip


def _lost_nas(house: House) -> Iterable[str]:
    """What brings a NAS back whose VM is gone: nothing here makes one, and its disks may still hold everything."""
    for nas in (one for one in house.nas if one.vm):
        yield from (f"## If VM {nas.vm} of NAS {nas.name} is lost", "")
        yield "Keep its configuration elsewhere while it lives: which disks of the host it is given, by id, is only there. Make"
        yield "no pool, wipe no disk, and attach each disk to one VM only. In this order, on the host that its disks are in:"
        yield from (
            "", "```sh",
            f"cat /etc/pve/qemu-server/{nas.vm}.conf   # while it lives: keep a copy elsewhere",
            f"pvesm list STORAGE --content backup --vmid {nas.vm}   # its backups, of vzdump or PBS: the newest",
            f"qmrestore VOLUME {nas.vm} --unique 0   # the VM with its own disk; what was passed through is not in it",
            "ls -l /dev/disk/by-id/   # the pool's disks, each by its serial number",
            f"qm set {nas.vm} -scsi1 /dev/disk/by-id/ID   # and so on, by id, each in its slot of the configuration",
            f"qm start {nas.vm}",
            "```", "",
        )  # fmt: skip
        yield f"Then on https://{nas.address}: Storage > Import Pool where the pool is not there by itself (an import that wants"
        yield "force says that another system used the pool last: be sure that no other has its disks), Datasets > Unlock with the"
        yield f"key that you keep, Shares as before, and a new API key of {nas.username} where the configuration is a new one."
        yield ""


def _items(course: Course) -> Iterable[str]:
    for number, item in enumerate(course.graph(), start=1):
        title = item.title if is_step(item) else f"make sure: {item.title}"
        yield from (f"{number}. **{item.id}** {title}", "")
        if isinstance(item, ByHand):
            yield from ("    ```sh", f"    {item.by_hand()}", "    ```", "")
