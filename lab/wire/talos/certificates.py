"""The certificates a Talos node shows and gives: in maintenance, when configured, and the admin's kubeconfig. Knows no server."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.parts.plane.pki import Pair, issue, write_private
from lab.world.machines.machineconfig import KeyPair, MachineConfig

_DAY = datetime.timedelta(days=1)
_SKEW = datetime.timedelta(minutes=10)


def maintenance_context(folder: Path, address: str, now: float) -> ssl.SSLContext:
    """TLS as a node in maintenance has it: a throw-away certificate, and none asked of the client."""
    root_key = Ed25519PrivateKey.generate()
    leaf, key = _leaf("maintenance-service.talos.dev", x509.Name([]), root_key, None, [address, "127.0.0.1"], [], now)
    return _context(folder, f"maintenance-{address}", leaf, key)


def secure_context(folder: Path, config: MachineConfig, ca: KeyPair, address: str, now: float) -> ssl.SSLContext:
    """TLS as a configured node has it: a certificate of the cluster's Talos CA, and one of the same CA asked of the client.

    `ca` holds the key: a worker has none of its own, a control plane signs for it. `now` is the node's clock.
    """
    authority = x509.load_pem_x509_certificate(ca.crt.encode())
    signer = serialization.load_pem_private_key(ca.key.replace("ED25519 PRIVATE KEY", "PRIVATE KEY").encode(), None)
    if not isinstance(signer, Ed25519PrivateKey):
        raise TypeError("a Talos CA has an Ed25519 key")
    names = [name for name in config.cert_sans if not _is_address(name)] + [config.hostname]
    addresses = [name for name in config.cert_sans if _is_address(name)] + [address, "127.0.0.1"]
    leaf, key = _leaf(config.hostname, authority.subject, signer, authority, addresses, names, now)
    context = _context(folder, f"secure-{address}", leaf, key)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=config.os_ca.crt)
    return context


def kubeconfig(config: MachineConfig) -> bytes:
    """The admin's kubeconfig, made from the configuration alone: that it can be had proves nothing about Kubernetes."""
    ca = Pair(config.k8s_ca.crt.encode(), config.k8s_ca.key.encode())
    admin = issue(ca, "admin", organisations=("system:masters",))
    name, user = config.cluster_name, f"admin@{config.cluster_name}"
    cluster = {"server": config.endpoint, "certificate-authority-data": _b64(ca.certificate)}
    credentials = {"client-certificate-data": _b64(admin.certificate), "client-key-data": _b64(admin.key)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": user, "context": {"cluster": name, "user": user, "namespace": "default"}}],
        "current-context": user,
    }
    return json.dumps(document, indent=2).encode()


def _leaf(
    common_name: str,
    issuer: x509.Name,
    signer: Ed25519PrivateKey,
    authority: x509.Certificate | None,
    addresses: Iterable[str],
    names: Iterable[str],
    now: float,
) -> tuple[x509.Certificate, Ed25519PrivateKey]:
    key = Ed25519PrivateKey.generate()
    at = datetime.datetime.fromtimestamp(now, datetime.UTC)
    sans: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(a)) for a in dict.fromkeys(addresses)]
    sans += [x509.DNSName(name) for name in dict.fromkeys(names) if name]
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _SKEW)
        .not_valid_after(at + _DAY)
        .add_extension(x509.SubjectAlternativeName(sans), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    if authority is not None:
        # Talos makes its CA's key id in its own way: copied, never computed.
        own = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own), critical=False
        )
    return builder.sign(signer, None), key


def _context(folder: Path, name: str, leaf: x509.Certificate, key: Ed25519PrivateKey) -> ssl.SSLContext:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    chain, private = folder / f"{name}.crt", folder / f"{name}.key"
    chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    write_private(
        private,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, private)
    context.set_alpn_protocols(["h2"])
    return context


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
