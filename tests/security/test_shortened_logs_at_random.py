"""Random days in departments that keep their customers, with deletions in between: what is left is sound."""

import os
import random

import pytest

from tests.people import ANN
from tests.security.old_logs import all_is_published, days_pass, delete_older_than, seqs, verified
from tests.servers import Servers
from tests.without_http import Body, Core
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import Verb
from tokenq_server.domain.commands import TransferToken, UndoMove

RUNS = int(os.environ.get("TOKENQ_SHORTENED_LOGS", "2"))
"""How many random histories."""
OF_REDIS = {"R1", "R3"}
"""Its queues are of a day, and days pass here without their end."""
_VERBS = (Verb.CANCEL, Verb.NO_SHOW, Verb.REQUEUE, Verb.PARK, Verb.RESUME, Verb.REINSTATE, Verb.START, Verb.SERVE)


async def act(core: Core, chance: random.Random, names: list[str]) -> None:
    """Do something that may be refused."""
    name = chance.choice(names)
    rows = await core.rows("SELECT token_id, department_id, claim_version FROM token ORDER BY token_id DESC LIMIT 12")
    what = chance.randrange(8)
    if not rows or what < 2:
        await core.issue(name, email=chance.choice([None, "ada@example.com"]))
        return
    token = chance.choice(rows)
    where, token_id = token["department_id"], token["token_id"]
    body: Body = {"departmentId": where, "tokenId": token_id, "claimVersion": token["claim_version"]}
    match what:
        case 2:
            await core.serve(name, f"{names.index(name)}")
        case 3:
            await core.call(name, f"{names.index(name)}")
        case 4:
            to = chance.choice([other for other in names if other != where])
            position = chance.choice([RequeuePosition.LAST, RequeuePosition.ORIGINAL])
            await core.do(TransferToken(where, ANN, token_id, to, position=position))
        case 5:
            await core.do(UndoMove(where, ANN, token_id))
        case _:
            await core.move(body, chance.choice(_VERBS))


@pytest.mark.parametrize("seed", range(RUNS))
async def test_whatever_happened_the_shortened_log_is_sound(core: Core, servers: Servers, seed: int) -> None:
    """All that can still be known of it holds, and it has no holes."""
    chance = random.Random(seed)
    names = [await core.department(dayEnd=chance.choice(["keep", "expire"]), minCalls=0) for _ in range(3)]
    deleted = 0
    for _ in range(12):
        for _ in range(chance.randrange(4, 16)):
            try:
                await act(core, chance, names)
            except Refused:
                continue
        await days_pass(core, chance.randrange(3))
        await all_is_published(core)
        await delete_older_than(core, chance.randrange(1, 4))
        found = (await verified(core, servers)).violations
        assert {code: found[code] for code in found.keys() - OF_REDIS} == {}
        for name in names:
            left = await seqs(core, name)
            assert left == list(range(left[0], left[-1] + 1))
            deleted += left[0] - 1
    assert deleted, "nothing was deleted: this proved nothing"
