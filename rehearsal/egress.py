"""What restores fetch out of the stores, and what that costs at the prices of the settings. Knows no port.

Unknown is never free: where a part was not measured, or its store has no price, there is no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.text.words import some
from house.values.rehearsing import Prices
from rehearsal.outcome import Egress

GB = 10**9
_NAMED = 5
_UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Fetched:
    """One restore, or more of one claim: out of the store of this repository (as a mover sees it), so many bytes; None unknown."""

    name: str
    repository: str
    bytes: int | None


def egress_of(fetched: Iterable[Fetched], prices: Prices) -> Egress | None:
    """All of them together; None where none was measured."""
    given = tuple(fetched)
    counted = [(one, one.bytes, prices.of(one.repository)) for one in given if one.bytes is not None]
    if not counted:
        return None
    unmeasured = tuple(dict.fromkeys(one.name for one in given if one.bytes is None))
    unpriced = tuple(dict.fromkeys(one.name for one, _, price in counted if price is None))
    cost = sum(count / GB * (price or 0.0) for _, count, price in counted)
    known = not unmeasured and not unpriced
    return Egress(sum(count for _, count, _ in counted), cost if known else None, prices.currency, unmeasured, unpriced)


def told(egress: Egress | None) -> str:
    """How much it is and what it costs, in words."""
    if egress is None:
        return "of unknown size, for no drill has measured it"
    least = f"at least {_size(egress.bytes)} ({some(egress.unmeasured, _NAMED)} not measured)"
    size = least if egress.unmeasured else _size(egress.bytes)
    return f"{size}, {_cost(egress)}"


def _cost(egress: Egress) -> str:
    if egress.cost is None:
        prices = f"no price is given of {some(egress.unpriced, _NAMED)}" if egress.unpriced else ""
        return f"at an unknown price{f': {prices}' if prices else ''}"
    if egress.cost == 0:
        return "for nothing"
    return f"for less than 0.01 {egress.currency}" if egress.cost < 0.01 else f"for {egress.cost:.2f} {egress.currency}"


def _size(count: float) -> str:
    for unit in _UNITS:
        if count < 1000 or unit == _UNITS[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
