"""How often a method may be called without a login: 20 times a minute by one address. Knows no method."""

from __future__ import annotations

import threading
import time

_MOST, _WITHIN_S = 20, 60.0


class Logins:
    """Counts calls by method and address. `wait_s`: how long a call above the limit waits for its refusal (really: 1 to 10)."""

    def __init__(self, wait_s: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._calls: dict[tuple[str, str], list[float]] = {}
        self.wait_s = wait_s

    def allowed(self, method: str, address: str) -> bool:
        """Whether this call is one of the first 20 of the minute; waits before it says no."""
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault((method, address), [])
            calls[:] = [at for at in calls if now - at < _WITHIN_S]
            calls.append(now)
            fits = len(calls) <= _MOST
        if not fits:
            time.sleep(self.wait_s)
        return fits

    def forget(self) -> None:
        """The minute is over."""
        with self._lock:
            self._calls.clear()
