"""Makes a Talos secrets bundle, encrypted before it touches the disk, and never in place of one. Knows no machineconfig."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from adapters.process.results import Runner
from adapters.talos.bundle import SOPS_S, SecretsBundle, secrets_of
from adapters.talos.redaction import register_secrets
from engine.errors import PermanentError
from engine.files.whole import put_new, write_whole
from engine.secrets import Secret
from house.files import yamlfile

GENSECRET_S = 120.0


def make_bundle(path: Path, runner: Runner, age_key: Callable[[], Secret]) -> None:
    """Write new secrets to `path`, encrypted by the rules of the `.sops.yaml` above it; whole, or not at all.

    The plain text goes from talhelper to sops through pipes. What is written was opened with the age key first.
    Raises PermanentError when something is there, or when sops has no rule for it or leaves a secret readable.
    """
    if os.path.lexists(path):
        raise PermanentError(f"{path.name} is there already, and is never replaced", evidence=(str(path),))
    made = runner.run(["talhelper", "gensecret"], timeout_s=GENSECRET_S).stdout
    document = yamlfile.value(made.decode(), "what talhelper made")
    register_secrets(document)
    encrypted = _encrypted(path, runner, made)
    readable = [where for where, value in secrets_of(document) if value.encode() in encrypted]
    if readable:
        raise PermanentError(
            f"sops would leave secrets of {path.name} readable",
            evidence=tuple(readable),
            hint="the rule of .sops.yaml that matches this file must encrypt all of it: leave its encrypted_regex out",
        )
    fresh = path.with_name(f".{path.name}.new")
    try:
        write_whole(fresh, encrypted)
        SecretsBundle(fresh, runner, age_key).load()
        try:
            put_new(fresh, path)
        except FileExistsError:
            raise PermanentError(f"{path.name} is there by now, and is never replaced", evidence=(str(path),)) from None
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()


def _encrypted(path: Path, runner: Runner, plain: bytes) -> bytes:
    done = runner.run(
        ["sops", "encrypt", "--input-type", "yaml", "--output-type", "yaml", "--filename-override", str(path)],
        cwd=path.parent, stdin=plain, timeout_s=SOPS_S, ok=range(256),
    )  # fmt: skip
    if done.code != 0:
        raise PermanentError(
            f"sops cannot encrypt {path.name}",
            evidence=done.stderr_tail[-3:],
            hint=".sops.yaml needs a rule that matches this file and names the age recipient",
        )
    return done.stdout
