"""Talos's MachineService, StorageService and TimeService over the World's machines. Knows no connection and no routing."""

from __future__ import annotations

import asyncio
import difflib
import io
import tarfile
from collections.abc import AsyncIterator, Callable, Iterator

from google.protobuf.timestamp_pb2 import Timestamp

from lab.wire.talos.calls import ADMIN, ETCD_READ, OPERATE, READ, Call, Streamed, Unary, Uploaded
from lab.wire.talos.certificates import kubeconfig
from lab.wire.talos.pb import talos_pb2 as pb
from lab.wire.talos.pb.etcd import RemoveMemberRequest
from lab.wire.talos.validating import problem
from lab.world.machines.etcd import EtcdStatus
from lab.world.machines.machine import Machine, Refused
from lab.world.machines.machineconfig import ConfigRefused, parse

_MODES = {0: "reboot", 1: "auto", 2: "no-reboot", 3: "staged", 4: "try"}
_PIECE = 32 << 10


def stamp(seconds: float) -> Timestamp:
    """A protobuf timestamp of seconds since the epoch."""
    return Timestamp(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))


def version(call: Call) -> pb.Version:
    """Version: in maintenance without features."""
    tag = call.talos.version_of(call.machine)
    info = pb.VersionInfo(tag=tag, sha="lab", built="", go_version="go1.26.8", os="linux", arch="amd64")
    reply = pb.Version(version=info, platform=pb.PlatformInfo(name="nocloud", mode="cloud"))
    if not call.maintenance:
        reply.features.rbac = True
    return reply


def refused_by_talos(call: Call) -> str:
    """Why Talos itself would not take the file, "" where it would."""
    return problem(call.request.data.decode(errors="replace"), "metal" if call.machine.iso else "cloud")


def apply(call: Call) -> pb.Applied:
    """ApplyConfiguration: with dry_run only the checks are made, and the difference is told."""
    mode = _MODES.get(call.request.mode, "unknown")
    text = call.request.data.decode(errors="replace")
    if call.told:
        raise Refused("InvalidArgument", call.told)
    act = call.talos.foresee if call.request.dry_run else call.talos.apply
    details = act(call.machine, text, mode)
    if call.request.dry_run:
        details = f"Dry run summary:\n{details} (skipped in dry-run).\nConfig diff:\n\n{_difference(call.machine, text)}"
    return pb.Applied(mode=call.request.mode, mode_details=details)


def _difference(machine: Machine, text: str) -> str:
    now = machine.config.text if machine.config is not None else ""
    return "".join(difflib.unified_diff(now.splitlines(True), text.splitlines(True), "a", "b")) or "No changes."


def apply_mutation(call: Call) -> tuple[str, str] | None:
    """The port's name of this mutation: by the hostname in the file, as the in-process door names it by node."""
    if call.request.dry_run:
        return None
    try:
        config = parse(call.request.data.decode(errors="replace"))
    except ConfigRefused:
        config = None
    return "apply_config", config.hostname if config is not None else call.machine.address


def bootstrap(call: Call) -> pb.Done:
    """Bootstrap: of a new, empty etcd, or of one from what was uploaded before."""
    if call.request.recover_etcd:
        call.talos.recover_uploaded(call.machine, skip_hash=call.request.recover_skip_hash_check)
    else:
        call.talos.bootstrap(call.machine)
    return pb.Done()


def bootstrap_mutation(call: Call) -> tuple[str, str] | None:
    """A recovery is a mutation of another port, and in the wire house never gets further than its refusal."""
    return None if call.request.recover_etcd else ("bootstrap_etcd", call.machine.address)


def etcd_recover(call: Call, content: bytes) -> pb.Done:
    """EtcdRecover: keep the snapshot on EPHEMERAL until a bootstrap wants it."""
    call.need_control_plane("etcd recover")
    disk = call.machine.talos_disk
    if disk is None:
        raise Refused("FailedPrecondition", "etcd service is not ready for recovery yet")
    disk.snapshot = content
    return pb.Done()


async def etcd_snapshot(call: Call) -> AsyncIterator[pb.Data]:
    """EtcdSnapshot: what the real etcd gives, where one runs."""
    call.need_control_plane("etcd snapshot")
    if not call.talos.etcd.healthy(call.machine):
        raise Refused("Unavailable", "etcdserver: no leader")
    for piece in _pieces(_real(call.talos.etcd.really_snapshot, call.machine)):
        yield piece


async def copy(call: Call) -> AsyncIterator[pb.Data]:
    """Copy: only of etcd's database, as a tar.gz with the one file `db`."""
    if call.request.path != "/var/lib/etcd/member/snap/db":
        raise call.not_simulated(f"copy {call.request.path}")
    if call.machine.etcd_dir is None:
        raise Refused("Unknown", f"lstat {call.request.path}: no such file or directory")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        content = _real(call.talos.etcd.really_database, call.machine)
        entry = tarfile.TarInfo("db")
        entry.size, entry.mode = len(content), 0o600
        archive.addfile(entry, io.BytesIO(content))
    for piece in _pieces(packed.getvalue()):
        yield piece


def _real(tell: Callable[[Machine], bytes] | None, machine: Machine) -> bytes:
    if tell is None:
        raise Refused("Unimplemented", "no real etcd runs here, and only that has a database")
    return tell(machine)


def _pieces(content: bytes) -> Iterator[pb.Data]:
    for at in range(0, len(content), _PIECE):
        yield pb.Data(bytes=content[at : at + _PIECE])


def services(call: Call) -> pb.ServiceList:
    """ServiceList."""
    reply = pb.ServiceList()
    for name, service in sorted(call.machine.services.items()):
        events = [pb.ServiceEvent(msg=e.message, state=e.state, ts=stamp(e.at)) for e in service.events]
        running = service.state == "Running"
        health = pb.ServiceHealth(unknown=not running, healthy=call.talos.service_healthy(call.machine, name))
        reply.services.append(
            pb.ServiceInfo(id=name, state=service.state, events=pb.ServiceEvents(events=events), health=health)
        )
    return reply


def etcd_members(call: Call) -> pb.EtcdMembers:
    """EtcdMemberList."""
    call.need_control_plane("member list")
    found = call.talos.etcd.members(call.machine)
    members = [
        pb.EtcdMember(
            id=m.member_id,
            hostname=m.hostname,
            peer_urls=[m.peer_url],
            client_urls=[m.client_url],
            is_learner=m.learner,
        )
        for m in found
    ]
    return pb.EtcdMembers(legacy_members=[m.hostname for m in found], members=members)


def etcd_remove(call: Call) -> pb.Done:
    """EtcdRemoveMemberByID."""
    call.need_control_plane("etcd remove member by ID")
    call.talos.etcd.remove(call.machine, call.request.member_id)
    return pb.Done()


def etcd_says(call: Call) -> EtcdStatus | None:
    """What the real etcd says of itself, None where none is real or none runs."""
    really = call.talos.etcd.really_status
    return really(call.machine) if really is not None and call.machine.service_state("etcd") == "Running" else None


def etcd_status(call: Call) -> pb.EtcdStatus:
    """EtcdStatus: what the real etcd says of itself; without one, ids, roles and the leader, and the rest is made up."""
    call.need_control_plane("etcd status")
    status = call.told or call.talos.etcd.status(call.machine)
    told = pb.EtcdMemberStatus(
        protocol_version=status.version, storage_version=status.storage_version, db_size=status.size, db_size_in_use=status.in_use,
        leader=status.leader, member_id=status.member_id, is_learner=status.learner, errors=status.errors,
        raft_index=status.index, raft_term=status.term, raft_applied_index=status.applied,
    )  # fmt: skip
    return pb.EtcdStatus(member_status=told)


def time(call: Call) -> pb.Time:
    """Time: the node's clock against its time server's, which it has to reach."""
    if not call.machine.time_synced:
        raise Refused("Internal", "error querying NTP server time.cloudflare.com: i/o timeout")
    now = call.talos.world.clock.now()
    return pb.Time(
        server="time.cloudflare.com", localtime=stamp(now + call.machine.clock_offset), remotetime=stamp(now)
    )


def memory(call: Call) -> pb.Memory:
    """Memory, in KiB: all that its VM has, and half of it free."""
    whole = call.machine.memory >> 10
    return pb.Memory(meminfo=pb.MemInfo(memtotal=whole, memfree=whole // 2, memavailable=whole // 2))


def disks(call: Call) -> pb.Disks:
    """StorageService.Disks."""
    system = call.machine.system_disk
    return pb.Disks(
        disks=[
            pb.StorageDisk(size=d.size, model="QEMU HARDDISK", device_name=d.device, type=2, system_disk=d is system)
            for d in call.machine.disks
        ]
    )


def reboot(call: Call) -> pb.Action:
    """Reboot."""
    call.talos.reboot(call.machine)
    return pb.Action(actor_id=call.machine.boot_id)


def shutdown(call: Call) -> pb.Action:
    """Shutdown."""
    call.talos.shutdown(call.machine)
    return pb.Action(actor_id=call.machine.boot_id)


def reset(call: Call) -> pb.Action:
    """Reset of partitions or of the whole system disk; user disks are not simulated."""
    if call.request.user_disks_to_wipe or call.request.mode == 2:
        raise Refused("Unimplemented", "wiping user disks is not simulated")
    named = call.request.system_partitions_to_wipe
    labels = [p.label for p in named if p.wipe]
    if named and not labels:  # with none named the whole disk would be wiped
        raise Refused("Unimplemented", "a reset that keeps every partition it names is not simulated by the lab")
    call.talos.reset(call.machine, labels, graceful=call.request.graceful, reboot=call.request.reboot)
    return pb.Action(actor_id=call.machine.boot_id)


async def admin_kubeconfig(call: Call) -> AsyncIterator[pb.Data]:
    """Kubeconfig: one message, a tar.gz with the one file `kubeconfig`."""
    call.need_control_plane("kubeconfig")
    if call.machine.config is None:
        raise Refused("FailedPrecondition", "k8s API server CA config is not set")
    content = kubeconfig(call.machine.config)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("kubeconfig")
        entry.size, entry.mode = len(content), 0o600
        archive.addfile(entry, io.BytesIO(content))
    yield pb.Data(bytes=packed.getvalue())


async def listing(call: Call) -> AsyncIterator[pb.FileInfo]:
    """List: only of etcd's data directory."""
    if call.request.root.rstrip("/") != "/var/lib/etcd":
        raise call.not_simulated(f"list {call.request.root}")
    if not call.machine.services:
        raise Refused("Unknown", f"lstat {call.request.root}: no such file or directory")
    yield pb.FileInfo(name="/var/lib/etcd", relative_name=".", is_dir=True, mode=0o40700)
    if call.machine.etcd_dir is not None:
        yield pb.FileInfo(name="/var/lib/etcd/member", relative_name="member", is_dir=True, mode=0o40700)


async def read(call: Call) -> AsyncIterator[pb.Data]:
    """Read: only of the boot id."""
    if call.request.path != "/proc/sys/kernel/random/boot_id":
        raise call.not_simulated(f"read {call.request.path}")
    yield pb.Data(bytes=f"{call.machine.boot_id}\n".encode())


async def dmesg(call: Call) -> AsyncIterator[pb.Data]:
    """Dmesg; with follow it goes on until the machine goes down."""
    sent, boot = 0, call.machine.boots
    while True:
        for line in call.machine.dmesg[sent:]:
            yield pb.Data(bytes=f"{line}\n".encode())
        sent = len(call.machine.dmesg)
        if not call.request.follow or call.machine.boots != boot or not call.machine.powered:
            return
        await asyncio.sleep(0.2)


_M = "/machine.MachineService/"

UNARY = (
    Unary(_M + "Version", pb.Empty, pb.VersionReply, READ, version),
    Unary(_M + "ApplyConfiguration", pb.ApplyRequest, pb.ApplyReply, ADMIN, apply, mutation=apply_mutation, ask=refused_by_talos),
    Unary(
        _M + "Bootstrap", pb.BootstrapRequest, pb.DoneReply, ADMIN, bootstrap,
        mutation=bootstrap_mutation,
    ),
    Unary(_M + "ServiceList", pb.Empty, pb.ServiceListReply, READ, services),
    Unary(_M + "EtcdMemberList", pb.EtcdMemberListRequest, pb.EtcdMemberListReply, ETCD_READ, etcd_members),
    Unary(
        _M + "EtcdRemoveMemberByID", RemoveMemberRequest, pb.DoneReply, ADMIN, etcd_remove,
        mutation=lambda call: ("remove_member", call.machine.address),
    ),
    Unary(_M + "EtcdStatus", pb.Empty, pb.EtcdStatusReply, ETCD_READ, etcd_status, ask=etcd_says),
    Unary(_M + "Memory", pb.Empty, pb.MemoryReply, READ, memory),
    Unary(_M + "Reboot", pb.RebootRequest, pb.ActionReply, OPERATE, reboot),
    Unary(
        _M + "Shutdown", pb.ShutdownRequest, pb.ActionReply, OPERATE, shutdown,
        mutation=lambda call: ("shut_down", call.machine.address),
    ),
    Unary(
        _M + "Reset", pb.ResetRequest, pb.ActionReply, ADMIN, reset,
        mutation=lambda call: ("wipe", call.machine.address), port="etcd",
    ),
    Unary("/storage.StorageService/Disks", pb.Empty, pb.DisksReply, READ, disks),
    Unary("/time.TimeService/Time", pb.Empty, pb.TimeReply, READ, time),
    Unary("/time.TimeService/TimeCheck", pb.TimeRequest, pb.TimeReply, READ, time),
)  # fmt: skip

STREAMED = (
    Streamed(
        _M + "Kubeconfig", pb.Empty, pb.Data, ADMIN, admin_kubeconfig,
        mutation=lambda call: ("fetch_kubeconfig", call.machine.address),
    ),
    Streamed(
        _M + "EtcdSnapshot", pb.Empty, pb.Data, ADMIN, etcd_snapshot,
        mutation=lambda call: ("take", call.machine.address), port="etcd",
    ),
    Streamed(_M + "Copy", pb.ReadRequest, pb.Data, ADMIN, copy, mutation=lambda call: ("copy", call.machine.address), port="etcd"),
    Streamed(_M + "List", pb.ListRequest, pb.FileInfo, ADMIN, listing),
    Streamed(_M + "Read", pb.ReadRequest, pb.Data, ADMIN, read),
    Streamed(_M + "Dmesg", pb.DmesgRequest, pb.Data, READ, dmesg),
)  # fmt: skip

UPLOADED = (Uploaded(_M + "EtcdRecover", pb.DoneReply, ADMIN, etcd_recover),)
