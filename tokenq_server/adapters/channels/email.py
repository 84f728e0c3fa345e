"""The e-mail channel: sends to the token's address, by a mail server or into a folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tokenq.contract.notifications import EMAIL
from tokenq_server.adapters.channels.templates import Templates
from tokenq_server.services.notifications import Attempt, Holder, Job

_FOLDER = Path(__file__).parent / "templates" / EMAIL


@dataclass(frozen=True)
class Email:
    """An e-mail ready to be sent; no user-provided text is in a header."""

    message_id: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    file_name: str


class Mailer(Protocol):
    """Delivers e-mails."""

    async def send(self, email: Email) -> Attempt:
        """Try once to send; never raises for errors of the mail server."""

    async def close(self) -> None:
        """Close what is kept open for the next e-mail."""


class EmailChannel:
    """Renders e-mails and passes them to a mailer.

    ``sender`` is the From address; its domain is used in Message-IDs.
    """

    name = EMAIL

    def __init__(self, mailer: Mailer, sender: str, own_templates: Path | None = None) -> None:
        """``own_templates`` is the folder of templates that come before ours."""
        self._templates = Templates(_FOLDER, own_templates / EMAIL if own_templates else None)
        self._mailer = mailer
        self._sender = sender
        self._domain = sender.rpartition("@")[2].rstrip(">") or "localhost"

    def recipient(self, holder: Holder) -> str | None:
        """Return the token's address, if there is one."""
        return holder.email

    def render(self, job: Job) -> Email:
        """Render the e-mail. The subject contains only fixed text and the number; names go into the body."""
        subject, text, html = self._templates.render(job, "subject.txt", "body.txt", "body.html")
        return Email(
            message_id=f"<{job.department_id}.{job.seq}.{job.kind}@{self._domain}>",
            sender=self._sender,
            recipient=job.recipient,
            subject=subject.strip(),
            text=text,
            html=html,
            file_name=f"{job.department_id}-{job.seq:06d}-{job.kind}.eml",
        )

    async def send(self, message: Email) -> Attempt:
        """Try once."""
        return await self._mailer.send(message)

    async def close(self) -> None:
        """Close the mailer."""
        await self._mailer.close()
