"""A drill from the kit alone, on the wire: an empty machine reaches the living house and drills there."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import EXIT_OK
from tests.crash.wire.bench import Bench
from tests.lab.lived_in.test_drilled import CLAIM, settled, world

pytestmark = [pytest.mark.programs, pytest.mark.houses, pytest.mark.long]


def test_a_drill_from_the_kit_passes_and_knows_nothing_else(restored: Bench, tmp_path: Path) -> None:
    kit, secrets = tmp_path / "home.kit.age", restored.folder.root
    assert restored.run("dr.kit", "--file", str(kit)).code == EXIT_OK
    before = settled(restored)
    restored.state.rename(tmp_path / "put-aside")
    try:
        ended = restored.run(
            "dr.rehearse", "--from-kit", str(kit), "--identity", str(restored.folder.secrets / "age.key"),
            "--secrets", str(secrets), "--claims", CLAIM, "--report", str(tmp_path / "evidence"),
        )  # fmt: skip
        assert ended.code == EXIT_OK, ended.result
        assert (ended.result["drill"]["verdict"], ended.result["kit"]["file"]) == ("PASS", str(kit))
        assert not restored.state.exists(), "it has a state folder of its own"
    finally:
        (tmp_path / "put-aside").rename(restored.state)
    assert world(restored) == before
    assert [path.name for path in restored.temporary.iterdir() if path.name.startswith("blackstart-kit-")] == []
    assert restored.run("dr.report", "--check", str(tmp_path / "evidence")).code == EXIT_OK
