"""Thirty-two consoles press 'next' at the same moment, repeatedly.

The suite does a few rounds; ``TOKENQ_ROUNDS=2000`` does that many.
"""

import os
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.stack import Stack
from tokenq.client import Client

CONSOLES = 32
ROUNDS = int(os.environ.get("TOKENQ_ROUNDS", "15"))


@pytest.mark.timeout(3600)
def test_thirty_two_consoles_at_once_never_share_and_never_skip(running: Stack) -> None:
    """Each round hands out exactly the next thirty-two people, one to each counter."""
    clients = [Client(running.endpoints.api, running.token) for _ in range(CONSOLES)]
    name = "M" + secrets.token_hex(3).upper()
    clients[0].create_department({"departmentId": name, "name": "Many consoles"})
    barrier, called = threading.Barrier(CONSOLES), []

    def work(number: int) -> list[int]:
        client, mine = clients[number], []
        for _ in range(ROUNDS):
            client.issue(name)
            barrier.wait(60)
            token = client.call(name, f"{name}-{number}")
            mine.append(token["tokenNo"])
            barrier.wait(60)
            client.move(token, "serve")
        return mine

    with ThreadPoolExecutor(CONSOLES) as pool:
        called = list(pool.map(work, range(CONSOLES)))

    for client in clients:
        client.close()
    for place in range(ROUNDS):
        handed_out = sorted(mine[place] for mine in called)
        assert handed_out == list(range(place * CONSOLES + 1, (place + 1) * CONSOLES + 1))
