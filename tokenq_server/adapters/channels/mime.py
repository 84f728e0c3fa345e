"""An e-mail as a MIME message: plain headers that nobody else's text can break out of, and two alternative bodies.

The library checks and encodes each header. It would nest the bodies in three multiparts, and its generator looks at
each line of a message several times; so what is written here is flat, and written once.
"""

import binascii
import secrets
from functools import cached_property
from typing import Any

from emails.message import Message

from tokenq_server.adapters.channels.email import Email

_LINE = b"\r\n"


class _Headers(list[tuple[str, str]]):
    """What the library adds headers to; no name can come twice."""

    preamble: str | None = None

    def __setitem__(self, name: Any, value: Any) -> None:
        """Add a header.

        Raises:
            ValueError: it is there already, or could not be read as one line.
        """
        if any(name.lower() == known.lower() for known, _ in self) or not value.isascii() or not value.isprintable():
            raise ValueError("the e-mail has unexpected headers")
        self.append((name, value))


class MimeMessage(Message):
    """A message that the library's mailers send as it is written here."""

    def as_bytes(self, message_cls: type | None = None) -> bytes:  # noqa: ARG002 (the library's)
        """Return the whole message. Raises ValueError if a header is not as it must be."""
        return self._bytes

    @cached_property
    def _bytes(self) -> bytes:
        boundary = f"=_{secrets.token_hex(16)}".encode()
        headers = [*self._build_root_message(_Headers), ("MIME-Version", "1.0")]
        lines = [f"{name}: {value}".encode("ascii") for name, value in headers]
        lines += [b'Content-Type: multipart/alternative; boundary="%b"' % boundary, b""]
        for kind, text in ((b"plain", self.text_body), (b"html", self.html_body)):
            lines += [b"--" + boundary, b"Content-Type: text/%b; charset=utf-8" % kind]
            lines += [b"Content-Transfer-Encoding: quoted-printable", b"", _quoted(str(text))]
        return _LINE.join([*lines, b"--%b--" % boundary, b""])


def mime_message(letter: Email) -> MimeMessage:
    """Return the message for the ``emails`` library."""
    return MimeMessage(
        html=letter.html,
        text=letter.text,
        subject=letter.subject,
        mail_from=letter.sender,
        mail_to=letter.recipient,
        message_id=letter.message_id,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )


def _quoted(text: str) -> bytes:
    """Return text as quoted-printable, whose lines end as in SMTP."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return binascii.b2a_qp(lines.encode(), istext=True)
