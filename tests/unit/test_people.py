"""Who asks: looked up once for many, and never known for longer than a second."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from tokenq.contract.enums import Role
from tokenq.contract.problems import Refused
from tokenq_server.domain.principal import Principal
from tokenq_server.services import people as module
from tokenq_server.services.audit import BY_SYSTEM, Origin
from tokenq_server.services.people import People


class SlowKeys:
    """One key, whose look-ups end when they are let go; each tells what was true when it began."""

    def __init__(self) -> None:
        self.is_valid = True
        self.looks = 0
        self.go = asyncio.Event()

    async def principal(self, token_hash: bytes) -> Principal | None:
        self.looks += 1
        found = PRINCIPAL if self.is_valid else None
        await self.go.wait()
        return found

    async def delete_key(self, key_id: int, origin: Origin) -> bool:
        self.is_valid = False
        return True


PRINCIPAL = Principal("key", 1, "desk", Role.DESK)


@pytest.fixture
async def keys() -> AsyncIterator[SlowKeys]:
    slow = SlowKeys()
    yield slow
    slow.go.set()


def people(keys: SlowKeys) -> People:
    return People(keys, None, lambda _: None)  # type: ignore[arg-type]


async def begun(keys: SlowKeys, asking: People, looks: int) -> "asyncio.Task[Principal]":
    task = asyncio.create_task(asking.who(b"hash of a secret"))
    async with asyncio.timeout(10):
        while keys.looks < looks:
            await asyncio.sleep(0)
    return task


async def test_many_who_ask_at_once_are_one_look(keys: SlowKeys) -> None:
    asking = people(keys)
    tasks = [await begun(keys, asking, 1) for _ in range(40)]
    keys.go.set()

    assert {one.name for one in await asyncio.gather(*tasks)} == {PRINCIPAL.name}
    assert keys.looks == 1


async def test_a_key_that_is_revoked_during_a_look_is_refused_at_once(keys: SlowKeys) -> None:
    """Whoever asks after that neither joins the look nor finds what it found."""
    asking = people(keys)
    before = await begun(keys, asking, 1)
    await asking.delete_key(1, BY_SYSTEM)
    after = asyncio.create_task(asking.who(b"hash of a secret"))
    await asyncio.sleep(0)
    keys.go.set()
    await before

    with pytest.raises(Refused):
        await after
    with pytest.raises(Refused):
        await asking.who(b"hash of a secret")


async def test_an_answer_is_as_old_as_its_look(keys: SlowKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Revoked by another process during the look: a second after its beginning nobody believes it any more."""
    clock: Any = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    asking = people(keys)
    first = await begun(keys, asking, 1)
    keys.is_valid = False
    clock.now += 0.9
    second = asyncio.create_task(asking.who(b"hash of a secret"))
    await asyncio.sleep(0)
    keys.go.set()
    await asyncio.gather(first, second)
    clock.now += 0.2

    with pytest.raises(Refused):
        await asking.who(b"hash of a secret")


async def test_nobody_joins_a_look_that_began_long_ago(keys: SlowKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    clock: Any = SimpleNamespace(now=100.0)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    asking = people(keys)
    first = await begun(keys, asking, 1)
    keys.is_valid = False
    clock.now += 1.1
    second = await begun(keys, asking, 2)
    keys.go.set()
    await first

    with pytest.raises(Refused):
        await second


@pytest.mark.parametrize("name", ["customer", "tokenq"])
async def test_no_account_has_a_name_that_the_log_uses_for_others(name: str) -> None:
    """Reports would count what staff cancel as given up by the customer."""
    store = SimpleNamespace()  # nothing of it is asked
    accounts = People(store, None, lambda _: None)  # type: ignore[arg-type]
    for asking in (
        accounts.create_user({"name": "Ann", "username": name, "role": "staff"}, BY_SYSTEM),
        accounts.change_user(1, {"username": name}, BY_SYSTEM),
        accounts.create_key(name, Role.DESK, [], BY_SYSTEM),
        accounts.change_key(1, {"label": name}, BY_SYSTEM),
    ):
        with pytest.raises(Refused, match="reserved"):
            await asking
