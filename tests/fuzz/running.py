"""Runs one target on so many examples."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from house.loader import Part
from tests.fuzz.targets import cases, journal, read, within_bounds


def fuzz(name: str, examples: int, root: Path, *, seeded: bool) -> None:
    """Raises what hypothesis shrank a failure to. `seeded`: the same examples every time, each read as one part, drawn with it.

    What is refused whole is made a house of as a part: read whole alone, most examples would never come that far.
    """
    parts = st.sampled_from([(part,) for part in Part]) if seeded else st.just(tuple(Part))

    @settings(
        max_examples=examples, deadline=None, derandomize=seeded, database=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )  # fmt: skip
    @given(cases(name), parts)
    def run(value: Any, parts: Collection[Part]) -> None:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        if name == "journal":
            bodies = [body for body in value if isinstance(body, dict)] if isinstance(value, list) else []
            within_bounds(lambda: journal(bodies, root))
        else:
            within_bounds(lambda: read(name, value, root, parts))

    run()
