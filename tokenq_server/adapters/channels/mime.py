"""An e-mail as a MIME message, validated before it is sent."""

import email
import email.policy
from typing import Any

from emails.message import Message

from tokenq_server.adapters.channels.email import Email

_HEADERS = {
    "auto-submitted",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
    "x-auto-response-suppress",
}


def mime_message(letter: Email) -> Any:
    """Return the message for the ``emails`` library.

    Raises:
        ValueError: the message has unexpected headers.
    """
    message = Message(
        html=letter.html,
        text=letter.text,
        subject=letter.subject,
        mail_from=letter.sender,
        mail_to=letter.recipient,
        message_id=letter.message_id,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    _check_headers(message.as_bytes())
    return message


def _check_headers(raw: bytes) -> None:
    """Parse the message back: whatever was put in, it must have exactly our headers, each once, and one recipient."""
    names = [name.lower() for name, _ in email.message_from_bytes(raw, policy=email.policy.compat32).items()]
    if len(names) != len(set(names)) or not set(names) <= _HEADERS:
        raise ValueError("the e-mail has unexpected headers")
