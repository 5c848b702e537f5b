"""Every write of the simulators with its time, and what went wrong in the lab itself: the best aid when a scenario fails."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path


class WriteJournal:
    """One JSON line per write: `at` (seconds since this journal began), `who`, `what`, `on`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._out = path.open("a", buffering=1)
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def wrote(self, who: str, what: str, on: str) -> None:
        """Note one write. After `close` nothing is noted."""
        with self._lock:
            if not self._out.closed:
                at = round(time.monotonic() - self._began, 3)
                self._out.write(json.dumps({"at": at, "who": who, "what": what, "on": on}) + "\n")

    def close(self) -> None:
        """End the journal."""
        with self._lock:
            self._out.close()
