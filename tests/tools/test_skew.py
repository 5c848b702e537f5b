"""Programs held against the versions of a house: too old, too new, with care, unknown."""

from __future__ import annotations

import pytest

from tools.skew import HouseVersions, Skew, against
from tools.versions import Version, parse


def version(text: str) -> Version:
    found = parse(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("program", "is_at", "talos", "kubernetes", "found", "told"),
    [
        ("talhelper", "3.1.16", "v1.10.6", "v1.33.4", Skew.FITS, ""),
        ("talhelper", "3.1.16", "v1.15.0", "v1.37.0", Skew.DOES_NOT_FIT, "up to Talos 1.14, the house runs 1.15.0"),
        ("talhelper", "3.1.9", "v1.14.0", "v1.37.0", Skew.DOES_NOT_FIT, "up to Talos 1.13"),
        ("talhelper", "2.0.0", "v1.10.0", "v1.33.0", Skew.UNKNOWN, "not known here"),
        ("talhelper", "3.9.0", "v1.13.0", "v1.36.0", Skew.UNKNOWN, "not known here"),
        ("kubectl", "1.36.3", "v1.13.0", "v1.35.1", Skew.FITS, ""),
        ("kubectl", "1.36.3", "v1.10.6", "v1.33.4", Skew.WARNS, "3 minors from the house's Kubernetes 1.33.4"),
        ("restic", "0.18.1", "v1.10.6", "v1.33.4", Skew.NOT_CONCERNED, ""),
    ],
)
def test_a_program_against_a_house(program: str, is_at: str, talos: str, kubernetes: str, found: Skew, told: str) -> None:
    verdict, why = against(program, version(is_at), HouseVersions(version(talos), version(kubernetes)))
    assert verdict is found
    assert told in why


@pytest.mark.parametrize("program", ["talhelper", "kubectl"])
def test_a_house_that_does_not_say_is_unknown_and_never_fits(program: str) -> None:
    verdict, why = against(program, version("1.36.3"), HouseVersions(None, None))
    assert verdict is Skew.UNKNOWN
    assert "does not say" in why
