"""The Talos secrets bundle (talsecret.sops.yaml): decrypted in memory, checked for being whole. Knows no machineconfig.

A missing bundle is never made here: new secrets would make every machineconfig, etcd snapshot and kubeconfig of the house useless
(adapters/talos/newbundle.py makes one, for a step that needs a person's consent).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from adapters.process.results import Runner
from adapters.talos.redaction import register_secrets
from engine.errors import PermanentError
from engine.files.content import text_of
from engine.secrets import Secret
from house.files import yamlfile

SOPS_S = 60.0
# How many versions of the bundle in Git's history are tried, where the one that lies there was spoiled.
_VERSIONS = 10
_NEEDED = (
    "cluster.id",
    "cluster.secret",
    "secrets.bootstraptoken",
    "trustdinfo.token",
    "certs.etcd.crt",
    "certs.etcd.key",
    "certs.k8s.crt",
    "certs.k8s.key",
    "certs.k8saggregator.crt",
    "certs.k8saggregator.key",
    "certs.k8sserviceaccount.key",
    "certs.os.crt",
    "certs.os.key",
)


# One of these, by Talos version: what Kubernetes secrets are encrypted with in etcd.
_ENCRYPTION = ("secrets.secretboxencryptionsecret", "secrets.aescbcencryptionsecret")


class BundleUnusable(PermanentError):
    """The secrets bundle is missing, does not decrypt, or is not whole."""


class SecretsBundle:
    """The bundle in `path`, decrypted with sops and the age key that `age_key` resolves."""

    def __init__(self, path: Path, runner: Runner, age_key: Callable[[], Secret]) -> None:
        self._path = path
        self._runner = runner
        self._age_key = age_key
        self._opened: tuple[str, Secret, Mapping[str, Any]] | None = None

    def load(self) -> Mapping[str, Any]:
        """The bundle's content, every secret in it registered. BundleUnusable says why it cannot be had.

        The same file and the same key are the same content: sops is started once for them, however many looks need it.
        """
        text = self._text()
        if self._opened is not None and self._opened[:2] == (text, self._age_key()):
            return dict(self._opened[2])
        document = yamlfile.value(text, self._path.name)
        if not isinstance(document, dict):
            raise BundleUnusable(f"{self._path.name} holds no secrets bundle")
        if "sops" not in document:
            return self._whole(document)
        key = self._age_key()
        document = self._whole(yamlfile.value(self._decrypted(key), f"{self._path.name} (decrypted)"))
        if self._text() == text:  # sops has read it for itself, and maybe another one
            self._opened = (text, key, document)
        return dict(document)

    def _text(self) -> str:
        try:
            return text_of(self._path)
        except FileNotFoundError:
            if self._path.is_symlink():  # what it leads to may be on a disk that is not mounted: nothing is lost
                raise BundleUnusable(f"{self._path.name} cannot be read (it is a link that leads nowhere)") from None
            raise BundleUnusable(
                f"{self._path.name} is missing",
                evidence=(str(self._path),),
                hint="restore it from Git: a new one would not fit any node, etcd snapshot or kubeconfig of this house",
                next_command="invoke cluster.new-secrets",
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
            raise BundleUnusable(
                f"{self._path.name} cannot be read: {why}",
                evidence=(str(self._path),),
                hint="it is there: mend the file, its link or its permissions, or take it back from Git",
            ) from error

    def _whole(self, document: Any) -> dict[str, Any]:
        register_secrets(document)
        absent = [path for path in _NEEDED if not _at(document, path)]
        if absent:
            raise BundleUnusable(
                f"{self._path.name} is not whole", evidence=tuple(f"missing: {path}" for path in absent)
            )
        return dict(document)

    def certificate(self, authority: str) -> str:
        """PEM of an authority's certificate (`os`, `k8s`, `etcd`). BundleUnusable as in `load`."""
        text = str(_at(self.load(), f"certs.{authority}.crt"))
        try:
            return base64.b64decode(text, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise BundleUnusable(f"{self._path.name}: certs.{authority}.crt is not base64 of a certificate") from None

    def _decrypted(self, key: Secret) -> str:
        done = self._runner.run(
            ["sops", "--decrypt", "--input-type", "yaml", "--output-type", "yaml", str(self._path)],
            env={"SOPS_AGE_KEY": key},
            timeout_s=SOPS_S,
            ok=range(256),
        )
        if done.code != 0 and any("MAC mismatch" in line for line in done.stderr_tail):
            raise self._changed_since(done.stderr_tail[-3:])
        if done.code != 0:
            raise BundleUnusable(
                f"{self._path.name} does not decrypt with the age key",
                evidence=done.stderr_tail[-3:],
                hint="the age key must be one of the recipients it was encrypted for",
            )
        return done.stdout.decode()


    def _changed_since(self, said: tuple[str, ...]) -> BundleUnusable:
        """The key opens it, and what it holds is not what was encrypted: as after a merge. Git may have the last good one."""
        good = self._last_good()
        name, folder = self._path.name, self._path.parent
        return BundleUnusable(
            f"{name} was changed after sops had encrypted it: MAC mismatch",
            evidence=(*said, f"the last one in Git's history that opens: {good or 'none of the newest'}"),
            hint=f"after a merge take one side whole: git -C {folder} checkout {good.partition(' ')[0]} -- {name}"
            if good
            else "take it back from a backup; `sops --ignore-mac` shows what it holds, and nobody vouches for that",
        )

    def _last_good(self) -> str:
        """`COMMIT DATE` of the newest version in Git's history that opens, "" for none among the last few."""
        git = ["git", "-C", str(self._path.parent)]
        log = self._runner.run(
            [*git, "log", f"-{_VERSIONS}", "--format=%h %cs", "--", self._path.name], timeout_s=SOPS_S, ok=range(256)
        )
        for line in log.stdout.decode().splitlines() if log.code == 0 else []:
            commit = line.partition(" ")[0]
            shown = self._runner.run([*git, "show", f"{commit}:./{self._path.name}"], timeout_s=SOPS_S, ok=range(256))
            if shown.code != 0:
                continue
            opened = self._runner.run(
                ["sops", "--decrypt", "--input-type", "yaml", "--output-type", "yaml", "/dev/stdin"],
                env={"SOPS_AGE_KEY": self._age_key()}, stdin=Secret(shown.stdout.decode()), timeout_s=SOPS_S, ok=range(256),
            )  # fmt: skip
            if opened.code == 0:
                return line
        return ""


def secrets_of(document: Any) -> tuple[tuple[str, str], ...]:
    """(path, value) of everything in a decrypted bundle that nobody may read."""
    wanted = [path for path in (*_NEEDED, *_ENCRYPTION) if not path.endswith((".crt", ".id"))]
    return tuple((path, str(_at(document, path))) for path in wanted if _at(document, path))


def _at(document: Any, path: str) -> Any:
    for step in path.split("."):
        document = document.get(step) if isinstance(document, dict) else None
    return document
