"""Some of the repositories that `python -m tests.proof.kopia_damage` makes: no wrong yes and no false alarm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.backups.results import Depth
from tests.proof.kopia_cases import KopiaCase, kopia_cases
from tests.proof.kopia_damage import KopiaShop, kopia_shop, spared
from tests.proof.master import BIN

pytestmark = [
    pytest.mark.programs,
    pytest.mark.asked,
    pytest.mark.skipif(not (BIN / "kopia").exists(), reason="kopia is not built: invoke tools.build --only kopia"),
]
SAMPLE = {
    "good", "newest data pack missing", "first data pack cut in half", "newest tree pack missing", "data pack, one bit",
    "a neighbour's data pack cut in half", "newest index one bit", "index 0 from the newest missing", "another password",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[KopiaShop]:
    with kopia_shop() as made:
        yield made


@pytest.mark.parametrize("case", [case for case in kopia_cases() if case.name in SAMPLE], ids=lambda case: str(case.name))
def test_what_is_called_ok_can_be_restored_and_what_is_good_is_called_ok(shop: KopiaShop, case: KopiaCase) -> None:
    result = shop.play(case, (Depth.READ,) if case.silent else (Depth.TREE,))
    assert result.wrong_yes == () and result.false_alarm == (), (result.seen, result.truth)
    assert not case.spared or (spared(result) and result.truth.whole), (result.seen, result.truth)


def test_at_least_twenty_kinds_of_damage_are_played() -> None:
    harmed = [case for case in kopia_cases() if not case.good]
    assert {case.name for case in kopia_cases()} >= SAMPLE and len(harmed) >= 20
