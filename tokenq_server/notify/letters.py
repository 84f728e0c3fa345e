"""What a letter says. Pure: nothing is read or sent here."""

from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tokenq.contract.words import LetterKind
from tokenq_server.services.mailing import Job, Letter

_SUBJECTS = {
    LetterKind.ISSUED: "Your number is {number}",
    LetterKind.NEAR: "Your turn is near: {number}",
    LetterKind.CALLED: "It is your turn: {number}",
    LetterKind.SERVED: "You have been served: {number}",
    LetterKind.MISSED: "We called you: {number}",
}

_environment = Environment(
    loader=PackageLoader("tokenq_server.notify"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Sender:
    """Who signs the letters; the domain also makes their Message-IDs."""

    address: str

    @property
    def domain(self) -> str:
        """The part after the ``@``."""
        return self.address.rpartition("@")[2].rstrip(">") or "localhost"


def compose(job: Job, sender: Sender) -> Letter:
    """Write the letter. The subject holds fixed words and the number only; names go into the body."""
    event, told = job.event, job.event.get("data") or {}
    said = {
        "name": job.name,
        "number": event["displayNumber"],
        "department": job.department_name,
        "counter": event.get("counterId"),
        "day": event["businessDay"],
        "position": told.get("position"),
        "wait": _wait(told.get("estimate")),
    }
    name = f"{job.department_id}-{job.seq:06d}-{job.kind}"
    return Letter(
        message_id=f"<{job.department_id}.{job.seq}.{job.kind}@{sender.domain}>",
        sender=sender.address,
        recipient=job.recipient,
        subject=_SUBJECTS[LetterKind(job.kind)].format(number=event["displayNumber"]),
        text=_environment.get_template(f"{job.kind}.txt").render(said),
        html=_environment.get_template(f"{job.kind}.html").render(said),
        file_name=f"{name}.eml",
    )


def _wait(estimate: Any) -> str | None:
    """The wait that was promised, as people say it."""
    if not isinstance(estimate, dict) or estimate.get("lowMinutes") is None:
        return None
    return f"{estimate['lowMinutes']} to {estimate['highMinutes']} minutes"
