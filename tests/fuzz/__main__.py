"""`python -m tests.fuzz --examples N [--only NAME]`: N examples over all targets, or of one, and each value in odd shapes.

Exits with 1 on a failure.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz.running import fuzz
from tests.fuzz.sweep import sweep
from tests.fuzz.targets import NAMES


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--examples", type=int, default=20_000)
    parser.add_argument("--only", choices=NAMES)
    asked = parser.parse_args()
    names = (asked.only,) if asked.only else NAMES
    failed = 0
    for name in names:
        began = time.monotonic()
        try:
            with tempfile.TemporaryDirectory() as folder:
                swept = 0 if name == "journal" else sweep(name, Path(folder) / "swept")
                fuzz(name, -(-asked.examples // len(names)), Path(folder) / "house", seeded=False)
            said = f"held, and {swept} values of another shape" if swept else "held"
        except Exception:
            failed, said = failed + 1, f"FAILED\n{traceback.format_exc()}"
        print(f"{name}: {-(-asked.examples // len(names))} examples, {time.monotonic() - began:.0f} s: {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
