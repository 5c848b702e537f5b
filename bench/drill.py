"""What a drill's restore and comparison of one claim take in the lab, against `restic restore` and one read in a pod like it.

Run it with `python -m bench.drill [MIB FILES FOLDERS]`; without numbers 2 GiB in 20,000 files and 1,000 folders. Both take turns,
so that whatever else the machine does strikes both, and a drill is held against the plain restore of its own turn; the turn in the
middle counts. One disk wrote the same 2 GiB in 8 to 20 s, quicker from turn to turn: of two turns a ratio says nothing. Needs the
lab's programs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from adapters.drills.adapter import KubernetesDrills
from adapters.drills.borrowed import Lender, writing
from adapters.drills.fence import SCRATCH
from adapters.drills.jobs import restore_job, scratch_claim
from adapters.drills.openings import resolved
from adapters.drills.results import Order, Phase, Restore
from adapters.kubernetes.kinds import CLAIM, JOB, REPLICATION_DESTINATION
from adapters.volsync.mover import image_of_movers
from adapters.volsync.results import Listing
from bench.proof import LONG_S, Load, Rig, add_gaps, run, standing, timed
from bench.table import Table
from engine.waiting import CLOSE, SystemClock, wait_until
from recovery.compared.comparison import Comparison, compare

TURNS = 5
MOST_TIMES_PLAIN = 1.1
PLAIN = r"""
export RESTIC_CACHE_DIR=/tmp/restic RESTIC_PROGRESS_FPS=0.01
set -- restic --no-lock ${CUSTOM_CA:+--cacert "$CUSTOM_CA"}
"$@" restore "$SNAPSHOT" --target /data > /tmp/out 2>&1 &&
  find /data -type f -print0 | xargs -0 cat > /dev/null && echo 'r ok 0 0'
echo end
"""
CLOCK = SystemClock()


class Drilled:
    """A rig whose volume was backed up, and a drill's namespace beside it."""

    def __init__(self, made: Rig) -> None:
        self.rig = made
        self.drills = KubernetesDrills(made.clients, "bench", CLOCK, made.reader)
        self.drills.fence_in("bench")

    def order(self, into: str, size: int) -> Order:
        """A restore of the rig's snapshot into this claim."""
        return Order(into, self.rig.space, "app", self.rig.snapshot(), size)

    def plain(self, order: Order) -> None:
        """`restic restore`, and one read, in a pod like the drill's."""
        client = self.rig.clients.main()
        mover = Lender(client, resolved).borrowed(order.namespace, order.destination).mover
        as_whom = writing(client, order.namespace, order.destination, mover)
        job = restore_job(order, image_of_movers(client), mover, as_whom)
        job["spec"]["template"]["spec"]["containers"][0]["command"] = ["sh", "-c", PLAIN]
        found = client.get(REPLICATION_DESTINATION, order.destination, order.namespace) or {}
        client.create(CLAIM, scratch_claim(order, found), SCRATCH)
        client.create(JOB, job, SCRATCH)
        self._ended(order)

    def restored(self, order: Order) -> Listing:
        """The drill's own restore; the snapshot's list is read meanwhile."""
        self.drills.restore(order)
        listing = self.rig.listing(order.snapshot)
        self._ended(order)
        return listing

    def compared(self, order: Order, listing: Listing) -> Comparison:
        """The drill's own comparison: what the restore's pod has told, or a Job, and what differs."""
        return compare(listing, self.drills.compare(order))

    def _ended(self, order: Order) -> None:
        def look() -> Restore | None:
            state = self.drills.restored(order.into)
            return state if state.phase in (Phase.DONE, Phase.FAILED) else None

        state = wait_until(CLOCK, look, limit_s=LONG_S, what=order.into, pace=CLOSE)
        if state.phase is not Phase.DONE:
            raise RuntimeError(f"{order.into}: {state}")


def measure(load: Load, table: Table) -> None:
    """Restore in turn, and fill the table."""
    with standing() as made:
        made.restored(load)
        there = Drilled(made)
        tell(table, load, [one_turn(there, load, number) for number in range(TURNS)])


@dataclass(frozen=True)
class Turn:
    """Seconds that each took, what the comparison came to, and how many more reads of data packs the store has seen for it."""

    plain: float
    restore: float
    proof: float
    result: Comparison
    data_reads: int


def one_turn(there: Drilled, load: Load, number: int) -> Turn:
    """A plain restore, then a drill's. Whatever data packs a drill's reads more than the plain one its comparison has read."""
    there.rig.store.reads.clear()
    os.sync()  # what the turn before has left to be written would be written beside this one
    plain, _ = timed(partial(there.plain, there.order(f"plain-{number}", load.size)))
    without = there.rig.data_packs_read()
    there.rig.store.reads.clear()
    order = there.order(f"drilled-{number}", load.size)
    os.sync()
    restore, listing = timed(partial(there.restored, order))
    proof, result = timed(partial(there.compared, order, listing))
    return Turn(plain, restore, proof, result, there.rig.data_packs_read() - without)


def tell(table: Table, load: Load, turns: Sequence[Turn]) -> None:
    """The middle of each, and what any comparison left out."""
    plain, restore, proof = (median(took) for took in zip(*((one.plain, one.restore, one.proof) for one in turns), strict=True))
    ratios = [(one.restore + one.proof) / one.plain for one in turns]
    table.add("restic restore and one read, in a pod", plain, "s", note=f"{load}; of {each(one.plain for one in turns)}")
    table.add("a drill's restore", restore, "s", note=f"of {each(one.restore for one in turns)}")
    table.add("a drill's comparison: what the pod told, what differs", proof, "s", note=turns[0].result.depth)
    table.add("restore and comparison / plain", median(ratios), "x", MOST_TIMES_PLAIN, note=f"of {each(ratios, 2)}")
    add_gaps(table, load, [one.result for one in turns], sum(one.data_reads for one in turns), "comparison")


def each(values: Iterable[float], digits: int = 1) -> str:
    """Those of every turn, in its order: how far they differ tells what the one in the middle is worth."""
    return ", ".join(f"{one:.{digits}f}" for one in values)


if __name__ == "__main__":
    sys.exit(run("drill", measure, sys.argv[1:]))
