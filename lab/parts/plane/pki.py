"""Certificates of a Kubernetes cluster, from authorities that are handed over as PEM bytes. Knows no program and no Talos.

The authorities stand in a Talos machineconfig (`cluster.ca`, `cluster.etcd.ca`, `cluster.aggregatorCA`, …); `ClusterKeys.make`
makes a set for a lab that stands alone.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS_10 = datetime.timedelta(days=3650)


@dataclass(frozen=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write `name.crt` and `name.key` (0600) into `folder`; their paths come back."""
        folder.mkdir(parents=True, exist_ok=True)
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.certificate)
        write_private(key, self.key)
        return certificate, key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may ever have read (0600 from its first byte)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(content)


@dataclass(frozen=True)
class ClusterKeys:
    """The private half of one cluster: three authorities, the service accounts' key, the key for secrets at rest.

    `secretbox` is base64 of 32 bytes (`cluster.secretboxEncryptionSecret`), or "" when secrets are kept as they are.
    """

    etcd: Pair
    kubernetes: Pair
    aggregator: Pair
    service_account: bytes = field(repr=False)
    secretbox: str = field(repr=False, default="")

    @classmethod
    def make(cls) -> ClusterKeys:
        """A new set, for a lab without a machineconfig."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return cls(
            etcd=authority("etcd"),
            kubernetes=authority("kubernetes"),
            aggregator=authority("aggregator"),
            service_account=_pem(key),
            secretbox=base64.b64encode(os.urandom(32)).decode(),
        )

    def service_account_public(self) -> bytes:
        """The public half of the service accounts' key (PEM), which verifies tokens."""
        # talhelper's, of 4096 bits: to check its primes takes half a second at each start of a node.
        key = serialization.load_pem_private_key(self.service_account, None, unsafe_skip_rsa_key_validation=True)
        return key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def authority(organisation: str) -> Pair:
    """A self-signed authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)])
    certificate = (
        _builder(name, name)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_usage(ca=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def issue(
    ca: Pair,
    common_name: str,
    *,
    organisations: Iterable[str] = (),
    addresses: Iterable[str] = (),
    names: Iterable[str] = (),
) -> Pair:
    """A certificate for serving and for logging in, signed by `ca`, with these addresses and host names as SANs."""
    signer = _load_key(ca.key)
    issuer = x509.load_pem_x509_certificate(ca.certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organisations]
        + [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )
    builder = (
        _builder(subject, issuer.subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(ca=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(_authority_key(issuer), critical=False)
    )
    sans: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(a)) for a in dict.fromkeys(addresses)]
    sans += [x509.DNSName(n) for n in dict.fromkeys(names)]
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(signer, algorithm)
    return Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))


def _builder(subject: x509.Name, issuer: x509.Name) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _YEARS_10)
    )


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    # Talos makes its authorities' key ids in its own way, and OpenSSL compares the two ids: copy, never compute.
    try:
        subject_key = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        public = issuer.public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
            raise TypeError(f"an authority with a key of kind {type(public).__name__}") from None
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not ca,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _load_key(pem: bytes) -> CertificateIssuerPrivateKeyTypes:
    # Talos labels Ed25519 keys in a way of its own; the content is plain PKCS #8.
    key = serialization.load_pem_private_key(pem.replace(b"ED25519 PRIVATE KEY", b"PRIVATE KEY"), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey):
        raise TypeError(f"an authority's key of kind {type(key).__name__}")
    return key


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
