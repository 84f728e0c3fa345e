"""A mail server that is slow of heart: greylists, refuses, and hangs up after it has taken the letter."""

import asyncio

from tests.chaos.campaign import Fault
from tests.chaos.crowd import Crowd
from tests.chaos.system import System


def _answers(reply: str) -> Fault:
    async def inject(system: System, crowd: Crowd) -> None:
        system.mail.reply = reply
        await asyncio.sleep(1.5)
        system.mail.reply = "250 OK"

    return Fault(f"mail server answers {reply[:3]}", inject)


async def _cuts(system: System, crowd: Crowd) -> None:
    system.mail.cuts += 2
    await asyncio.sleep(0.5)


FAULTS = [
    _answers("421 Go away for now"),
    _answers("451 Greylisted"),
    _answers("550 No such mailbox"),
    Fault("mail server cuts after taking a letter", _cuts),
]
