"""What a login reveals and what it costs. Rows 19 to 21, 23 and 25."""

import asyncio
import base64
import json
import secrets

import argon2
import httpx
import pytest

from tests.security.conftest import Start
from tests.security.processes import PASSWORD, Processes
from tokenq.contract.enums import Role
from tokenq_server.services.audit import BY_SYSTEM

Work = list[tuple[int, int, int, int]]
"""For each password that was checked: the parameters and the length of the hash it was compared with."""
TOO_LONG = ["x" * 129, "x" * 100_000, "\ud800" * 20]
IMPOSSIBLE = [*TOO_LONG, "a password\0of two", "tab\tulated", "short"]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """All checks of passwords by argon2, which are made all the same."""
    done: Work = []
    verify = argon2.PasswordHasher.verify

    def counted(hasher: argon2.PasswordHasher, hash_: str, password: str) -> bool:
        found = argon2.extract_parameters(hash_)
        done.append((found.time_cost, found.memory_cost, found.parallelism, len(hash_)))
        return verify(hasher, hash_, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    return done


def content(answer: httpx.Response) -> tuple[int, dict[str, object]]:
    problem = answer.json()
    problem.pop("requestId")
    return answer.status_code, problem


async def post_raw(processes: Processes, path: str, body: object) -> httpx.Response:
    """Send JSON that the client's library would not encode, such as half a surrogate pair."""
    raw = json.dumps(body).encode()
    return await processes.client().post(path, content=raw, headers={"Content-Type": "application/json"})


async def test_an_unknown_user_costs_and_tells_the_same_as_a_wrong_password(start: Start, work: Work) -> None:
    """Row 19: one check with the same parameters for each; that it takes as long follows."""
    async with start(number=1) as one:
        await one.user(Role.STAFF, "ada")
        await one.user(Role.ADMIN, "root")
        values = {"name": "Bob", "username": "bob", "role": "staff", "password": PASSWORD, "email": None}
        bob = await one.services.people.create_user(values, BY_SYSTEM)
        await one.services.people.change_user(bob["userId"], {"is_disabled": True}, BY_SYSTEM)
        await one.services.people.create_user(
            {"name": "Eve", "username": "eve", "role": "customer", "email": None}, BY_SYSTEM
        )
        answers = [await one.login(name, "wrong password") for name in ("ada", "nobody", "bob", "eve", "ada'--")]
        assert [content(answer) for answer in answers] == [content(answers[0])] * len(answers)
        assert answers[0].status_code == 401
        assert work == [work[0]] * len(answers)
        right = await one.login("bob")
        assert content(right) == content(answers[0]), "a disabled user's right password is a wrong one"


@pytest.mark.parametrize("password", TOO_LONG, ids=lambda text: ascii(text)[:12])
async def test_a_password_that_cannot_be_one_is_not_hashed(start: Start, work: Work, password: str) -> None:
    """Row 20."""
    async with start(number=1) as one:
        await one.user(Role.STAFF, "ada")
        answer = await post_raw(one, "/api/v1/auth/login", {"username": "ada", "password": password})
        assert answer.status_code in (413, 422), answer.text
        assert work == []


async def test_a_megabyte_is_not_hashed(start: Start, work: Work) -> None:
    """Row 20."""
    async with start(number=1) as one:
        answer = await post_raw(one, "/api/v1/auth/login", {"username": "ada", "password": "x" * 2**20})
        assert (answer.status_code, work) == (413, [])


@pytest.mark.parametrize("password", IMPOSSIBLE, ids=lambda text: ascii(text)[:12])
async def test_a_new_password_that_cannot_be_one_is_not_hashed(
    start: Start, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    """Row 20: neither of a new user nor as the new one of somebody who has one."""
    async with start(number=1) as one:
        admin = await one.key(Role.ADMIN)
        await one.user(Role.STAFF, "ada")
        token = (await one.login("ada")).json()["token"]
        hashed: list[str] = []
        monkeypatch.setattr(argon2.PasswordHasher, "hash", lambda _, password: hashed.append(password))
        for key, path, body in (
            (admin, "/api/v1/users", {"name": "Bob", "username": "bob", "role": "staff", "password": password}),
            (token, "/api/v1/auth/password", {"oldPassword": PASSWORD, "newPassword": password}),
        ):
            sent = {"Content-Type": "application/json"}
            answer = await one.client(key).post(path, content=json.dumps(body).encode(), headers=sent)
            assert answer.status_code == 422, (path, answer.text)
        assert hashed == []


async def test_a_crowd_of_logins_waits_in_a_short_queue(start: Start) -> None:
    """Row 21: two hashes at once, and who finds the queue full is told when to come back; others work on meanwhile."""
    async with start(number=1, logins_per_source=0, public_requests=0) as one:
        await one.user(Role.STAFF, "ada")
        staff = one.client((await one.login("ada")).json()["token"])
        crowd = [asyncio.create_task(one.login(f"u{number}", "wrong password")) for number in range(100)]
        await asyncio.sleep(0)
        while not all(task.done() for task in crowd):
            assert (await staff.get("/api/v1/departments")).status_code == 200
        answers = [task.result() for task in crowd]
        assert {answer.status_code for answer in answers} == {401, 503}
        refused = [answer for answer in answers if answer.status_code == 503]
        assert all(answer.headers["retry-after"] for answer in refused)
        assert len(refused) >= 50
        assert (await one.login("ada")).status_code == 200


async def test_a_session_s_token_is_random_and_long(start: Start) -> None:
    """Row 23: at least 256 bits after a prefix by which a leaked one is found; the database has its hash only."""
    async with start(number=1) as one:
        await one.user(Role.STAFF, "ada")
        found = [(await one.login("ada")).json()["token"] for _ in range(3)]
        assert len(set(found)) == 3
        for token in found:
            prefix, _, rest = token.partition("_")
            assert (prefix, len(base64.urlsafe_b64decode(rest + "==")) >= 32) == ("tq", True)


async def test_a_password_change_ends_every_session(start: Start) -> None:
    """Row 23: a thief of the old password is logged out, too, whichever process is asked."""
    async with start() as both:
        await both.user(Role.ADMIN, "root")
        await both.user(Role.STAFF, "ada")
        tokens = [(await both.login("ada")).json()["token"] for _ in range(2)]
        body = {"oldPassword": PASSWORD, "newPassword": "another horse battery"}
        changed = await both.client(tokens[0]).post("/api/v1/auth/password", json=body)
        assert changed.status_code == 204, changed.text
        await asyncio.sleep(1.1)  # another process may remember a session for a second
        for token in tokens:
            for process in (0, 1):
                assert (await both.client(token, process=process).get("/api/v1/auth/me")).status_code == 401
        assert (await both.login("ada")).status_code == 401
        assert (await both.login("ada", "another horse battery")).status_code == 200


async def test_a_password_that_was_reset_meanwhile_stays_reset(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 23: whoever knows the old one and changes it at that moment would keep the account."""
    async with start(number=1) as one:
        await one.user(Role.ADMIN, "root")
        await one.user(Role.STAFF, "ada")
        people = one.services.people
        (ada,) = [user["userId"] for user in await people.users(0, 10) if user["username"] == "ada"]
        thief = one.client((await one.login("ada")).json()["token"])
        matches = people._passwords.matches

        async def matches_slowly(stored: str | None, password: str) -> bool:
            is_right = await matches(stored, password)
            monkeypatch.undo()
            await people.change_user(ada, {"password": "reset by the admin"}, BY_SYSTEM)
            return is_right

        monkeypatch.setattr(people._passwords, "matches", matches_slowly)
        body = {"oldPassword": PASSWORD, "newPassword": "the thief's own one"}
        answer = await thief.post("/api/v1/auth/password", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert (await one.login("ada", "the thief's own one")).status_code == 401
        assert (await one.login("ada", "reset by the admin")).status_code == 200


async def test_nobody_is_who_a_document_says(start: Start) -> None:
    """Row 25: there are no JSON Web Tokens here, so none is believed, whatever its algorithm."""
    async with start(number=1) as one:
        await one.user(Role.ADMIN, "ada")
        claims = {"sub": "ada", "role": "admin", "exp": 4102444800}
        for algorithm in ("none", "None", "HS256", "RS256"):
            parts = [
                base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
                for part in ({"alg": algorithm}, claims)
            ]
            for signature in ("", secrets.token_urlsafe(32)):
                bearer = b".".join(parts).decode() + "." + signature
                answer = await one.client(bearer).get("/api/v1/users")
                assert answer.status_code == 401
