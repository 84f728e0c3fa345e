"""Trust in one certificate, known by its fingerprint: for servers whose certificate no authority has signed.

A fingerprint is written as ssh does, ``SHA256:`` and the base64 of the digest of the whole certificate. Whoever holds a
fingerprint trusts exactly that certificate; its names, signer and dates do not matter.
"""

import base64
import binascii
import hashlib
import re
import ssl

_PREFIX = "SHA256:"
_BYTES = hashlib.sha256().digest_size


class OtherCertificate(ssl.SSLError):
    """The server has another certificate than expected; nothing was sent. ``found`` is its fingerprint."""

    def __init__(self, found: str) -> None:
        super().__init__(0, f"The server's certificate has the fingerprint {found}.")
        self.found = found


def fingerprint_of(certificate: bytes) -> str:
    """Return the fingerprint of a certificate in DER."""
    return _PREFIX + base64.b64encode(hashlib.sha256(certificate).digest()).decode().rstrip("=")


def parse_fingerprint(text: str) -> str:
    """Return a fingerprint in the usual form; it may be written in hexadecimal, as openssl and browsers do.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    digits = re.sub(r"^sha256( fingerprint)?[:=]", "", text, flags=re.IGNORECASE).replace(":", "").replace(" ", "")
    try:
        if len(digits) == 2 * _BYTES:
            digest = bytes.fromhex(digits)
        else:
            digest = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except (ValueError, binascii.Error):
        digest = b""
    if len(digest) != _BYTES:
        raise ValueError(f"'{text}' is no SHA-256 fingerprint of a certificate")
    return _PREFIX + base64.b64encode(digest).decode().rstrip("=")


def pinned_context(fingerprint: str) -> ssl.SSLContext:
    """Return a context that connects only to the server with that certificate.

    The check belongs to the handshake, so no library that uses the context can send anything before it. A connection to
    another server fails with :class:`OtherCertificate`.
    """

    def check(connection: ssl.SSLSocket | ssl.SSLObject) -> None:
        found = fingerprint_of(connection.getpeercert(binary_form=True) or b"")
        if found != fingerprint:
            raise OtherCertificate(found)

    class PinnedSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            super().do_handshake(block)
            check(self)

    class PinnedObject(ssl.SSLObject):  # for asyncio
        def do_handshake(self) -> None:
            super().do_handshake()
            check(self)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the fingerprint is compared instead
    context.sslsocket_class = PinnedSocket
    context.sslobject_class = PinnedObject
    return context
