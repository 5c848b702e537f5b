"""Examinations that found a snapshot whole, kept for some minutes: one run asks several times. Opens nothing itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

from adapters.backups.results import Depth, Examination, Part, Repository, Verdict
from engine.waiting import Clock

WHOLE_S = 600.0


class FoundWhole:
    """Safe for several threads; two that ask at the same time both look."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str, Depth, Part], tuple[Examination, float]] = {}

    def examined(
        self, repository: Repository, snapshot_id: str, depth: Depth, part: Part, look: Callable[[], Examination]
    ) -> Examination:
        """What was found not long ago, else what `look` finds now. What somebody's lock stood in the way of is not kept."""
        key = (repository.address, snapshot_id, depth, part)
        with self._lock:
            found = self._kept.get(key)
        if found is not None and self._clock.monotonic() - found[1] < WHOLE_S:
            return found[0]
        examination = look()
        if examination.verdict in (Verdict.OK, Verdict.DAMAGED) and not examination.locks:
            with self._lock:
                self._kept[key] = (examination, self._clock.monotonic())
        return examination
