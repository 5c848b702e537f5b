"""Live progress on a terminal: a bar a stage, what runs, what it waits for, and what is left. Decides nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from console.views.folding import fold
from console.views.pace import Pace, left_in_words
from console.views.plain import MARK_WIDTH, tell
from console.views.stages import Stage, stage_of, stages
from engine.events import Event, RunStarted, StepBegun, StepEnded, StepSeen, StepStarted, StepWaiting
from engine.report import Outcome
from engine.step import StepId
from engine.text.lengths import ticking

LOUD = frozenset({Outcome.CHANGED, Outcome.FAILED, Outcome.HELD, Outcome.INTERRUPTED})
LONGEST_BAR = 40
LEAST_BAR = 8
CLOCK_WIDTH = 10
BELOW = CLOCK_WIDTH + 2
MOST_BELOW = 2
"""So many lines tell what one step waits for."""
LEAST_RUNNING = 3
"""So many lines at least tell what runs; on a terminal too low for bars and them, there are no bars."""


@dataclass
class _Running:
    since: float
    what: str
    until: float | None = None


class LiveView:
    """A sink and a context manager: a block of stages and running steps below, a line above for each step that did something.

    `pace` is what is known of earlier runs once this run's steps are known; `now` is a monotonic clock, in seconds.
    """

    def __init__(
        self, console: Console, settings: str = "", pace: Callable[[tuple[StepId, ...]], Pace | None] = lambda steps: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._console = console
        self._settings = settings
        self._pace_of = pace
        self._now = now
        self._began = now()
        self._pace: Pace | None = None
        self._stages: dict[str, Stage] = {}
        self._running: dict[StepId, _Running] = {}
        # Events come on the screen's thread, and the block is drawn on rich's.
        self._lock = threading.RLock()
        self._live = Live(get_renderable=self.block, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, event: Event) -> None:
        with self._lock:
            self._take(event)
        if isinstance(event, StepWaiting | StepSeen | StepStarted | StepBegun):
            return
        if isinstance(event, StepEnded) and event.report.outcome not in LOUD:
            return
        for line in tell(event, self._settings):
            for part in fold(line, self._console.width, MARK_WIDTH):
                self._console.print(Text(part))

    def _take(self, event: Event) -> None:
        now = self._now()
        if isinstance(event, RunStarted):
            self._stages = stages(event.steps)
            self._pace = self._pace_of(event.steps)
        elif isinstance(event, StepStarted):
            self._running[event.step] = _Running(now, "looking")
            stage = self._stages[stage_of(event.step)]
            stage.began = now if stage.began is None else stage.began
        elif isinstance(event, StepBegun):
            self._running[event.step] = _Running(now, "acting")
        elif isinstance(event, StepSeen) and event.step in self._running:
            self._running[event.step].what = event.detail
        elif isinstance(event, StepWaiting):
            self._running[event.step] = _Running(now, event.what, now + event.limit_s if event.limit_s else None)
        elif isinstance(event, StepEnded):
            self._running.pop(event.report.id, None)
            stage = self._stages[stage_of(event.report.id)]
            stage.open.discard(event.report.id)
            stage.ended = None if stage.open else now

    def block(self) -> RenderableType:
        """The block as it stands now."""
        with self._lock:
            now = self._now()
            running = list(self._running.items())
            total = fold(self._sum(now), self._console.width)
            height = self._console.height - len(total) - 1  # one for the line that the cursor stands on
            bars = list(self._bars(now)) if len(self._stages) + min(len(running), LEAST_RUNNING) <= height else []
            below = self._told(running, now, height - len(bars))
            return Group(*bars, *(Text(line, "bold") for line in total), *below)

    def _sum(self, now: float) -> str:
        done, of = sum(stage.done for stage in self._stages.values()), sum(stage.of for stage in self._stages.values())
        open_ = [step for stage in self._stages.values() for step in stage.open]
        left = self._left(now, open_)
        if left:
            return f"{done} of {of} done in {ticking(now - self._began)}, {left}"
        first = "" if self._pace is not None or not open_ else "; no earlier run tells what is left"
        return f"{done} of {of} done in {ticking(now - self._began)}{first}"

    def _left(self, now: float, steps: list[StepId]) -> str:
        if self._pace is None or not steps:
            return ""
        open_ = [step for stage in self._stages.values() for step in stage.open]
        seconds = {step: now - state.since for step, state in self._running.items()}
        return left_in_words(self._pace.left(open_, seconds, steps))

    def _bars(self, now: float) -> Iterator[Text]:
        """One line a stage: its bar, how many of its steps have ended, how long it took, and, where there is room, about what is
        left of it."""
        shown = [(stage, f"{stage.done} of {stage.of}", stage.seconds(now)) for stage in self._stages.values()]
        names = max((cell_len(stage.name) for stage, _, _ in shown), default=0)
        counts = max((len(count) for _, count, _ in shown), default=0)
        room = self._console.width - names - counts - 40
        length = max(LEAST_BAR, min(LONGEST_BAR, room))
        for stage, count, seconds in shown:
            took = "" if seconds is None else ticking(seconds)
            left = "" if seconds is None else self._left(now, list(stage.open))
            full = length * stage.done // stage.of
            bar = Text.assemble(
                f"{stage.name:<{names}}  ", (self._sign("█", "#") * full, "green" if not stage.open else "cyan"),
                (self._sign("░", ".") * (length - full), "dim"), f"  {count:>{counts}}  {took:>{CLOCK_WIDTH}}".rstrip(),
                no_wrap=True, overflow="crop",
            )  # fmt: skip
            # Half a word tells nothing: on a phone the sum below tells what is left of all.
            yield bar.append(f"  {left}") if left and bar.cell_len + 2 + cell_len(left) <= self._console.width else bar

    def _told(self, running: list[tuple[StepId, _Running]], now: float, room: int) -> list[Text]:
        """What runs, longest first, in as many lines as there is room for."""
        lines: list[list[str]] = []
        for step, state in sorted(running, key=lambda item: item[1].since):
            # How long it may yet take comes before for what: the end of a long line is what a low terminal leaves out.
            yet = f"  at most {ticking(max(0.0, state.until - now))} more" if state.until else ""
            lines.append(self._running_lines(f"{ticking(now - state.since):>{CLOCK_WIDTH}}  {step}{yet}", state.what))
        shown: list[str] = []
        for number, told in enumerate(lines):
            last = number == len(lines) - 1
            if len(shown) + len(told) > room - (not last):
                shown.append(self._fit(f"{'':>{CLOCK_WIDTH}}  and {len(lines) - number} more"))
                break
            shown += told
        return [Text(line, "cyan", no_wrap=True, overflow="crop") for line in shown[: max(0, room)]]

    def _running_lines(self, first: str, what: str) -> list[str]:
        """The step and what it waits for on one line, or on two where they do not fit."""
        width = self._console.width
        if cell_len(f"{first}  {what}") <= width:
            return [f"{first}  {what}"]
        below = fold(" " * BELOW + what, width, BELOW)
        return [*fold(first, width, BELOW), *(self._fit(line) for line in below[:MOST_BELOW])]

    def _fit(self, line: str) -> str:
        """A line that moves no other: what is longer than the terminal is wide says that it goes on."""
        width, sign = self._console.width, self._sign("…", "~")
        return line if cell_len(line) <= width else set_cell_size(line, width - 1) + sign

    def _sign(self, drawn: str, plain: str) -> str:
        """A sign that the terminal's encoding has."""
        try:
            drawn.encode(self._console.encoding)
        except (UnicodeEncodeError, LookupError):
            return plain
        return drawn
