"""Which tests go with a change: those of its own folder, and the rules of the structure."""

from __future__ import annotations

import pytest

from tests.changed import mirrored


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("engine/journal.py", "tests/engine"),
        ("adapters/helm/records.py", "tests/adapters/helm"),
        ("lab/wire/s3/answers.py", "tests/lab/wire"),
        ("tests/engine/files/test_lock.py", "tests/engine/files/test_lock.py"),
    ],
)
def test_a_change_is_tested_where_its_tests_are(path: str, wanted: str) -> None:
    assert mirrored([path]) == ("tests/architecture", wanted)


def test_prose_and_what_is_gone_need_none_and_nothing_is_named_twice() -> None:
    assert mirrored(["README.md", "tests/engine/test_gone.py"]) == ("tests/architecture",)
    assert mirrored(["engine/journal.py", "tests/engine/files/test_lock.py"]) == ("tests/architecture", "tests/engine")
