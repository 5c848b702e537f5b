"""A day of lab time in the whole house: random faults of docs/coverage.md, one after the other and together.

`python -m tests.coverage.day [--seed N] [--hours H]`: every fault must be named within the time that its own file gives
(`seen_within_s`), go on being named while it lasts, and nothing may be red otherwise. 1 on any miss or false alarm.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from lab.troubles.seen import WITHIN_S
from tests.coverage.desk import WholeDesk, blocked, red
from tests.coverage.living import Living
from tests.coverage.systems import Fault, systems
from tests.coverage.watch import Watch, Watched, at
from tests.coverage.whole_house import written_down

LOOK_EVERY_S = 300.0
LONGEST_S = 14 * 3600.0
"""A fault that takes longer to be told begins so long ago that it is told now."""
_GAPS_S, _LASTS_S = (120.0, 1200.0), (300.0, 1500.0)
"""How long until the next one begins, and how long one lasts once it was named."""
_FIRST_LOOK_S = 10.0
_QUIET_EVERY, _QUIET = 4, 3
"""Of every so many hours, the one in which nothing begins."""
_MACHINES = frozenset({"Proxmox VE and its hosts", "Talos", "etcd", "Kubernetes"})
"""They meet in the same machines: one that is switched off and on again has lost what was wrong with its kubelet."""
_COMMITS = frozenset({"GitHub (the repository)", "Flux, flux-operator, all that is applied"})
"""They meet in what the branch, the clone and Flux have: two of them together are one other thing."""
_BOOTING = ("talos.*", "kubernetes.api-servers", "kubernetes.nodes")
"""What is told of a machine that was mended, until it has booted and its etcd and API server have come back."""


@dataclass(frozen=True)
class Card:
    """One fault and the systems that it strikes: two faults of one system are never there together."""

    fault: Fault
    of: frozenset[str]

    @property
    def within_s(self) -> float:
        """Seconds until it must be named, from the moment at which the day lets it begin."""
        return self.fault.seen_within_s if self.fault.seen_within_s <= LONGEST_S else WITHIN_S

    @property
    def age_s(self) -> float:
        """How old its cause is by then."""
        return 0.0 if self.fault.seen_within_s <= LONGEST_S else self.fault.age_s

    @property
    def aftermath(self) -> tuple[str, ...]:
        """Patterns of rows that may be red for a while once it has ended."""
        return _BOOTING if self.of & _MACHINES else ()

    def goes_with(self, others: Iterable[Card]) -> bool:
        """Whether it may begin beside these."""
        rows = set(self.fault.rows)
        return not any(self.of & other.of or rows & set(other.fault.rows) for other in others)


def deck() -> list[Card]:
    """Every fault of the page, once, in its order."""
    found: dict[str, Card] = {}
    for system in systems():
        for fault in system.faults:
            before = found[fault.name].of if fault.name in found else frozenset[str]()
            met = next((these for these in (_MACHINES, _COMMITS) if system.name in these), frozenset({system.name}))
            found[fault.name] = Card(fault, before | met)
    return list(found.values())


@dataclass
class Day:
    """One day in one house: `chosen` are the faults that it may draw from, each once before any comes again."""

    desk: WholeDesk
    chosen: list[Card]
    seed: int
    hours: float
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._living = Living(self.desk.running)
        self._here: dict[str, tuple[Card, Watched, float]] = {}
        self._left: list[Card] = []
        self._began = self._living.now

    def live(self) -> Watch:
        """All of it; what came of it."""
        end = self._began + self.hours * 3600.0
        begins, look = self._living.now + self._between(_GAPS_S), self._living.now
        deadlines: list[float] = []
        while self._living.now < end or self._here:
            now = self._living.now
            if now >= begins and now < end:
                deadlines += () if self._quiet(now) else self._begin(now)
                begins = now + self._between(_GAPS_S)
            self._end_what_has_lasted(now, over=now >= end)
            deadlines = [one for one in deadlines if one > now]
            look = look + LOOK_EVERY_S if look <= now else look
            coming = [begins] if begins < end else []
            self._living.sleep_until(min([look, *deadlines, *coming]))
            self._look()
        self._living.sleep_until(self._living.now + LOOK_EVERY_S)
        self._look()
        return self.watch

    def _quiet(self, now: float) -> bool:
        """Whether this is an hour in which nothing is to begin."""
        return (now - self._began) // 3600 % _QUIET_EVERY == _QUIET

    def _between(self, span: tuple[float, float]) -> float:
        return float(round(self._random.uniform(*span)))

    def _begin(self, now: float) -> Iterator[float]:
        """Let one more begin, where one goes with what is there: when it must be looked at."""
        self._left = self._left or self._random.sample(self.chosen, len(self.chosen))
        here = [card for card, _, _ in self._here.values()]
        card = next((one for one in self._left if one.goes_with(here)), None)
        if card is None:
            return
        self._left.remove(card)
        self._living.begin(card.fault.name, now - card.age_s)
        watched = self.watch.begins(Watched(card.fault.name, card.fault.rows, now, card.within_s, card.aftermath))
        self._here[card.fault.name] = card, watched, self._between(_LASTS_S)
        yield from {now + min(_FIRST_LOOK_S, card.within_s), now + card.within_s}

    def _end_what_has_lasted(self, now: float, *, over: bool) -> None:
        for name, (_, watched, lasts_s) in list(self._here.items()):
            since = watched.named if watched.named is not None else watched.began + watched.within_s
            if now - since >= lasts_s or (over and watched.named is not None) or (over and now >= since):
                self._living.end(name)
                watched.ended = now
                del self._here[name]
                say(line(watched))

    def _look(self) -> None:
        told = self.desk.verified()
        self.watch.looked(self._living.now, red(told), blocked(told))


def line(one: Watched) -> str:
    """One fault in the table."""
    took = "never" if one.took_s is None else f"{one.took_s:.0f} s"
    lasted = f"{((one.ended or one.began) - one.began) / 60:.0f} min"
    return f"{at(one.began)[3:]:<6} {one.name:<34} {took:>9} of {one.within_s:>6.0f} s  {lasted:>8}"


def say(text: str) -> None:
    """At once: the next line may be a while away."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.coverage.day", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--fault", action="append", help="only this one (again for more)")
    chosen = parser.parse_args(arguments)
    cards = [card for card in deck() if not chosen.fault or card.fault.name in chosen.fault]
    say(f"{'began':<6} {'fault':<34} {'named after':>22}  {'lasted':>8}")
    with tempfile.TemporaryDirectory() as folder:
        watch = lived(WholeDesk(Path(folder) / "whole"), cards, seed=chosen.seed, hours=chosen.hours)
    for wrong in watch.wrongs:
        say(f"WRONG {wrong}")
    unseen = len(cards) - len({one.name for one in watch.faults})
    say(
        f"seed {chosen.seed}, {chosen.hours:g} h: {len(watch.faults)} faults ({unseen} of {len(cards)} never came), "
        f"{watch.looks} looks, {watch.quiet} of them quiet; {len(watch.wrongs)} wrong"
    )
    return 1 if watch.wrongs else 0


def lived(desk: WholeDesk, cards: list[Card], *, seed: int, hours: float) -> Watch:
    """A day in a house whose data are back; every fault of `cards` may come."""
    assert desk.running.apply(desk.running.restore).converged
    written_down(desk.running)
    return Day(desk, cards, seed, hours).live()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
