"""What a claim must come back with: its own words, else the defaults', else what is right for most."""

from __future__ import annotations

import pytest

from house.catalog import requirement_of
from house.settings.backups import RequirementSection
from house.settings.values import share_of


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5%", 0.005), ("0%", 0.0), ("0", 0.0), (0, 0.0), (" 100% ", 1.0)])
def test_a_share_is_a_part_of_one(text: object, share: float) -> None:
    assert share_of(text) == pytest.approx(share)


@pytest.mark.parametrize("value", [None, True, [], "-1%", "1,5%", "%", ""])
def test_what_is_no_share_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is no share"):
        share_of(value)


def test_a_claim_s_own_share_wins_over_the_default_one() -> None:
    none, some, own = (RequirementSection.model_validate(given) for given in ({}, {"max_loss": "5%"}, {"max_loss": 0}))
    assert requirement_of(none, none).max_loss == 0.01
    assert requirement_of(none, some).max_loss == 0.05
    assert requirement_of(own, some).max_loss == 0.0
