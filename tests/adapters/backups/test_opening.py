"""How a repository is opened: what of it becomes a secret, and what stays a word like any other."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.backups.opening import Openings
from adapters.backups.results import Repository
from adapters.backups.stores.s3 import S3Place
from adapters.secrets.resolver import Secrets
from engine.secrets import Secret, redact
from house.model import SecretRef
from tests.adapters.secrets.test_resolver import Programs

ROOT = Path(__file__).resolve().parents[3]


def repository(address: str, **environment: str) -> Repository:
    refs = tuple((name, SecretRef((f"env:{source}",))) for name, source in environment.items())
    return Repository(name="apps/qux", address=address, password=SecretRef(("env:PW",)), environment=refs)


def opened(tmp_path: Path, asked: Repository, **environ: str) -> dict[str, str | Secret]:
    secrets = Secrets(Programs(), tmp_path, None, {"PW": "qux-correct-horse", **environ})
    return dict(Openings(secrets).open(asked).env)


def test_key_ids_and_regions_stay_words(tmp_path: Path) -> None:
    """A key id `volsync-qux` and a region `garage-qux` are words of many a sentence, and of helmfile's arguments."""
    where = "s3:https://minio.lan/volsync/qux"
    asked = repository(where, AWS_ACCESS_KEY_ID="KID", AWS_SECRET_ACCESS_KEY="KEY", AWS_DEFAULT_REGION="REG")
    env = opened(tmp_path, asked, KID="volsync-qux", KEY="qux-abcdef0123456789", REG="garage-qux")
    told = "invoke cluster.verify: volsync-qux/volsync-qux is ready in garage-qux"
    assert redact(told) == told
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_DEFAULT_REGION"]) == ("volsync-qux", "garage-qux")
    assert isinstance(env["AWS_SECRET_ACCESS_KEY"], Secret) and "qux-abcdef" not in redact("key qux-abcdef0123456789")
    assert "qux-correct" not in redact("qux-correct-horse")


@pytest.mark.parametrize(
    ("variable", "secret"), [("B2_ACCOUNT_ID", False), ("B2_ACCOUNT_KEY", True), ("AZURE_ACCOUNT_NAME", False)]
)
def test_so_do_those_of_other_stores(tmp_path: Path, variable: str, secret: bool) -> None:
    env = opened(tmp_path, repository("/srv/qux", **{variable: "IT"}), IT=f"quxword-{variable.lower()}")
    assert isinstance(env[variable], Secret) is secret
    assert ("•••" in redact(f"quxword-{variable.lower()}")) is secret


def test_a_secret_s_file_is_read_alike_in_every_locale(tmp_path: Path) -> None:
    """Where the locale is not UTF-8 a password of other letters was another password."""
    file = tmp_path / "password"
    file.write_bytes("grün-und-weiß".encode())
    file.chmod(0o600)
    code = (
        "import sys; from pathlib import Path; from adapters.secrets.resolver import Secrets; from house.model import SecretRef;"
        "found = Secrets(None, Path('/'), None).resolve(SecretRef((f'file:{sys.argv[1]}',)));"
        "print(found.reveal().encode().hex())"
    )
    for locale in ("C", "POSIX", "en_US.ISO-8859-1"):
        env = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        argv = [sys.executable, "-c", code, str(file)]
        done = subprocess.run(argv, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == "grün-und-weiß".encode().hex(), done.stderr


@pytest.mark.parametrize(("addressing", "lookup"), [("", "path"), ("path", "path"), ("virtual", "dns")])
def test_restic_and_our_own_client_address_a_bucket_alike(tmp_path: Path, addressing: str, lookup: str) -> None:
    """A store that wants the bucket in the host's name refuses whoever puts it into the path: both must be told."""
    where = "s3:https://minio.lan/volsync/qux"
    asked = repository(where, AWS_ACCESS_KEY_ID="KID", AWS_SECRET_ACCESS_KEY="KEY")
    asked = replace(asked, addressing=addressing, region="attic-2")
    environ = {"PW": "qux-correct-horse", "KID": "volsync-qux", "KEY": "qux-abcdef0123456789"}
    secrets = Secrets(Programs(), tmp_path, None, environ)
    found = Openings(secrets).open(asked)
    assert f"s3.bucket-lookup={lookup}" in found.options
    assert dict(found.env)["AWS_DEFAULT_REGION"] == "attic-2"
    assert isinstance(found.place, S3Place)
    style = found.place.client.meta.config.s3
    assert (style or {}).get("addressing_style") == (addressing or "path")
