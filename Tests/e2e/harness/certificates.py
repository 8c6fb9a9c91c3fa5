# SPDX-License-Identifier: Apache-2.0
"""Certificates made for a test: authorities, and what they sign."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


class Certificate:
    """A certificate and its key as files `NAME.crt` and `NAME.key`."""

    def __init__(self, folder: pathlib.Path, name: str, certificate: x509.Certificate, key):
        self.certificate, self.key = certificate, key
        self.crt, self.key_file = folder / f"{name}.crt", folder / f"{name}.key"
        self.crt.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    @property
    def expires_at(self) -> float:
        return self.certificate.not_valid_after_utc.timestamp()

    @property
    def serial(self) -> int:
        return self.certificate.serial_number


    def identity(self) -> tuple[bytes, bytes]:
        """Key and certificate, as grpcio takes them."""
        return self.key_file.read_bytes(), self.crt.read_bytes()


class Authority:
    def __init__(self, folder: pathlib.Path, name: str = "authority"):
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.own = Certificate(folder, name, _signed(name, self.key, name, self.key, is_authority=True), self.key)
        self.crt = self.own.crt

    def sign(self, name: str, *names: str, days: float = 30, file: str | None = None) -> Certificate:
        """For `names`: DNS names, addresses, URIs and e-mail addresses. Negative days: it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        return Certificate(self.folder, file or name, _signed(name, key, self.name, self.key, names, days), key)


def _alternative(name: str) -> x509.GeneralName:
    if "://" in name:
        return x509.UniformResourceIdentifier(name)
    if "@" in name:
        return x509.RFC822Name(name)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(subject, key, issuer, issuer_key, names=(), days: float = 30, is_authority=False) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone.utc)
    name = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    builder = (
        x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - 60 * DAY).not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(n) for n in names]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
