"""Which event calls for which letter, and what it says. Pure: nothing is read or sent here."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tokenq.contract.events import Event, EventType
from tokenq_server.services.mailing import Job, Letter

_SUBJECTS = {"issued": "Your number is {number}", "served": "You have been served: {number}"}
_KINDS = {EventType.TOKEN_GENERATED: "issued", EventType.TOKEN_SERVED: "served"}

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


def kind_for(event: Event) -> str | None:
    """Which letter an event calls for, if any."""
    return _KINDS.get(EventType(event.event_type)) if event.event_type in EventType.__members__ else None


def compose(job: Job, sender: Sender) -> Letter:
    """Write the letter. The subject holds fixed words and the number only; names go into the body."""
    event = job.event
    said = {
        "name": job.name,
        "number": event["displayNumber"],
        "department": job.department_name,
        "counter": event.get("counterId"),
        "day": event["businessDay"],
    }
    name = f"{job.department_id}-{job.seq:06d}-{job.kind}"
    return Letter(
        message_id=f"<{job.department_id}.{job.seq}.{job.kind}@{sender.domain}>",
        sender=sender.address,
        recipient=job.recipient,
        subject=_SUBJECTS[job.kind].format(number=event["displayNumber"]),
        text=_environment.get_template(f"{job.kind}.txt").render(said),
        html=_environment.get_template(f"{job.kind}.html").render(said),
        file_name=f"{name}.eml",
    )
