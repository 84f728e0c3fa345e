"""Words that are longer than English ones, or wider, are not cut, and none stays English."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from textual.widgets._footer import FooterKey

from tests.screens.board_seeds import NOON, FakeStream, busy_log, replay
from tests.screens.console_driver import console, id_of
from tests.screens.console_seeds import FakeApi, busy_api, stamp
from tests.screens.desk_driver import DeskApi, FakePrinter
from tests.screens.reading import text_of, until_shown
from tokenq import locale
from tokenq.client import Client
from tokenq.client.calls import _UNSURE
from tokenq.contract.views import QueueView
from tokenq.errors import PrinterFailed, Unreachable
from tokenq.locale import NAMES
from tokenq.paper.printing import LOW_ON_PAPER, send
from tokenq.stream import Link, LinkChanged
from tokenq_tui.board.app import BoardApp
from tokenq_tui.desk.app import DeskApp
from tokenq_tui.faults import failure_hint, failure_sentence

Speak = Callable[[str], None]


@pytest.fixture
def speak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Speak]:
    """Make a language that of the reader."""

    def clear() -> None:
        locale._catalogue.cache_clear()
        locale.texts.cache_clear()

    def in_language(code: str) -> None:
        monkeypatch.setenv("LANGUAGE", code)
        clear()

    yield in_language
    monkeypatch.undo()
    clear()


class AlarmedApi(FakeApi):
    """A department where people wait too long, and which has a long name."""

    def queue(self, department: str) -> QueueView:
        queue = super().queue(department)
        queue["alarms"] = [{"name": "serviceLevel", "limitMinutes": 20, "late": 4, "longestMinutes": 34}]
        return queue


def alarmed() -> AlarmedApi:
    busy = busy_api()
    api = AlarmedApi(list(busy.known.values()), busy.ids)
    api.names = {"CW": "Zulassungsstelle für Kraftfahrzeuge und Führerscheine"}
    return api


async def test_the_console_in_german_at_eighty_columns(speak: Speak) -> None:
    speak("de")
    app = console(alarmed())
    async with app.run_test(size=(80, 24)) as pilot:
        for words in (
            "AKTUELL",
            "Noor Haddad",
            "4 über 20 min",
            "Zulassungsstelle für Kraftfahrzeuge und Führerscheine",
        ):
            await until_shown(pilot, words)
        rows = text_of(app).splitlines()
        assert next(row for row in rows if "Nummer" in row).startswith("  Nummer"), "a column without a title has none"
        assert "q Beenden" in rows[-1]
        last = list(app.main.query(FooterKey))[-1]
        assert last.region.right <= 80, "no key is cut"
        assert rows[-1].rstrip().endswith(last.description)
        await pilot.press("v")
        await until_shown(pilot, "zuerst an der Reihe")


async def test_waits_and_durations_have_chinese_units_that_are_not_cut(speak: Speak) -> None:
    speak("zh_CN")
    api = busy_api()
    api.known[id_of(api, "CW-013")]["estimate"] = {"lowMinutes": 30, "highMinutes": 150, "reason": None}
    api.known[id_of(api, "CW-014")]["issuedAt"] = stamp(NOON - timedelta(minutes=65))
    app = console(api)
    async with app.run_test(size=(80, 24)) as pilot:
        for words in ("0.5-2.5小时", "34分钟", "1时05"):
            await until_shown(pilot, words)


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_a_board_that_may_be_out_of_date_says_all_of_it(speak: Speak, size: tuple[int, int]) -> None:
    speak("de")
    stream = FakeStream([*replay(busy_log(NOON - timedelta(minutes=26))), LinkChanged(Link.LOST)])
    stream.heard_at = 0.0
    app = BoardApp(lambda: stream, quiet=True, clock=lambda: NOON, languages=["de"])
    async with app.run_test(size=size) as pilot:
        await until_shown(pilot, "OFFLINE seit")
        said = " ".join(text_of(app).split())
        assert "vorübergehend gestört. Bitte fragen Sie am Empfang. Stand:" in said


async def test_a_kiosk_shows_every_language_at_sixty_columns() -> None:
    api = DeskApi()
    api.languages = list(NAMES)
    app = DeskApp(api, api, api.feed, (), printer=None, clock=lambda: NOON, self_service=True)
    async with app.run_test(size=(60, 20)) as pilot:
        for name in NAMES.values():
            await until_shown(pilot, name)


def test_what_fails_on_the_way_is_said_in_the_readers_language(speak: Speak) -> None:
    """A printer that is off and a server that is away, each with its name, and what to do."""
    speak("de")
    with closed_port() as port:
        with pytest.raises(PrinterFailed) as printer:
            send(f"tcp://127.0.0.1:{port}", b"", lambda _: None)
        with pytest.raises(Unreachable) as server, Client(f"http://127.0.0.1:{port}", attempts=1) as client:
            client.health()
    assert failure_sentence(printer.value).startswith(f"Der Drucker 127.0.0.1:{port} antwortet nicht: ")
    assert failure_sentence(server.value).startswith(f"http://127.0.0.1:{port} ist nicht erreichbar: ")
    assert str(server.value).startswith(f"Cannot reach http://127.0.0.1:{port}: "), "English in logs and commands"
    unsure = Unreachable("{why}", _UNSURE, why="{x} {0}", url="http://q")
    assert (failure_sentence(unsure), failure_hint(unsure)[:10]) == ("{x} {0}", "Der Server")


async def test_what_a_printer_says_and_why_an_answer_is_awaited(speak: Speak) -> None:
    """A desk shows both while all goes well in the end."""
    speak("de")
    api, printer = DeskApi(), FakePrinter()
    printer.note, api.loses = LOW_ON_PAPER, 1
    app = DeskApp(api, api, api.feed, (), printer=printer, clock=lambda: NOON)
    async with app.run_test(size=(120, 24)) as pilot:
        await until_shown(pilot, "Chest ward")
        await pilot.press("1")
        await until_shown(pilot, "Der Server ist nicht erreichbar.")
        await until_shown(pilot, "Im Drucker ist nur noch wenig Papier.")


@contextmanager
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
