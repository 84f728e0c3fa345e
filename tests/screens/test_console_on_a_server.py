"""The console on a real system: what its server knows of it."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

import pytest
from textual.pilot import Pilot

from tests.screens.reading import text_of, until, until_shown
from tests.stack import Stack
from tests.waiting import until as patiently
from tokenq.client import Client
from tokenq.client.events import follow
from tokenq_tui.console.app import ConsoleApp

SIZE = (100, 30)

Console = Callable[[str], ConsoleApp]


@pytest.fixture
def client(running: Stack) -> Iterator[Callable[[], Client]]:
    with ExitStack() as opened:

        def another() -> Client:
            made = Client(running.endpoints.api, running.token)
            opened.callback(made.close)
            return made

        yield another


@pytest.fixture
def admin(client: Callable[[], Client]) -> Client:
    return client()


@pytest.fixture
def console(client: Callable[[], Client]) -> Console:
    """Starts one at counter 2 of a department; each is another screen."""

    def start(name: str) -> ConsoleApp:
        actor, lease = client(), client()
        actor.console = lease.console = secrets.token_hex(8)
        feed = partial(follow, actor.server)
        return ConsoleApp(client(), actor, lambda ids, stop: feed(ids, None, stop), [name], "2", lease_api=lease)

    return start


def place(admin: Client) -> str:
    """A department in a branch of its own, both of the same name but for the case."""
    name = "Q" + secrets.token_hex(3).upper()
    admin.create_branch({"branchId": name.lower(), "name": "A branch of its own"})
    admin.create_department({"departmentId": name, "name": f"Department {name}", "branchId": name.lower()})
    return name


def operator(admin: Client, name: str) -> str | None:
    (counter,) = admin.counters(name.lower())
    return counter["operator"]


async def at_work(app: ConsoleApp, pilot: Pilot[None], admin: Client, name: str) -> None:
    await until_shown(pilot, "LIVE")
    await until(pilot, lambda: admin.counters(name.lower()) and operator(admin, name))


@pytest.mark.parametrize("is_busy", [False, True])
async def test_who_leaves_and_comes_back_is_not_asked_about_themselves(
    admin: Client, console: Console, *, is_busy: bool
) -> None:
    """Also while somebody sits at the counter: they are still there for whoever comes."""
    name = place(admin)
    app = console(name)
    async with app.run_test(size=SIZE) as pilot:
        await at_work(app, pilot, admin, name)
        if is_busy:
            admin.issue(name)
            await until_shown(pilot, f"{name}-001")
            await pilot.press("n")
            await until_shown(pilot, f"{name}-001 is called to counter 2.")
        await pilot.press("q")
    patiently(lambda: operator(admin, name) is None, seconds=15)

    app = console(name)
    async with app.run_test(size=SIZE) as pilot:
        await at_work(app, pilot, admin, name)
        if is_busy:
            await until(pilot, lambda: app.main.state.held)
        assert "in use by" not in text_of(app)
        await pilot.press("q")
