"""A mail server that is slow of heart: greylists, refuses, dawdles, and hangs up before and after an e-mail."""

import asyncio

from tests.chaos.campaign import Fault
from tests.chaos.mail_server import Manners
from tests.chaos.system import System
from tests.chaos.workload import Workload

_SECONDS = 1.5


def _behaves(name: str, manners: Manners) -> Fault:
    async def inject(system: System, workload: Workload) -> None:
        system.mail.manners = manners
        await asyncio.sleep(_SECONDS)
        system.mail.manners = Manners()

    return Fault(f"mail server {name}", inject)


async def _cuts(system: System, workload: Workload) -> None:
    system.mail.cuts += 2
    await asyncio.sleep(0.5)


FAULTS = [
    _behaves("answers 421", Manners(to_letter="421 Go away for now")),
    _behaves("answers 451", Manners(to_letter="451 Greylisted")),
    _behaves("answers 550", Manners(to_letter="550 No such mailbox")),
    _behaves("answers 552", Manners(to_letter="552 Mailbox full")),
    _behaves("answers 450 to the address", Manners(to_address="450 Busy")),
    _behaves("answers 550 to the address", Manners(to_address="550 Unknown")),
    _behaves("hangs up in mid-conversation", Manners(hangs_up=True)),
    _behaves("answers seconds after taking a letter", Manners(dawdles=1.0)),
    Fault("mail server cuts after taking a letter", _cuts),
]
