"""`python -m tests.proof.real_ceph [FAULT...]`: each named fault of a Ceph on a real one, its verdict against the recordings'.

Exit code 1 where one differs, 2 for a name that is none, ABSENT where no Ceph can be had here: nothing was looked at then.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from lab.parts.realceph import NoCeph, RealCeph, lacks
from lab.troubles.ceph import CEPH_TROUBLES
from tests.cluster.storage.ceph.test_recordings import FACTS, recorded
from tests.contract.proxmox.real_ceph import NOT_PLAYED, PLAYED, Played, looked, play
from tests.prove import ABSENT

_WRITE_S = 5.0


def main(names: list[str]) -> int:
    """Play them all, or those that are named."""
    if unknown := set(names) - {one.name for one in PLAYED}:
        print(f"no such fault: {', '.join(sorted(unknown))}. There are: {', '.join(one.name for one in PLAYED)}")
        return 2
    if why := lacks():
        print(f"No real Ceph: {why}. Nothing was played.")
        return ABSENT
    wanted = [one for one in PLAYED if not names or one.name in names]
    with tempfile.TemporaryDirectory(prefix="ceph-") as folder:
        ceph = RealCeph(Path(folder) / "c")
        try:
            ceph.begin()
            wrong = _differs("ceph-osds-never-booted", looked(ceph).verdict, "block")
            ceph.go()
            for one in wanted:
                wrong += _played(ceph, one)
            wrong += _dark(ceph) if not names or "ceph-power-cut" in names else 0
        finally:
            ceph.close()
    for name, why in NOT_PLAYED.items():
        print(f"{name:24} not played: {why}")
    print(f"{wrong} differ")
    return 1 if wrong else 0


def _played(ceph: RealCeph, one: Played) -> int:
    began = time.monotonic()
    try:
        seen = play(ceph, one)
    except NoCeph as error:
        print(f"{one.name:24} NOT SEEN: {error}", flush=True)
        return 1
    says = _words().get(one.recording, CEPH_TROUBLES[one.name].says)
    told = f"{time.monotonic() - began:5.1f} s  {seen.says or 'no answer'}; {'; '.join(seen.told[:2])[:160]}"
    expected = recorded().get(one.recording, one.verdict)
    wrong = _differs(one.name, f"{seen.verdict} {seen.verdict} {seen.says}", f"{expected} {one.verdict} {says}", told)
    # Proxmox' list of pools has no quota: that alone may be seen by one of both.
    return wrong + (0 if one.name == "ceph-pool-full" else _differs(f"{one.name}, by Proxmox", seen.hosted, one.verdict))


def _words() -> dict[str, str]:
    """Name of a recording → the status word that it has."""
    path = FACTS / "verdicts.txt"
    return {line.split()[0]: line.split()[1] for line in path.read_text().splitlines() if line.strip()} if path.is_file() else {}


def _dark(ceph: RealCeph) -> int:
    """What no look sees: with all OSDs killed at once a write does not end."""
    cut = next(one for one in PLAYED if one.name == "ceph-power-cut")
    well = ceph.write("before", 30.0)
    cut.begins(ceph)
    ended = ceph.write("after", _WRITE_S)
    cut.ends(ceph)
    return _differs("ceph-power-cut, a write", f"{well} {ended}", "True False")


def _differs(name: str, found: str, expected: str, told: str = "") -> int:
    judged = "as expected" if found == expected else f"DIFFERS: {found}, and {expected} was expected"
    print(f"{name:24} {judged}  {told}", flush=True)
    return int(found != expected)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
