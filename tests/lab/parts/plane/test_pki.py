"""Certificates: what clients check, and what Talos's own authorities look like."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.parts.plane.pki import ClusterKeys, Pair, authority, issue


def extension(pair: Pair, kind: type[x509.ExtensionType]) -> x509.ExtensionType:
    return x509.load_pem_x509_certificate(pair.certificate).extensions.get_extension_for_class(kind).value


def test_the_authority_s_own_key_id_is_copied_however_it_was_made() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "kubernetes")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier(b"not a hash of the key"), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    pair = issue(Pair(certificate.public_bytes(serialization.Encoding.PEM), pem), "node")
    found = extension(pair, x509.AuthorityKeyIdentifier)
    assert isinstance(found, x509.AuthorityKeyIdentifier)
    assert found.key_identifier == b"not a hash of the key"


def test_a_certificate_names_its_addresses_and_openssl_takes_it(tmp_path: Path) -> None:
    ca = authority("kubernetes")
    pair = issue(ca, "kube-apiserver", addresses=("127.0.0.1", "127.0.0.1", "127.9.0.11"), names=("localhost",))
    names = extension(pair, x509.SubjectAlternativeName)
    assert isinstance(names, x509.SubjectAlternativeName)
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "127.9.0.11"]
    certificate, key = pair.write(tmp_path, "server")
    assert key.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)


def test_keys_are_not_shown() -> None:
    keys = ClusterKeys.make()
    assert "PRIVATE" not in repr(keys)
    assert keys.secretbox not in repr(keys)
    assert keys.service_account_public().startswith(b"-----BEGIN PUBLIC KEY")


@pytest.mark.parametrize("organisation", ["system:masters", "os:admin"])
def test_the_client_s_groups_stand_in_the_subject(organisation: str) -> None:
    pair = issue(authority("kubernetes"), "me", organisations=(organisation,))
    subject = x509.load_pem_x509_certificate(pair.certificate).subject
    assert subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == organisation
