"""A dozen of the repositories that `python -m tests.proof.damage` makes: no wrong yes and no false alarm."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.backups.results import Depth
from tests.proof.cases import Case, cases
from tests.proof.damage import Workshop, workshop
from tests.proof.master import BIN

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(not (BIN / "restic").exists(), reason="restic is not built"),
]
SAMPLE = {
    "good", "good, without summaries", "newest data pack missing", "oldest tree pack missing", "data pack a byte short",
    "data pack, one bit", "newest index missing", "newest snapshot of an unknown tree", "folders only, no summary",
    "exclusive lock, two days old", "data pack behind a byte", "newest index not readable", "partial, then nothing",
    "newest mended by repair snapshots", "good, strangers' files among restic's own", "newest index under another id",
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Iterator[Workshop]:
    with workshop() as made:
        yield made


@pytest.mark.parametrize("case", [case for case in cases() if case.name in SAMPLE], ids=lambda case: str(case.name))
def test_what_is_called_ok_can_be_restored_and_what_is_good_is_called_ok(shop: Workshop, case: Case) -> None:
    result = shop.play(case, (Depth.READ,) if case.silent else (Depth.TREE,))
    assert result.wrong_yes == () and result.false_alarm == (), (result.seen, result.truth)


def test_all_of_the_sample_is_played() -> None:
    assert {case.name for case in cases()} >= SAMPLE and len(list(cases())) >= 60
