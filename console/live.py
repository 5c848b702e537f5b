"""Live progress on a terminal: what runs, what waits for what and how long yet, and how far the run is. Decides nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from console.plain import tell
from engine.events import Event, RunStarted, StepBegun, StepEnded, StepSeen, StepStarted, StepWaiting
from engine.report import Outcome

LOUD = frozenset({Outcome.CHANGED, Outcome.FAILED, Outcome.HELD, Outcome.INTERRUPTED})


@dataclass
class _Running:
    since: float
    what: str
    until: float | None = None


class LiveView:
    """A sink and a context manager: keeps a block of running steps below, and leaves a line for each that changed something."""

    def __init__(self, console: Console, prefix: str = "", settings: str = "") -> None:
        self._console = console
        self._settings = settings
        self._prefix = prefix
        self._running: dict[str, _Running] = {}
        self._total = 0
        self._ended = 0
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self._total = len(event.steps)
        elif isinstance(event, StepStarted):
            self._running[event.step] = _Running(time.monotonic(), "looking")
        elif isinstance(event, StepBegun):
            self._running[event.step] = _Running(time.monotonic(), "acting")
        elif isinstance(event, StepSeen) and event.step in self._running:
            self._running[event.step].what = event.detail
        elif isinstance(event, StepWaiting):
            until = time.monotonic() + event.limit_s if event.limit_s else None
            self._running[event.step] = _Running(time.monotonic(), event.what, until)
        elif isinstance(event, StepEnded):
            self._running.pop(event.report.id, None)
            self._ended += 1
            if event.report.outcome not in LOUD:
                return
        if not isinstance(event, StepWaiting | StepSeen | StepStarted | StepBegun):
            for line in tell(event, self._settings):
                self._console.print(Text(self._prefix + line))

    def _render(self) -> RenderableType:
        now = time.monotonic()
        lines = [Text(f"{self._prefix}{self._ended} of {self._total} done", "bold")]
        for step, state in self._running.items():
            yet = f", at most {max(0.0, state.until - now):.0f} s yet" if state.until else ""
            # A terminal cuts the end of a long line off: the times come first, then who, then for what.
            told = f"  {now - state.since:4.0f} s{yet}  {step}  {state.what}"
            lines.append(Text(told, "cyan", no_wrap=True, overflow="ellipsis"))
        return Group(*lines)
