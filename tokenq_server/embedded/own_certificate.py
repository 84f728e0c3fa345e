"""Makes a certificate that signs itself. Clients know it by its fingerprint; its names are for people."""

import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = 20
_WRONG_CLOCKS = timedelta(days=365)
"""A Raspberry Pi has no clock of its own: until it has asked for the time, it lives in the past."""


def make_certificate(addresses: Iterable[str]) -> str:
    """Return a new private key and its certificate, in PEM.

    It names this machine and the given addresses. The key is on the curve P-256, which every TLS library has.
    """
    key = generate_private_key(SECP256R1())
    host = socket.gethostname()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"tokenq on {host}"[:64])])
    names = [x509.DNSName(name) for name in ("localhost", host) if name.isascii() and name]
    ips = [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1", *addresses)]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _WRONG_CLOCKS)
        .not_valid_after(now + timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([*names, *ips]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (private + certificate.public_bytes(Encoding.PEM)).decode("ascii")
