"""The lab's application: uses its volume as a careless program does. An empty volume gets defaults, no question asked.

A script of the standard library alone: `app.py FOLDER [FILES [BYTES]]`. On its first start it writes `defaults.json` and FILES
files of random content, which stand for what a user would miss; then it runs until it is ended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Make the volume usable where it is empty, then wait for the end."""
    folder = Path(arguments[0])
    files = int(arguments[1]) if len(arguments) > 1 else 0
    size = int(arguments[2]) if len(arguments) > 2 else 1024
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if any(entry.name != "lost+found" for entry in folder.iterdir()):
        _say("found its data")
    else:
        (folder / "defaults.json").write_text(json.dumps({"made-by": "the application's first start"}))
        for number in range(files):
            place = folder / f"library-{number % 7}"
            place.mkdir(exist_ok=True)
            (place / f"item-{number}.bin").write_bytes(os.urandom(size))
        _say(f"wrote its defaults and {files} files")
    while True:
        signal.pause()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
