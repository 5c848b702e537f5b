"""Versions that go together, their borders, and what the table does not know."""

from __future__ import annotations

import pytest

from house.repository.versions import known
from talos.versions import Fit, fit

BLIND = "cannot look at a node of"


@pytest.mark.parametrize(
    ("talos", "kubernetes", "talosctl", "wrong"),
    [
        ("v1.13.9", "v1.31.0", "v1.13.9", ""),
        ("v1.13.9", "1.36.99", "v1.12.0", ""),
        ("v1.13.9", "v1.30.14", "v1.13.9", "Talos v1.13.9 runs Kubernetes 1.31 to 1.36, not v1.30.14"),
        ("v1.8.0", "v1.32.0", "v1.8.4", "Talos v1.8.0 runs Kubernetes 1.26 to 1.31, not v1.32.0"),
        ("v1.13.0", "v1.34.0", "v1.11.9", "talosctl v1.11.9 is not for Talos v1.13.0: take one of 1.13"),
        ("v1.12.0", "v1.34.0", "v1.14.0", f"talosctl v1.14.0 {BLIND} Talos v1.12.0 in maintenance mode: take one of 1.13"),
        ("v1.13.0", "v1.34.0", "v2.13.0", "talosctl v2.13.0 is not for Talos v1.13.0: take one of 1.13"),
    ],
)
def test_what_goes_together(talos: str, kubernetes: str, talosctl: str, wrong: str) -> None:
    assert fit(talos, kubernetes, talosctl) == Fit((wrong,) if wrong else (), ())


def test_a_newer_talosctl_is_no_reason_to_leave_a_house_dark() -> None:
    told = "talosctl v1.13.9 is 3 minors newer than Talos v1.10.6, which it warns of"
    assert fit("v1.10.6", "v1.33.4", "v1.13.9") == Fit((), (), (told,))
    assert fit("v1.12.0", "v1.33.4", "v1.13.9").remarks == ()


def test_what_the_table_does_not_know_is_not_judged() -> None:
    assert not known("v1.99.0") and not known("v2.13.0")
    found = fit("v1.99.0", "v1.34.0", "v1.99.1")
    assert (found.problems, len(found.unjudged)) == ((), 1)


def test_a_text_that_is_no_version_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="'latest' is not a version"):
        fit("latest", "v1.34.0", "v1.13.9")
