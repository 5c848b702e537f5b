"""The runbook: every step's `by_hand`, in order, so that the operator is never hostage to this tool."""

from __future__ import annotations

from pathlib import Path

from cluster.course import Course
from engine.graph import is_step
from engine.secrets import redact
from house.model import House


def write_runbook(path: Path, house: House, course: Course) -> None:
    """Write the commands of all steps as Markdown; the checks stand as what to make sure of."""
    graph = course.graph()
    mark = " (simulated house)" if house.simulated else ""
    lines = [
        f"# Runbook of {house.name}{mark}", "",
        "What a person would type, in order. Wait after each step until its title is true.", "",
    ]  # fmt: skip
    for number, item in enumerate(graph, start=1):
        if is_step(item):
            lines += [f"{number}. **{item.id}** {item.title}", "", "   ```sh", f"   {item.by_hand()}", "   ```", ""]
        else:
            lines += [f"{number}. **{item.id}** make sure: {item.title}", ""]
    path.write_text(redact("\n".join(lines)), encoding="utf-8")
