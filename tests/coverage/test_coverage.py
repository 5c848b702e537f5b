"""The page of what is covered is whole and as its maker makes it; storage, hosts and Git turn their own rows red, and no others."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import filter as filter_
from pathlib import Path

import pytest

from console.gate import GATES
from lab.troubles.component import COMPONENT_TROUBLES
from tests.architecture.test_layers import ROOT
from tests.coverage.__main__ import looked, struck
from tests.coverage.desk import WholeDesk
from tests.coverage.document import DOCUMENT, cells, page
from tests.coverage.systems import Fault, System, systems
from tests.crash.apart import Built

SYSTEMS = tuple(systems())
OTHERS = {fault.name: fault for one in SYSTEMS for fault in one.faults if fault.name not in COMPONENT_TROUBLES}
SEED = ROOT.parent / "shared" / "seed-home-ops-readme.md"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built[WholeDesk]]:
    yield Built(WholeDesk, tmp_path_factory.mktemp("coverage") / "whole")


def test_nothing_is_red_in_a_house_in_order_and_it_is_looked_at_in_seconds(whole: Built[WholeDesk]) -> None:
    found, seconds = whole.visit(looked)
    assert found == {}
    assert seconds < 10


@pytest.mark.parametrize("fault", OTHERS.values(), ids=list(OTHERS))
def test_a_fault_turns_its_own_rows_red(whole: Built[WholeDesk], fault: Fault) -> None:
    found, _ = whole.visit(lambda desk: struck(desk, fault))
    assert sorted(found) == sorted(fault.rows), found


def test_the_page_is_what_its_maker_makes() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == page(SYSTEMS), "python -m tests.coverage --write"


@pytest.mark.parametrize("system", SYSTEMS, ids=[one.name for one in SYSTEMS])
def test_no_cell_is_empty_and_no_fault_is_without_a_row(system: System) -> None:
    assert all(cell.strip() for cell in cells(system))
    assert all(fault.rows for fault in system.faults)
    assert system.faults or system.check.startswith("not ")
    assert system.test == "none" or (ROOT / system.test).exists()


def test_every_trouble_of_a_component_is_on_the_page() -> None:
    told = {fault.name for one in SYSTEMS for fault in one.faults}
    assert set(COMPONENT_TROUBLES) <= told


@pytest.mark.skipif(not SEED.exists(), reason="the house's own description is not here")
def test_every_system_of_the_houses_description_is_on_the_page() -> None:
    text = SEED.read_text(encoding="utf-8", errors="replace")
    assert [one.seed for one in SYSTEMS if one.seed and one.seed not in text and one.seed != "Helmfile"] == []
    core = text[text.index("### Core Components"):text.index("### GitOps")]
    named = [line[3:line.index("]")] for line in core.splitlines() if line.startswith("- [")]
    cloud = text[text.index("## <img", text.index("Stateful") if "Stateful" in text else 0):]
    services = [line[3:line.index("]")] for line in cloud.splitlines() if line.startswith("- [") and "https://" in line]
    known = {one.seed for one in SYSTEMS}
    assert len(named) > 10
    assert [name for name in named if name not in known] == []
    assert [name for name in ("1Password", "Cloudflare", "GitHub", "Storj") if name not in known or name not in services] == []


def test_no_row_that_a_gate_names_is_unknown_to_the_whole_house(whole: Built[WholeDesk]) -> None:
    """A pattern that nothing answers to would be a yes that nobody gave. This house sets no greatest age, and has no database."""
    found = whole.visit(lambda desk: [row["id"] for row in desk.verified("upgrade")["steps"]])
    unanswered = [row for row in GATES["upgrade"].rows if not filter_(found, row)]
    assert unanswered == ["preflight.backup-age/*", "preflight.archive/*", "database.own-archive/*"]


def test_a_gate_answers_with_one_code(whole: Built[WholeDesk]) -> None:
    def asked(desk: WholeDesk) -> tuple[int, bool, list[str]]:
        found = desk.verified("upgrade")
        return found["exit_code"], found["may"], [row["id"] for row in found["steps"] if row["outcome"] != "ok"]

    assert whole.visit(asked) == (3, False, ["proof.claim/apps/notes", "proof.claim/apps/wiki", "hold.claims"])
    assert Path(DOCUMENT).name == "coverage.md"
