"""TLS certificates for the stack's own servers, each signed by a new authority whose private key is thrown away."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

RENEW_BEFORE = timedelta(days=30)
# The S3 server's parts authenticate to each other with it, so it is a client's certificate too.
USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)


@dataclass(frozen=True)
class Issued:
    """A server certificate as PEM: `cert_pem` and `key_pem` for the server, `ca_pem` for its clients to trust.

    `not_after` is its end in ISO 8601.
    """

    ca_pem: str
    cert_pem: str
    key_pem: str = field(repr=False)
    not_after: str


def issue(names: Sequence[str], days: int) -> Issued:
    """Issue a server certificate for these host names and IP addresses by a new authority; both last `days` days."""
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(days=days)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("LifeCompanion local authority")
    ca = (_builder(ca_name, ca_key.public_key(), ca_name, ca_key.public_key(), valid=(start, end))
          .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
          .add_extension(_key_usage(signs_certificates=True), critical=True)
          .sign(ca_key, hashes.SHA256()))
    cert = (_builder(_name(names[0]), key.public_key(), ca_name, ca_key.public_key(), valid=(start, end))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(list(USAGES)), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .sign(ca_key, hashes.SHA256()))
    pem = serialization.Encoding.PEM
    return Issued(ca.public_bytes(pem).decode(), cert.public_bytes(pem).decode(),
                  key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
                  end.isoformat(timespec="seconds"))


def is_due(not_after: str) -> bool:
    """Tell whether a certificate that expires at `not_after` (ISO 8601) is to be renewed now."""
    return datetime.fromisoformat(not_after) - datetime.now(UTC) < RENEW_BEFORE


def has_usages(cert_pem: str) -> bool:
    """Tell whether a certificate is for servers and clients; earlier releases issued some for servers alone."""
    cert = x509.load_pem_x509_certificate(cert_pem.encode("ascii"))
    return set(USAGES) <= set(cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name,
             issuer_key: ec.EllipticCurvePublicKey, *, valid: tuple[datetime, datetime]) -> x509.CertificateBuilder:
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(valid[0]).not_valid_after(valid[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False))


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature=not signs_certificates, key_cert_sign=signs_certificates,
                         crl_sign=signs_certificates, content_commitment=False, key_encipherment=False,
                         data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
