"""Versions as programs print them."""

import pytest

from tools.versions import Version, between, parse


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v1.36.3", Version(1, 36, 3)),
        ("Kubernetes v1.36.3", Version(1, 36, 3)),
        ("restic 0.18.1 compiled with go1.26.8 on linux/amd64", Version(0, 18, 1)),
        ("v3.22", Version(3, 22, 0)),
        ("v3.22.0+g1234", Version(3, 22, 0)),
        ("v1.14.0-rc.1", Version(1, 14, 0)),
        ("go1.27rc1", Version(1, 27, 0)),
        ("Client Version: v1.36.3\nKustomize Version: v5.8.1", Version(1, 36, 3)),
        ("(devel)", None),
        ("", None),
    ],
)
def test_the_first_version_in_what_a_program_prints(text: str, version: Version | None) -> None:
    assert parse(text) == version


def test_a_range_holds_its_lower_border_and_not_its_upper_one() -> None:
    fitting = between("1.9", "1.10")
    assert Version(1, 9, 0) in fitting
    assert Version(1, 9, 99) in fitting
    assert Version(1, 10, 0) not in fitting
    assert Version(1, 8, 9) not in fitting
    assert str(fitting) == ">= 1.9.0, < 1.10.0"


def test_a_range_of_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match="newest"):
        between("1.0", "newest")
