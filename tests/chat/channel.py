"""A second channel, as a developer would add one: this adapter and its folder of templates.

It reaches only users with an account, records what it sends, and returns the given results, then always SENT.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenq_server.adapters.channels.templates import Templates
from tokenq_server.services.notifications import Attempt, Holder, Job, Verdict

TEMPLATES = Path(__file__).with_name("templates")


@dataclass
class ChatChannel:
    """Posts JSON to one address per account."""

    name: str = "chat"
    answers: list[Attempt] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)

    def recipient(self, holder: Holder) -> str | None:
        return f"https://gateway.example/people/{holder.user_id}" if holder.user_id else None

    def render(self, job: Job) -> dict[str, Any]:
        said = Templates(TEMPLATES).render(job, "text.txt")[0].strip()
        return {"to": job.recipient, "id": f"{job.department_id}.{job.seq}.{job.kind}", "text": said}

    async def send(self, message: dict[str, Any]) -> Attempt:
        json.dumps(message)
        self.sent.append(message)
        return self.answers.pop(0) if self.answers else Attempt(Verdict.SENT)

    async def close(self) -> None:
        return
