"""Who descends from a process is ended, the spared are not; asked in a process of its own, as the keeper and a minder ask."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tools.places import CHECKOUT

ASKING = """
import os, signal, time
from adapters.process.kin import become_subreaper, end_kin, kin_of

def child(act):
    pid = os.fork()
    if pid == 0:
        act()
        os._exit(0)
    return pid

def reaped():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass

become_subreaper()
assert end_kin(os.getpid()), "nobody is there"
spared = child(lambda: time.sleep(60))
assert end_kin(os.getpid(), {spared}) and kin_of(os.getpid()) == (spared,)
"""
CASES = {
    "a child": "other = child(lambda: time.sleep(60))",
    "one that forked twice to get away": "os.waitpid(child(lambda: child(lambda: (os.setsid(), time.sleep(60)))), 0)",
}


@pytest.mark.parametrize("case", CASES)
def test_all_but_the_spared_end_and_then_the_spared_too(case: str) -> None:
    asked = f"""{ASKING}
{CASES[case]}
assert len(kin_of(os.getpid())) == 2
assert end_kin(os.getpid(), {{spared}})
assert kin_of(os.getpid()) == (spared,)
reaped()
assert end_kin(os.getpid())
assert kin_of(os.getpid()) == ()
"""
    done = subprocess.run([sys.executable, "-c", asked], cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
