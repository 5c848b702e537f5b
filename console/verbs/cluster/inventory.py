"""cluster.inventory: what the house is made of, and how it differs from what was written down; with write: written down."""

from __future__ import annotations

from rich.text import Text

from cluster.inventory import Taken, differences, take
from console.ending import guarded
from console.opened.opening import open_session
from console.session import Session
from console.views.rows import Row, Rows
from engine.errors import EXIT_DRIFT, EXIT_OK, EXIT_STEP_FAILED
from engine.text.words import number
from house.known.inventory import Inventory, inventory_path, known_inventory
from house.known.inventory_text import write_inventory

_NOUNS = {"vms": "VM", "volumes": "volume", "ceph": "Ceph cluster", "longhorn_volumes": "Longhorn volume"}


def inventory(settings: str, json: bool, write: bool) -> int:
    """Look at hosts and cluster; 3 where the file differs, 30 where not all could be looked at."""

    def body() -> int:
        return inventory_of(open_session("cluster.inventory", settings, json), write)

    return guarded("cluster.inventory", json, body, settings)


def inventory_of(session: Session, write: bool) -> int:
    """The same, of a session that stands open."""
    house = session.house
    known = known_inventory(house)  # before anybody is asked: a damaged one is never written over
    with session.doors(None) as doors:
        taken = take(doors.look, house)
    odd = differences(known, taken.with_lost(known)) if known is not None else ()
    written = (inventory_path(house),) if write and len(taken.silent) < 2 else ()
    if written:
        write_inventory(written[0], taken.kept(known))
    counts = _counts(taken.seen)
    if not session.json:
        _show(session, taken, known, odd)
    session.tell_written(written)
    code = EXIT_STEP_FAILED if taken.silent else EXIT_OK if written or (known is not None and not odd) else EXIT_DRIFT
    outcome = {EXIT_OK: "written" if written else "as written", EXIT_DRIFT: "differs"}.get(code, "failed")
    return session.finish(
        outcome, counts, code, inventory=taken.seen, differs=odd, not_looked_at=dict(taken.silent), written=written,
        known=known is not None,
    )  # fmt: skip


def _counts(seen: Inventory) -> dict[str, int]:
    cluster = seen.cluster
    found = {
        "vms": len(seen.machines.vms) if seen.machines is not None else 0,
        "volumes": len(cluster.volumes) if cluster is not None else 0,
        "ceph": len(cluster.ceph) if cluster is not None else 0,
        "longhorn_volumes": len(cluster.longhorn) if cluster is not None else 0,
    }
    return {word: count for word, count in found.items() if count}


def _show(session: Session, taken: Taken, known: Inventory | None, odd: tuple[str, ...]) -> None:
    page, seen = session.page, taken.seen
    rows = []
    for vm in seen.machines.vms if seen.machines is not None else ():
        disks = ", ".join(f"{disk.slot} {disk.size >> 30} GiB on {disk.storage}" for disk in vm.disks) or "no disk"
        rows.append(Row((Text("vm"), Text(str(vm.vm_id)), Text(vm.node or vm.name)), f"{vm.host}, {', '.join(vm.macs)}, {disks}"))
    cluster = seen.cluster
    for one in cluster.volumes if cluster is not None else ():
        rows.append(Row((Text("volume"), Text(one.size), Text(one.claim or "no claim")), f"{one.driver} {one.handle}"))
    for ceph in cluster.ceph if cluster is not None else ():
        monitors = f", monitors {', '.join(one.name for one in ceph.monitors)}" if ceph.monitors else ""
        name = f"{ceph.namespace}/{ceph.name}"
        rows.append(Row((Text("ceph"), Text(""), Text(name)), f"fsid {ceph.fsid or 'unknown'}{monitors}"))
    for volume in cluster.longhorn if cluster is not None else ():
        where = ", ".join(one.node for one in volume.replicas) or "no replica"
        rows.append(Row((Text("longhorn"), Text(""), Text(volume.name)), f"{volume.claim or 'no claim'}, on {where}"))
    page.show(Rows(rows, name=2))
    for line in odd:
        page.say(f"differs from the file: {line}")
    for section, why in taken.silent.items():
        page.say(f"not looked at: {section} ({why}); what the file says of it stays as it is")
    told = ", ".join(number(count, _NOUNS[word]) for word, count in _counts(seen).items())
    file = inventory_path(session.house).name
    state = f"{file} is not there yet" if known is None else f"{file} differs in {len(odd)}" if odd else f"{file} says the same"
    page.say(f"\n{told or 'Nothing could be looked at'}; {state}.")
