"""A file that age never sealed is not blamed on the key of whoever opens it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.age.adapter import Age
from adapters.process.results import Finished, ProgramFailed
from engine.errors import PermanentError
from engine.secrets import Secret
from tests.adapters.secrets.test_resolver import Programs


@pytest.mark.parametrize("open_it", [
    lambda age, file: age.unseal(file, file.with_name("plain"), Secret("a key")),
    lambda age, file: age.opened(file, Secret("a key")),
])  # fmt: skip
@pytest.mark.parametrize(("content", "blamed"), [
    (b"", "nothing that age"), (b"\xb2P\xe1", "nothing that age"), (b"PK\x03\x04 an archive", "nothing that age"),
    (b"age-encryption.org/v1\n-> X25519 x\n", "does not open with"),
    (b"\n-----BEGIN AGE ENCRYPTED FILE-----\n", "does not open with"),
])  # fmt: skip
def test_the_key_is_blamed_for_what_was_sealed_alone(
    open_it: Callable[[Age, Path], object], content: bytes, blamed: str, tmp_path: Path
) -> None:
    (tmp_path / "kit").write_bytes(content)
    ended = Finished("age", 1, b"", (), 0.1)
    failing = Programs(age=ProgramFailed("age ended with code 1", ended, ("age: error: no identity matched",)))
    with pytest.raises(PermanentError, match=blamed):
        open_it(Age(failing), tmp_path / "kit")
