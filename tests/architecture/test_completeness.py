"""What must not be forgotten: a test for every step, a door for every port, a line for every exit code and every verb."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from adapters.surface import surfaces
from engine import errors
from lab.modelled.house import ModelledHome
from lab.world.clock import VirtualClock
from tasks import namespace
from tests.architecture.test_layers import ROOT
from tests.builders import a_house


def step_modules() -> list[str]:
    """Every step file."""
    return sorted(
        str(path.relative_to(ROOT))
        for area in ("bootstrap", "recovery", "rehearsal", "cluster")
        for path in (ROOT / area / "steps").rglob("*.py")
        if path.stem != "__init__"
    )


@pytest.mark.parametrize("module", step_modules())
def test_every_step_is_met_by_a_scenario(module: str) -> None:
    text = (ROOT / module).read_text()
    found = re.search(r'StepId\(f?"([a-z0-9.-]+)', text)
    assert found, "no StepId in this step file"
    scenarios, courses = texts()
    assert f"{Path(module).stem}." in courses, "in no course"
    assert found.group(1).split("/")[0] in scenarios or Path(module).stem in scenarios, "in no test"


@cache
def texts() -> tuple[str, str]:
    """All tests, and all courses."""
    scenarios = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    areas = ("bootstrap", "recovery", "recovery/courses", "rehearsal")
    return scenarios, "".join(path.read_text() for area in areas for path in (ROOT / area).glob("*.py"))


def test_every_port_method_is_in_the_lab() -> None:
    act = ModelledHome(a_house(), VirtualClock()).act("run")
    for name, known in surfaces().items():
        door = getattr(act, name)
        missing = [method for method in known.looks | known.mutations if not callable(getattr(door, method, None))]
        assert missing == [], f"{name}: {missing}"


def test_every_exit_code_is_documented() -> None:
    readme = (ROOT / "README.md").read_text()
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    codes |= {
        kind.exit_code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.BlackstartError)
    }
    missing = [code for code in sorted(codes) if not re.search(rf"^\| *{code} *\|", readme, re.M)]
    assert missing == []


@pytest.mark.parametrize("page", ["README.md", "docs/verbs.md"])
def test_every_verb_is_documented(page: str) -> None:
    told = (ROOT / page).read_text(encoding="utf-8")
    verbs = sorted(f"{room}.{verb}" for room, collection in namespace.collections.items() for verb in collection.task_names)
    assert len(verbs) > 30
    assert [verb for verb in verbs if f"`{verb}" not in told] == []
