"""The acts of a demo and what each showed. Knows no house: the modelled and the full demo both tell theirs through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.text import Text

from console.views.page import Page
from console.views.rows import Row, Rows


@dataclass
class Act:
    """One act: what is done, how long it took (seconds), what it showed, and whether that is what must hold."""

    title: str
    seconds: float = 0.0
    shown: list[str] = field(default_factory=list)
    held: bool = True


@dataclass
class Story:
    """Tells acts as they come. `now` is the demo's clock in seconds."""

    page: Page
    now: Callable[[], float]
    acts: list[Act] = field(default_factory=list)

    def say(self, line: str) -> None:
        """One line."""
        self.page.say(line)

    @contextmanager
    def act(self, title: str) -> Iterator[Act]:
        """One act: times it, and keeps an error from ending the story untold."""
        act = Act(title)
        self.acts.append(act)
        self.say(f"--- {title}")
        start = self.now()
        try:
            yield act
        except BaseException:
            act.held = False
            raise
        finally:
            act.seconds = self.now() - start
            for line in act.shown:
                self.say(f"    {line}")

    def show(self, act: Act, holds: bool, told: str) -> None:
        """Something that must hold, and what was seen; the demo fails when it does not."""
        act.shown.append(("" if holds else "DOES NOT HOLD: ") + told)
        act.held = act.held and holds

    @property
    def holds(self) -> bool:
        """Whether everything that was shown held."""
        return bool(self.acts) and all(act.held for act in self.acts)

    def table(self, seconds_are: str) -> Rows:
        """What took how long, and what it showed."""
        rows = []
        for act in self.acts:
            style = "" if act.held else "bold red"
            below = tuple(Text(told, style) for told in act.shown)
            rows.append(Row((Text(f"{act.seconds:.1f}"),), act.title, below))
        return Rows(rows, (seconds_are, "act, and what was seen"), right=frozenset({0}))
