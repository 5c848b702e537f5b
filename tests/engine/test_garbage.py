"""What a process looks for garbage among, once all it needs is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TELLS = """
import gc, json, sys
from engine.garbage import loaded
def load():
    import decimal
    if sys.argv[1] == "broken": raise ImportError(gc.isenabled())
    return gc.isenabled()
try:
    meanwhile = loaded(load)
except ImportError as error:
    meanwhile = error.args[0]
print(json.dumps([meanwhile, gc.isenabled(), gc.get_freeze_count(), gc.get_threshold()[0]]))
"""


def told(how: str) -> list[int]:
    """Whether it is searched while loading, and after; what is kept out of it; after how many new objects."""
    ran = subprocess.run([sys.executable, "-c", TELLS, how], cwd=ROOT, capture_output=True, text=True, check=True)
    return list(json.loads(ran.stdout))


def test_what_was_imported_is_left_alone_and_what_comes_after_is_not() -> None:
    meanwhile, after, kept, threshold = told("whole")
    assert not meanwhile
    assert after
    assert kept > 1000
    assert 0 < threshold < 100_000


def test_garbage_is_looked_for_again_though_an_import_failed() -> None:
    meanwhile, after, *_ = told("broken")
    assert not meanwhile
    assert after
