"""The webhook channel: posts each notification to a gateway, signed as the Standard Webhooks describe.

That is how text messages and chats are reached. https://www.standardwebhooks.com has verifiers in most languages.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tokenq.contract.notifications import WEBHOOK
from tokenq_server.adapters.channels.templates import Templates
from tokenq_server.destinations import Gateway
from tokenq_server.json_text import json_text
from tokenq_server.services.notifications import Attempt, Holder, Job, Verdict

_FOLDER = Path(__file__).parent / "templates" / WEBHOOK
_TIMEOUT_SECONDS = 15.0
_LONGEST_SECONDS = 60.0
"""For a whole attempt: each byte of an answer may take as long as the timeout."""
_LONGEST_ANSWER = 64 * 1024
"""What is read of an answer, which means nothing, so that the connection can be used again."""
_NOT_CONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_TRY_LATER = frozenset({408, 409, 425, 429})
"""Statuses below 500 that another attempt may change."""


@dataclass(frozen=True)
class Post:
    """A notification ready to be posted. ``message_id`` is the same at every attempt."""

    message_id: str
    body: bytes


class WebhookChannel:
    """Posts to one gateway what concerns people with an address or an account; it knows how to reach them."""

    name = WEBHOOK

    def __init__(self, gateway: Gateway, own_templates: Path | None = None) -> None:
        """``own_templates`` is the folder of templates that come before ours."""
        self._gateway = gateway
        self._templates = Templates(_FOLDER, own_templates / WEBHOOK if own_templates else None)
        self._client = httpx.AsyncClient(
            timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, headers={"User-Agent": "tokenq"}
        )

    def recipient(self, holder: Holder) -> str | None:
        """Return the gateway's host, if anything tells the gateway who the holder is."""
        return self._gateway.host if holder.email or holder.user_id is not None else None

    def render(self, job: Job) -> Post:
        """Make the request's body."""
        (text,) = self._templates.render(job, "text.txt")
        event = job.event
        content: dict[str, Any] = {
            "type": f"token.{job.kind}",
            "timestamp": event["timestamp"],
            "data": {
                "text": text.strip(),
                "displayNumber": event["displayNumber"],
                "departmentId": job.department_id,
                "departmentName": job.department_name,
                "branchId": event["branchId"],
                "counterId": event.get("counterId"),
                "tokenId": job.token_id,
                "userId": event.get("userId"),
                "email": job.email,
                "name": job.name,
                "language": job.language,
            },
        }
        return Post(f"{job.department_id}.{job.seq}.{job.kind}", json_text(content).encode())

    async def send(self, message: Post) -> Attempt:
        """Try once."""
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return _verdict(await self._post(message))
        except _NOT_CONNECTED as error:
            return Attempt(Verdict.RETRY, f"The gateway does not answer: {str(error) or type(error).__name__}")
        except (httpx.HTTPError, TimeoutError) as error:
            # Connected, then lost: the gateway may have taken it.
            return Attempt(Verdict.RETRY, f"{type(error).__name__}: {error}", is_ambiguous=True)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _post(self, message: Post) -> int:
        """Post it; return the status."""
        signed = self._signed(message)
        async with self._client.stream("POST", self._gateway.url, content=message.body, headers=signed) as answer:
            read = 0
            async for part in answer.aiter_raw():
                if (read := read + len(part)) > _LONGEST_ANSWER:
                    break
            return answer.status_code

    def _signed(self, message: Post) -> dict[str, str]:
        now = str(int(time.time()))
        signed = b".".join([message.message_id.encode(), now.encode(), message.body])
        signature = base64.b64encode(hmac.digest(self._gateway.secret, signed, hashlib.sha256)).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": message.message_id,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{signature}",
        }


def _verdict(status: int) -> Attempt:
    if 200 <= status < 300:
        return Attempt(Verdict.SENT)
    is_permanent = status < 500 and status not in _TRY_LATER
    return Attempt(Verdict.PERMANENT if is_permanent else Verdict.RETRY, f"The gateway answered {status}.")
