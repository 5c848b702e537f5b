"""Collects what the journal must say, writes it with one sync, and only then lets go on what waited for it. Knows no step."""

from __future__ import annotations

from collections.abc import Callable

from engine.errors import Interrupted, JournalUnwritable, OurError
from engine.journal import Journal
from engine.running.line import Answer
from engine.sealed.entries import Begin, End, Note
from engine.workers import Channel


class Scribe:
    """Used by the one thread that writes. After a failed sync nothing is written any more: `failure` says why."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entries: list[Begin | Note | End] = []
        self._after: list[Callable[[], None]] = []
        self.failure: JournalUnwritable | None = None

    def write(self, entry: Begin | Note | End) -> None:
        """With the next commit."""
        self._entries.append(entry)

    def then(self, act: Callable[[], None]) -> None:
        """Do this after the next commit, whether it succeeded or not."""
        self._after.append(act)

    def answer(self, channel: Channel[Answer], said: Callable[[], None]) -> None:
        """After the next commit: `said()` and yes when it succeeded, no when it failed."""

        def settle() -> None:
            if self.failure is None:
                said()
            channel.put(Answer(self.refusal()))

        self._after.append(settle)

    def refusal(self) -> OurError | None:
        """What to answer to those who want something written, once nothing can be."""
        return Interrupted("the journal cannot be written") if self.failure is not None else None

    def commit(self) -> None:
        """One write and one sync for all that came together, then the answers. A failure is kept, not raised."""
        entries, after = self._entries, self._after
        self._entries, self._after = [], []
        if self.failure is None:
            try:
                self._journal.append(*entries)
            except JournalUnwritable as error:
                self.failure = error
        for act in after:
            act()
