"""The rule about certificates that end soon: of servers, archives and stores."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from house.values.databases import DatabaseArchive
from tests.builders import a_house
from tests.cluster.lint.made import NOW, found


def a_certificate(days: float, *, authority: bool = True) -> str:
    """A certificate that ends so many days after NOW."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "house")])
    end = datetime.datetime.fromtimestamp(NOW, datetime.UTC) + datetime.timedelta(days=days)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(end - datetime.timedelta(days=900)).not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    return built.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(("days", "told"), [(-3, "ended 3 days ago"), (20, "ends in 20 days"), (300, "")])
def test_a_certificate_that_ends_soon(tmp_path: Path, days: int, told: str) -> None:
    (tmp_path / "ca.pem").write_text(a_certificate(days + 0.5 if days > 0 else days))
    image = replace(a_house().image, ca_file=str(tmp_path / "ca.pem"))
    assert [told in one.what for one in found("credential-ends", image=image)] == ([True] if told else [])
    pem = "".join(f"    {line}\n" for line in a_certificate(days + 0.5 if days > 0 else days).splitlines())
    in_git = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: ca}}\ndata:\n  ca.crt: |\n{pem}"
    assert [told in one.what for one in found("credential-ends", in_git)] == ([True] if told else [])


def test_a_certificate_that_signs_itself_ends_as_well(tmp_path: Path) -> None:
    (tmp_path / "nas.pem").write_text(a_certificate(20.5) + a_certificate(10.5, authority=False))
    found_ = found("credential-ends", image=replace(a_house().image, ca_file=str(tmp_path / "nas.pem")))
    assert ["ends in 20 days" in found_[0].what, "ends in 10 days" in found_[1].what] == [True, True]


def test_the_certificates_of_archives_and_of_kopias_stores_end_as_well(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(a_certificate(20.5))
    archive = DatabaseArchive("apps/postgres", "s3:https://s3.lan/pg", ca_file=str(tmp_path / "ca.pem"))
    own = replace(a_house().claims[0], engine="kopia", identity="a@b:/data", ca_file=str(tmp_path / "ca.pem"))
    for changes in ({"archives": (archive,)}, {"claims": (), "kopia": (own,)}):
        assert ["ends in 20 days" in one.what for one in found("credential-ends", **changes)] == [True], changes


def test_what_is_no_certificate_ends_never(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n")
    assert found("credential-ends", image=replace(a_house().image, ca_file=str(tmp_path / "ca.pem"))) == []
