"""Numbers are limited for all API processes together. Rows 31, 33, 34 and 35."""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest

from tests.security.processes import Processes
from tests.servers import Running
from tests.valkeys import OwnValkey
from tokenq.contract.enums import Role
from tokenq_server.services import rate_limits

Start = Callable[..., AbstractAsyncContextManager[Processes]]
ISSUE = "/api/v1/departments/CW/tokens"


async def issue(client: httpx.AsyncClient, key: str | None = None, path: str = ISSUE) -> httpx.Response:
    """Issue one number."""
    return await client.post(path, json={}, headers={"Idempotency-Key": key} if key else {})


async def flood(client: httpx.AsyncClient, number: int) -> Counter[int]:
    """Send so many requests, ten at a time; return how many got which status."""
    found: Counter[int] = Counter()
    for _ in range(0, number, 10):
        found.update(answer.status_code for answer in await asyncio.gather(*(issue(client) for _ in range(10))))
    return found


async def cancelled(client: httpx.AsyncClient) -> int:
    """Issue a number and cancel it; return the status of the issue."""
    answer = await issue(client)
    if answer.status_code == 201:
        path, move = cancelling(answer)
        assert (await client.post(path, json=move)).status_code == 200
    return answer.status_code


def cancelling(issued: httpx.Response) -> tuple[str, dict[str, int]]:
    """How to cancel what was issued: path and body."""
    token = issued.json()
    return f"/api/v1/tokens/{token['tokenId']}/cancel", {"claimVersion": token["claimVersion"]}


async def test_a_flood_of_one_customer_is_stopped_and_others_notice_nothing(start: Start) -> None:
    """Row 31: beyond the configured rate 429 with Retry-After, code, seconds, a sentence and a hint."""
    async with start(number=1, customer_requests=20) as one:
        await one.department()
        eve, fred = await one.customer("eve"), await one.customer("fred")
        found = await flood(eve, 500)
        assert (found[201], found.total()) == (1, 500)
        assert found[409] in range(19, 60), "19, and what comes back meanwhile: one every three seconds"
        assert found[201] + found[409] + found[429] == 500
        refused = await issue(eve)
        problem = refused.json()
        assert (problem["code"], problem["detail"]) == ("rate_limited", "You have sent too many requests.")
        assert refused.headers["retry-after"] == str(problem["params"]["seconds"])
        assert problem["hint"] == f"Try again in {problem['params']['seconds']} s."
        assert (await issue(fred)).status_code == 201


async def test_fifty_requests_at_once_take_one_number(start: Start) -> None:
    """Row 34: the others are told that they have one."""
    async with start(customer_requests=100, customer_issues=100) as both:
        await both.department()
        await both.user(Role.CUSTOMER, "eve")
        token = (await both.login("eve")).json()["token"]
        clients = [both.client(token, process=number) for number in (0, 1)]
        answers = await asyncio.gather(*(issue(clients[number % 2]) for number in range(50)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 49}
        assert (await issue(clients[0])).status_code == 409


async def test_taking_and_cancelling_in_a_loop_burns_few_numbers(start: Start) -> None:
    """Row 35, L7: a daily budget per customer and department, whichever process is asked."""
    async with start(customer_issues=5, customer_requests=1000) as both:
        await both.department()
        await both.department("HR")
        await both.user(Role.CUSTOMER, "eve")
        token = (await both.login("eve")).json()["token"]
        clients = [both.client(token, process=number) for number in (0, 1)]
        found = Counter([await cancelled(clients[number % 2]) for number in range(200)])
        assert found == {201: 5, 429: 195}
        problem = (await issue(clients[0])).json()
        assert problem["detail"] == "You have taken too many numbers in CW today."
        assert problem["params"]["minutes"] == -(-problem["params"]["seconds"] // 60)
        assert (await issue(clients[0], path=ISSUE.replace("CW", "HR"))).status_code == 201
        assert (await issue(await both.customer("fred"))).json()["tokenNo"] == 6


@pytest.mark.parametrize("role", [Role.DESK, Role.CUSTOMER])
async def test_a_lost_answer_is_found_again_after_the_last_number(start: Start, role: Role) -> None:
    """A repetition is no second number: it neither counts nor is it refused."""
    async with start(customer_issues=2, staff_issues=2) as both:
        await both.department()
        client = await both.customer("eve") if role is Role.CUSTOMER else both.client(await both.key(role))
        first = await issue(client, "one")
        again = [await issue(client, "one") for _ in range(4)]
        assert {(answer.status_code, answer.text) for answer in again} == {(201, first.text)}
        path, move = cancelling(first)
        assert (await both.client(await both.key(Role.ADMIN)).post(path, json=move)).status_code == 200
        second = await issue(client, "two")
        assert second.status_code == 201
        assert (await issue(client, "three")).status_code == 429
        repeated = await issue(client, "two")
        assert (repeated.status_code, repeated.text) == (201, second.text)
        assert repeated.headers["idempotency-replayed"] == "true"


async def test_a_key_that_runs_wild_is_stopped(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """L7: other keys go on; the second process learns of it within a second."""
    monkeypatch.setattr(rate_limits, "_REPORT_SECONDS", 0.05)
    async with start(staff_issues=30) as both:
        await both.department()
        wild, calm = await both.key(Role.DESK), await both.key(Role.DESK)
        found = await flood(both.client(wild), 100)
        assert found[201] in range(30, 60), "30, and what comes back meanwhile: one every two seconds"
        assert found[201] + found[429] == 100
        problem = (await issue(both.client(wild))).json()
        assert problem["code"] == "rate_limited"
        assert "has issued too many numbers in the last minute" in problem["detail"]
        other = both.client(wild, process=1)
        async with asyncio.timeout(20):
            while (await issue(other)).status_code != 429:
                await asyncio.sleep(0.05)
        assert (await issue(both.client(calm, process=1))).status_code == 201


async def test_a_busy_morning_at_a_desk_is_no_flood(start: Start) -> None:
    """By the defaults: forty people at 9:01, then a group of a hundred and a batch of a hundred."""
    async with start() as both:
        await both.department()
        desk = both.client(await both.key(Role.DESK))
        assert await flood(desk, 40) == {201: 40}
        for more in ({"allOrNone": True}, {}):
            answer = await desk.post(f"{ISSUE}:batch", json={"tokens": [{}] * 100, **more}, timeout=60)
            assert answer.status_code == 201
            assert all("tokenId" in item for item in answer.json()["items"])


async def test_without_redis_numbers_are_limited_too(start: Start, own_valkey: Running[OwnValkey]) -> None:
    """Row 33: the process that was asked before knows how many were taken; none answers 5xx."""
    async with start(customer_issues=3, customer_requests=1000) as both:
        await both.department()
        await both.user(Role.CUSTOMER, "eve")
        token = (await both.login("eve")).json()["token"]
        clients = [both.client(token, process=number) for number in (0, 1)]
        assert [await cancelled(clients[0]) for _ in range(2)] == [201] * 2
        own_valkey.kill()
        assert [await cancelled(clients[0]) for _ in range(5)] == [201] + [429] * 4
        assert [await cancelled(clients[1]) for _ in range(5)] == [201] * 3 + [429] * 2


async def test_nobody_without_a_login_reaches_the_budgets(start: Start) -> None:
    """A limit is applied after the authentication: strangers use up nobody's numbers."""
    async with start(number=1, customer_requests=2) as one:
        await one.department()
        eve = await one.customer("eve")
        assert {(await issue(one.client("tq_nonsense"))).status_code for _ in range(10)} == {401}
        assert [(await issue(eve)).status_code for _ in range(3)] == [201, 409, 429]
