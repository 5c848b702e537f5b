"""A small certificate authority for the lab's own servers. Knows no server; its keys are made per lab and never leave it."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from engine.files.whole import write_whole

# Real time, not the World's: it is real clients that check these dates.
_BACK = datetime.timedelta(days=1)
_LIFE = datetime.timedelta(days=825)


@dataclass(frozen=True)
class ServerKeys:
    """A server's certificate and key on disk, and the SHA-256 fingerprint to pin (`AA:BB:…`)."""

    certificate: Path
    key: Path
    fingerprint: str

    @property
    def digest(self) -> bytes:
        """The certificate's SHA-256: what `tls-server-end-point` of one comes to that is signed with SHA-256, as ours are."""
        return bytes.fromhex(self.fingerprint.replace(":", ""))

    def context(self, *protocols: str) -> ssl.SSLContext:
        """TLS 1.2 or newer with this certificate; `protocols` for ALPN, the preferred one first."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context


class LabCA:
    """The authority of one lab, kept in a folder so that a lab that comes up again is still trusted."""

    def __init__(self, folder: Path) -> None:
        """Read the authority in `folder`, or make one there (folder 0700, keys 0600)."""
        self._folder = folder
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ca_file = folder / "ca.crt"
        key_file = folder / "ca.key"
        if not (self.ca_file.exists() and key_file.exists()):
            key = ec.generate_private_key(ec.SECP256R1())
            builder = _builder("Blackstart lab CA", key.public_key()).issuer_name(_name("Blackstart lab CA"))
            usage = x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            certificate = (
                builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .add_extension(usage, critical=True)
                .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
                .sign(key, hashes.SHA256())
            )
            write_whole(key_file, _pem(key), lasting=False)
            write_whole(self.ca_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644, lasting=False)
        loaded = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise ValueError(f"{key_file} is not a key that this lab made")
        self._key = loaded
        self._certificate = x509.load_pem_x509_certificate(self.ca_file.read_bytes())

    def server(self, name: str, *addresses: str) -> ServerKeys:
        """Keys for the server `name` at these addresses (names or IPs); made once, then read again."""
        certificate_file, key_file = self._folder / f"{name}.crt", self._folder / f"{name}.key"
        wanted = {_general_name(address) for address in addresses}
        with self._lock:
            if certificate_file.exists() and key_file.exists():
                certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
                if wanted <= set(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value):
                    return ServerKeys(certificate_file, key_file, fingerprint(certificate))
            certificate = self._issue(name, wanted, certificate_file, key_file)
        return ServerKeys(certificate_file, key_file, fingerprint(certificate))

    def _issue(
        self, name: str, names: set[x509.GeneralName], certificate_file: Path, key_file: Path
    ) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            _builder(name, key.public_key())
            .issuer_name(self._certificate.subject)
            .add_extension(x509.SubjectAlternativeName(sorted(names, key=repr)), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(authority_id, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        write_whole(key_file, _pem(key), lasting=False)
        write_whole(certificate_file, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644, lasting=False)
        return certificate


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate as Proxmox shows it: upper-case pairs joined by colons."""
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest().upper()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(common_name: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(common_name))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACK)
        .not_valid_after(now + _LIFE)
    )


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
