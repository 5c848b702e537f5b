"""The demo of a rehearsal with the real programs, as a proof: `python -m tests.rehearsal.played`."""

from __future__ import annotations

import sys

from console.demo.rehearsal import play

if __name__ == "__main__":
    sys.exit(play())
