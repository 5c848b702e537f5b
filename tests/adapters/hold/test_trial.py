"""What a denial proves: that this API server judges by the record as it is now, or nothing."""

from __future__ import annotations

import pytest

from adapters.hold.results import Verdict
from adapters.hold.trial import verdict

DENIED = "ValidatingAdmissionPolicy 'blackstart-hold-jobs' with binding 'blackstart-hold-jobs' denied request: "
BY = "a backup of canary is refused (judged by version {} of the record)"
NONE = "no params found for policy binding with `Deny` parameterNotFoundAction"


@pytest.mark.parametrize(
    ("told", "version", "found"),
    [
        (BY.format(7), "7", Verdict.REFUSED),
        (BY.format(6), "7", Verdict.STALE),
        (BY.format(77), "7", Verdict.STALE),  # a version is no number that begins like another
        (BY.format(7), "", Verdict.STALE),  # the record is gone, and this server has not heard of that
        (NONE, "7", Verdict.STALE),
        (NONE, "", Verdict.REFUSED),
        ("the hold refuses a backup of canary", "7", Verdict.STALE),  # a policy of an older version
        ("expression 'variables.d' resulted in error: no such key: data", "7", Verdict.OTHER),
    ],
)
def test_only_a_denial_by_the_record_of_now_is_proof(told: str, version: str, found: Verdict) -> None:
    assert verdict(DENIED + told, version) is found
