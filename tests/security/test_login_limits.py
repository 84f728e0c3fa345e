"""Guessing passwords is limited for all API processes together, and locks nobody out. Rows 22, 32 and 33."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import count

from tests.security.processes import PASSWORD, Processes
from tests.servers import Running
from tests.valkeys import OwnValkey
from tokenq.contract.enums import Role
from tokenq_server.services.audit import BY_SYSTEM

Start = Callable[..., AbstractAsyncContextManager[Processes]]
HOME, ATTIC = "198.51.100.1", "198.51.100.2"


async def codes(processes: Processes, number: int, name: str = "ann", **where: object) -> list[int]:
    """The statuses of so many wrong passwords at once: the wait for the next one begins with a second only."""
    answers = await asyncio.gather(*(processes.login(name, "wrong password", **where) for _ in range(number)))
    return sorted(answer.status_code for answer in answers)


async def test_processes_count_wrong_passwords_together(start: Start) -> None:
    """Row 22: 429 with Retry-After and its seconds; from another address the right password works."""
    async with start(logins=6) as both:
        await both.user(Role.STAFF, "ann")
        answers = await asyncio.gather(
            *(both.login("ann", "wrong password", process=number % 2, source=HOME) for number in range(8))
        )
        assert sorted(answer.status_code for answer in answers) == [401] * 6 + [429] * 2
        refused = next(answer for answer in answers if answer.status_code == 429)
        problem = refused.json()
        assert problem["code"] == "rate_limited"
        assert refused.headers["retry-after"] == str(problem["params"]["seconds"])
        assert problem["hint"] == f"Try again in {problem['params']['seconds']} s."
        assert (await both.login("ann", process=1, source=ATTIC)).status_code == 200


async def test_without_redis_each_process_limits_alone_and_with_it_together_again(
    start: Start, own_valkey: Running[OwnValkey]
) -> None:
    """Row 33: no 5xx, no open door. A process continues from what it knows."""
    async with start(logins=4) as both:
        await both.user(Role.STAFF, "ann")
        await both.login("ann", process=1, source=ATTIC)
        assert await codes(both, 2, source=HOME) == [401] * 2
        own_valkey.kill()
        assert await codes(both, 4, source=HOME) == [401] * 2 + [429] * 2, "two are known here"
        assert await codes(both, 6, process=1, source=HOME) == [401] * 4 + [429] * 2, "and none here"
        assert (await both.login("ann", process=1, source=ATTIC)).status_code == 200
        await asyncio.to_thread(own_valkey.start)
        names = count()
        async with asyncio.timeout(30):
            while not await is_shared(both, f"user{next(names)}"):
                await asyncio.sleep(0.1)


async def is_shared(both: Processes, name: str) -> bool:
    """Whether what one process counts limits the other one."""
    where = "203.0.113." + name.removeprefix("user")
    wrong = [both.login(name, "wrong password", process=number % 2, source=where) for number in range(8)]
    return [answer.status_code for answer in await asyncio.gather(*wrong)].count(429) == 4


async def test_a_user_under_attack_from_many_addresses_logs_in_from_the_usual_one(start: Start) -> None:
    """Row 22, L4: a budget of the account over all new addresses limits guessers, and not its user."""
    async with start(logins_per_account=6) as both:
        await both.user(Role.STAFF, "ann")
        assert (await both.login("ann", source=HOME)).status_code == 200
        attack = (codes(both, 1, process=number % 2, source=f"203.0.113.{number}") for number in range(9))
        assert sorted(await asyncio.gather(*attack)) == [[401]] * 6 + [[429]] * 3
        assert (await both.login("ann", source=HOME)).status_code == 200


async def test_a_password_is_not_guessed_by_changing_it_either(start: Start) -> None:
    """L5: by a session that was stolen; it is the same account."""
    async with start(logins=4, logins_per_account=6) as both:
        await both.user(Role.STAFF, "ann")
        token = (await both.login("ann", source=HOME)).json()["token"]
        body = {"oldPassword": "wrong password", "newPassword": "another password"}

        async def change(source: str) -> int:
            client = both.client(token, process=1, source=source)
            return (await client.post("/api/v1/auth/password", json=body)).status_code

        *changes, logins = await asyncio.gather(*(change(ATTIC) for _ in range(5)), codes(both, 5, source=ATTIC))
        assert [*changes, *logins].count(429) == 6, "a login from there is another way to guess the same"
        from_many = await asyncio.gather(*(change(f"203.0.113.{number}") for number in range(3)))
        assert sorted(from_many) == [403] * 2 + [429]
        assert (await both.login("ann", source=HOME)).status_code == 200


async def test_a_key_cannot_use_up_the_attempts_of_a_user_of_its_name(start: Start) -> None:
    """It has no password that it could guess."""
    async with start(logins=2) as both:
        await both.user(Role.STAFF, "ann")
        made = await both.services.people.create_key("ann", Role.CUSTOMER, [], BY_SYSTEM)
        body = {"oldPassword": "wrong password", "newPassword": "another password"}
        client = both.client(str(made.get("key")), source=HOME)
        answers = [await client.post("/api/v1/auth/password", json=body) for _ in range(3)]
        assert [answer.json()["reason"] for answer in answers] == ["account.key_has_no_password"] * 3
        assert (await both.login("ann", source=HOME)).status_code == 200


async def test_a_changing_header_makes_no_new_client(start: Start) -> None:
    """Row 32: without a trusted proxy it is ignored; IPv6 addresses of one network are one client."""
    async with start(logins=3) as both:
        await both.user(Role.STAFF, "ann")
        body = {"username": "ann", "password": "wrong password"}
        forged = (
            both.client(process=number % 2, source=HOME).post(
                "/api/v1/auth/login", json=body, headers={"X-Forwarded-For": f"203.0.113.{number}"}
            )
            for number in range(5)
        )
        assert sorted(each.status_code for each in await asyncio.gather(*forged)) == [401] * 3 + [429] * 2
        of_one_network = (codes(both, 1, source=f"2001:db8:0:1::{number}") for number in range(1, 6))
        assert sorted(await asyncio.gather(*of_one_network)) == [[401]] * 3 + [[429]] * 2


async def test_what_needs_no_login_is_limited_by_address(start: Start) -> None:
    async with start(number=1, public_requests=5) as one:
        here, elsewhere = one.client(source=HOME), one.client(source=ATTIC)
        answers = [await here.get("/metrics") for _ in range(7)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
        assert answers[-1].headers["retry-after"] == str(answers[-1].json()["params"]["seconds"])
        assert (await one.login("ann", PASSWORD, source=HOME)).status_code == 429
        assert (await elsewhere.get("/metrics")).status_code == 200


async def test_a_flood_of_health_checks_is_answered_and_asks_the_stores_once(start: Start) -> None:
    """A load balancer takes a server away that refuses to answer: anybody could cause that behind one proxy."""
    async with start(number=1, public_requests=5) as one:
        pings = 0
        ping = one.services.database.ping

        async def counted() -> None:
            nonlocal pings
            pings += 1
            await ping()

        object.__setattr__(one.services.database, "ping", counted)
        client = one.client(source=HOME)
        answers = await asyncio.gather(*(client.get(path) for path in ("/readyz", "/healthz") * 100))
        assert {answer.status_code for answer in answers} == {200}
        assert pings < 5
