"""The webhook channel: posts each notification to a gateway, signed as the Standard Webhooks describe.

That is how text messages and chats are reached. https://www.standardwebhooks.com has verifiers in most languages.
"""

import asyncio
import base64
import hashlib
import hmac
import time
from contextlib import suppress
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
_READ_BYTES, _READ_SECONDS = 65_536, 1.0
"""How much of an answer's body is read, so that the connection can be used again."""
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
            status = await self._post(message)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return Attempt(Verdict.RETRY, f"The gateway does not answer: {error}".rstrip(": "))
        except TimeoutError:
            return Attempt(Verdict.RETRY, "The gateway did not answer in time.", is_ambiguous=True)
        except httpx.HTTPError as error:
            # Connected, then lost: the gateway may have taken it.
            return Attempt(Verdict.RETRY, f"{type(error).__name__}: {error}", is_ambiguous=True)
        if httpx.codes.is_success(status):
            return Attempt(Verdict.SENT)
        why = f"The gateway answered {status}."
        is_permanent = status < 500 and status not in _TRY_LATER
        return Attempt(Verdict.PERMANENT if is_permanent else Verdict.RETRY, why)

    async def _post(self, message: Post) -> int:
        """Return the status of the answer. A gateway that sends it byte by byte has no more time than another."""
        url, headers = self._gateway.url, self._signed(message)
        async with asyncio.timeout(_TIMEOUT_SECONDS) as within:
            async with self._client.stream("POST", url, content=message.body, headers=headers) as answer:
                within.reschedule(None)  # it has answered
                await _read_a_little(answer)
            return answer.status_code

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

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


async def _read_a_little(answer: httpx.Response) -> None:
    """Read a body that is short. What is long or slow is not waited for: the status has said everything."""
    size = 0
    with suppress(TimeoutError, httpx.HTTPError):
        async with asyncio.timeout(_READ_SECONDS):
            async for part in answer.aiter_raw():
                size += len(part)
                if size > _READ_BYTES:
                    return
