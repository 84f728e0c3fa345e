"""An e-mail as a MIME message: plain headers that nobody else's text can break out of, and two alternative bodies.

The library checks and encodes each header; those that are the same in every e-mail, once. It would nest the bodies in
three multiparts, and its generator looks at each line of a message several times; so what is written here is flat, and
written once.
"""

import binascii
import time
from functools import cached_property, lru_cache
from typing import Any

from emails.message import Message
from emails.utils import format_date_header, parse_name_and_email

from tokenq_server.adapters.channels.addresses import is_plain
from tokenq_server.adapters.channels.email import Email

_LINE = b"\r\n"
_BOUNDARY = b"=_tokenq"
"""No line of a body can be it: in quoted-printable, what follows a ``=`` is never a ``_``."""
_FIXED = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
_ALWAYS_THE_SAME = frozenset({"From", *_FIXED})
_NAMES = _ALWAYS_THE_SAME | {"Date", "Message-ID", "Subject", "To"}


class _Headers(dict[str, str]):
    """What the library adds headers to; no name can come twice."""

    preamble: str | None = None

    def __setitem__(self, name: str, value: Any) -> None:
        """Add a header.

        Raises:
            ValueError: it is there already, is none of ours, or could not be read as one line.
        """
        if name in self or name not in _NAMES or not value.isascii() or not value.isprintable():
            raise ValueError("the e-mail has unexpected headers")
        super().__setitem__(name, value)


class MimeMessage(Message):
    """A message that the library's mailers send as it is written here."""

    def as_bytes(self, message_cls: type | None = None) -> bytes:  # noqa: ARG002 (the library's)
        """Return the whole message. Raises ValueError if a header is not as it must be."""
        return self._bytes

    def set_header(self, msg: Any, key: str, value: Any, encode: bool = True) -> None:
        """Add a header. Raises ValueError if it is not as it must be."""
        if key in _ALWAYS_THE_SAME:
            msg[key] = _checked(key, value, encode)
        elif key == "To" and is_plain(value):
            msg[key] = value
        else:
            super().set_header(msg, key, value, encode)

    @cached_property
    def _bytes(self) -> bytes:
        headers = self._build_root_message(_Headers)
        lines = [f"{name}: {value}".encode("ascii") for name, value in headers.items()]
        lines += [b"MIME-Version: 1.0", b'Content-Type: multipart/alternative; boundary="%b"' % _BOUNDARY, b""]
        for kind, text in ((b"plain", self.text_body), (b"html", self.html_body)):
            lines += [b"--" + _BOUNDARY, b"Content-Type: text/%b; charset=utf-8" % kind]
            lines += [b"Content-Transfer-Encoding: quoted-printable", b"", _quoted(str(text))]
        return _LINE.join([*lines, b"--%b--" % _BOUNDARY, b""])


def mime_message(letter: Email) -> MimeMessage:
    """Return the message for the ``emails`` library."""
    return MimeMessage(
        html=letter.html,
        text=letter.text,
        subject=letter.subject,
        mail_from=_sender(letter.sender),
        mail_to=(None, letter.recipient) if is_plain(letter.recipient) else letter.recipient,
        message_id=letter.message_id,
        date=_date(int(time.time())),
        headers=_FIXED,
    )


@lru_cache(maxsize=8)
def _sender(address: str) -> tuple[str | None, str]:
    name, email = parse_name_and_email(address)
    return name, email or ""


@lru_cache(maxsize=1)
def _date(now: int) -> str:
    return str(format_date_header(now))


@lru_cache(maxsize=8)
def _checked(name: str, value: str, encode: bool) -> str:
    """Return a header's value as the library writes it."""
    headers: Any = {}
    Message().set_header(headers, name, value, encode)
    return str(headers[name])


def _quoted(text: str) -> bytes:
    """Return text as quoted-printable, whose lines end as in SMTP."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    return binascii.b2a_qp(lines.encode(), istext=True)
