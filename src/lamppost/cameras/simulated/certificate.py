"""Makes the certificate that a simulated camera shows over https: its own, as most cameras have, so that nobody vouches for it."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import ConfigError

_DAYS: Final = 3650


def self_signed(address: str, clock: Clock) -> tuple[ssl.SSLContext, str]:
    """What a server at `address` speaks TLS with, and SHA-256 of its new certificate, whose key is kept by nobody else.

    Raises `ConfigError` where `address` is no number.
    """
    try:
        number = ip_address(address)
    except ValueError:
        raise ConfigError(
            f"{address[:64]!r} is no address that a certificate can name", remedy="name a number, such as 127.0.0.1"
        ) from None
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "simulated camera")])
    now = datetime.fromtimestamp(clock.wall_us() / US_PER_S, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(number)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with tempfile.TemporaryDirectory() as folder:  # OpenSSL reads files alone
        path = Path(folder, "camera.pem")
        path.touch(mode=0o600)
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        context.load_cert_chain(path)
    return context, hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
