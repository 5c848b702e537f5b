"""How far an audit is: one line that counts on a terminal, a line a repository in a pipe, an object in JSON. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.status import Status

from cluster.backups.audit import ClaimAudit
from cluster.backups.auditing import Audited, Look, side_by_side
from console.session import Session
from engine.workers import Threads
from house.model import BackedUpClaim, Limits


class AuditView:
    """Tells each audit as it ends. A context manager, for the line on a terminal goes away at the end."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._status = Status("", console=session.page.console) if session.page.live else None

    def __enter__(self) -> AuditView:
        if self._status is not None:
            self._session.page.begin()
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()

    def tell(self, ended: Audited) -> None:
        """One repository more."""
        audit, session = ended.audit, self._session
        if session.json:
            session.lines.write({
                "event": "Audited", "claim": audit.claim.key, "place": audit.claim.origin, "verdict": audit.verdict,
                "depth": audit.depth, "told": audit.told, "seconds": round(ended.seconds, 3), "done": ended.done, "of": ended.of,
                "left_s": round(ended.left_s, 1),
            })  # fmt: skip
            return
        yet = f", about {ended.left_s:.0f} s yet" if ended.done < ended.of else ""
        if self._status is not None:
            self._status.update(f"{ended.done} of {ended.of} repositories looked at{yet}")
            return
        line = f"{ended.done:>4} of {ended.of}{yet}: {audit.claim.source_key} {audit.told} ({ended.seconds:.1f} s)"
        session.page.say(line)

    def again(self, look: Look, claims: Sequence[BackedUpClaim], limits: Limits) -> list[ClaimAudit]:
        """The second look at some claims, told as the first."""
        return side_by_side(
            look, claims, self._session.clock, Threads(), self.tell, at_once=limits.parallel, limit_s=limits.restore_s
        )
