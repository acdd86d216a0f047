"""Makes the certificate of this machine's gateway, and the authority that signs it.

The authority signs this one certificate and its key is forgotten at once: whoever lets a browser trust it trusts this gateway on this
machine's loopback names and nothing else, now and later. When the certificate nears its end both are made anew.

Run as a program in a process of its own, as `keys` is, for the same reason.
"""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bookbag.local.files import write_private, write_whole

if TYPE_CHECKING:
    from cryptography import x509

LIFE: Final = timedelta(days=397)
RENEWED_BEFORE: Final = timedelta(days=30)
_ADDRESSES: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_NAME: Final = "localhost"


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where an authority's certificate, the gateway's certificate with its key, and the day of its end lie."""

    authority: Path
    certificate: Path
    key: Path
    ends: Path
    pin: Path
    """SHA-256 of the gateway's public key, in base64: by it a browser can be told of this one key."""


def certificate_files(folder: Path) -> CertificateFiles:
    return CertificateFiles(*(folder / name for name in ("ca.pem", "gateway.pem", "gateway.key", "ends", "pin")))


def ensure_certificate(folder: Path) -> CertificateFiles:
    """Make authority and certificate when there are none or they end soon. Raises CalledProcessError."""
    files = certificate_files(folder)
    try:
        ends = datetime.fromisoformat(files.ends.read_text())
    except (FileNotFoundError, ValueError):
        ends = None
    if ends is None or ends - datetime.now(UTC) < RENEWED_BEFORE:
        command = [sys.executable, "-m", "bookbag.local.certificate", str(folder)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=60)
    return files


def make_certificate(folder: Path) -> None:
    """Make both anew. The note of the end comes last: without it they are made again."""
    import base64
    import hashlib

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509 import oid

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = certificate_files(folder)
    files.ends.unlink(missing_ok=True)
    began = datetime.now(UTC) - timedelta(hours=1)
    ends = began + LIFE
    names = [x509.DNSName(_NAME), *(x509.IPAddress(address) for address in _ADDRESSES)]
    only_here = [
        x509.DNSName(_NAME), x509.IPAddress(IPv4Network("127.0.0.0/8")), x509.IPAddress(IPv6Network("::1/128")),
    ]  # fmt: skip

    def of(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        called = [x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, each)]) for each in (name, issuer)]
        builder = x509.CertificateBuilder().subject_name(called[0]).issuer_name(called[1])
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(began).not_valid_after(ends)
        return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)

    root, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority_name = f"Bookbag on this machine, {began:%Y-%m-%d}"
    authority = (
        of(authority_name, authority_name, root)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_uses(signs=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=only_here, excluded_subtrees=None), critical=True)
        .sign(root, hashes.SHA256())
    )
    certificate = (
        of(_NAME, authority_name, own)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_uses(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()), critical=False)
        .sign(root, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = own.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(files.key, private.decode())
    write_whole(files.certificate, certificate.public_bytes(pem))
    write_whole(files.authority, authority.public_bytes(pem))
    write_private(files.pin, base64.b64encode(hashlib.sha256(public).digest()).decode())
    write_private(files.ends, ends.isoformat())


def _uses(*, signs: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


if __name__ == "__main__":
    make_certificate(Path(sys.argv[1]))
