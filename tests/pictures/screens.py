"""The pictures of the screens in a terminal, as SVG."""

import secrets
from collections.abc import Callable
from functools import partial

from textual.app import App

from tests.pictures.place import Place
from tests.screens.drawing import svg_of
from tests.screens.reading import until_shown
from tokenq.client import Client
from tokenq.client.events import follow
from tokenq_tui.board.app import BoardApp, of_server
from tokenq_tui.console.app import ConsoleApp
from tokenq_tui.desk.app import DeskApp

_WIDE, _SMALL = (120, 36), (100, 30)


async def board(place: Place) -> bytes:
    """The lobby's board, with two calls."""
    app = BoardApp(of_server(_client(place, place.key("board")), "main"), quiet=True)
    return await _drawn(app, _WIDE, "Customer window")


async def console(place: Place) -> bytes:
    """The console of a counter that serves somebody."""
    reader, actor, lease = (_client(place) for _ in range(3))
    actor.console = lease.console = secrets.token_hex(8)
    app = ConsoleApp(reader, actor, _feed(actor), ["CW", "LAB"], "3", lease_api=lease)
    return await _drawn(app, _WIDE, "letter about the call")


async def desk(place: Place) -> bytes:
    """The front desk."""
    return await _drawn(_desk(place, self_service=False), _SMALL, "Laboratory")


async def kiosk(place: Place) -> bytes:
    """The same as customers see it, with their languages."""
    place.speak("en", "es", "de")
    return await _drawn(_desk(place, self_service=True), _SMALL, "Laboratory")


def _desk(place: Place, *, self_service: bool) -> DeskApp:
    key = place.key("desk")
    actor = _client(place, key)
    return DeskApp(_client(place, key), actor, _feed(actor), self_service=self_service)


def _client(place: Place, key: str = "") -> Client:
    return Client(place.stack.endpoints.api, key or place.stack.token)


def _feed(client: Client) -> Callable[..., object]:
    following = partial(follow, client.server)
    return lambda ids, stop: following(ids, None, stop)


async def _drawn(app: App[None], size: tuple[int, int], words: str) -> bytes:
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, words)
        await pilot.pause(2.5)
        return svg_of(app).encode()
