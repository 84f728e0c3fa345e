"""What the sender says of a notification that fails in a way that nobody expected."""

import asyncio
import logging
from typing import Any

import pytest

from tokenq_server.notify.sender import Sender
from tokenq_server.services.notifications import ClaimedJobs, Job, Verdict


async def test_a_failure_of_sending_is_not_called_one_of_rendering(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        name = "email"

        def render(self, _: Job) -> None:
            return None

        async def send(self, _: None) -> None:
            raise RuntimeError("no socket")

    channels: Any = [Broken()]
    sender = Sender(None, channels, asyncio.Event())  # type: ignore[arg-type]
    job = Job("CW", 17, "issued", "email", 101, "ada@example.com", {}, None, "Cash", 1)
    with caplog.at_level(logging.ERROR):
        attempt = await sender._try(job)
    assert (attempt.verdict, attempt.error) == (Verdict.PERMANENT, "It cannot be rendered or sent (RuntimeError).")
    assert [record.message for record in caplog.records] == [
        "a notification failed unexpectedly; it is now a dead letter"
    ]


async def test_a_failure_of_the_limit_stops_no_sender(caplog: pytest.LogCaptureFixture) -> None:
    """What was claimed is claimed again when its lease ends; until then, everything else goes on."""
    job = Job("CW", 17, "issued", "email", 101, "ada@example.com", {}, None, "Cash", 1)
    stop, claims = asyncio.Event(), 0

    class Queue:
        async def claim(self, *_: Any) -> ClaimedJobs:
            nonlocal claims
            claims += 1
            if claims == 2:
                stop.set()
            return ClaimedJobs([job] if claims == 1 else [], [])

    class Limit:
        async def suppressed(self, jobs: list[Job]) -> list[None]:
            if jobs:
                raise RuntimeError("no such script")
            return []

    sender: Any = Sender(Queue(), [], stop, limit=Limit())  # type: ignore[arg-type]
    with caplog.at_level(logging.ERROR):
        await sender.run()
    assert claims == 2
    assert [record.message for record in caplog.records] == ["notifications wait, since something failed unexpectedly"]
