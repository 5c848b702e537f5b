"""What every benchmark tells: rows with goals, as a table on screen and as JSON in `bench/results/` (ignored by Git)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One line. A value above its goal is a miss; `unit` is ms, s, or x for a ratio within one run."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        """True also where there is no goal."""
        return self.goal is None or self.value <= self.goal


@dataclass
class Table:
    """The rows of one benchmark, by its name."""

    name: str
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, goal: float | None = None, note: str = "") -> None:
        """One more row."""
        self.rows.append(Row(what, value, unit, goal, note))

    def tell(self) -> int:
        """Print the table, write the JSON, and answer the exit code: 1 when a goal is missed."""
        width = max(len(row.what) for row in self.rows)
        for row in self.rows:
            goal = f"goal {row.goal:g}: {'met' if row.met else 'MISSED'}" if row.goal is not None else ""
            print(f"{row.what:<{width}}  {row.value:>9.3f} {row.unit:<2}  {goal:<16} {row.note}".rstrip())
        RESULTS.mkdir(exist_ok=True)
        rows = [{**asdict(row), "met": row.met} for row in self.rows]
        (RESULTS / f"{self.name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        return 0 if all(row.met for row in self.rows) else 1
