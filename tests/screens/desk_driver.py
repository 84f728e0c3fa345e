"""What the desk's tests share: a fake API that issues numbers, a fake printer, and a desk on both."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from textual.pilot import Pilot

from tests.refusals import refusal
from tests.screens.console_seeds import NOON, FakeApi, token
from tests.screens.reading import until_shown
from tests.tickets import ticket
from tokenq.contract.problems import ProblemCode
from tokenq.contract.ticket_views import TicketView
from tokenq.contract.views import BranchView, MeView, TokenView
from tokenq.errors import PrinterFailed, Unreachable
from tokenq_tui.desk.app import DeskApp

NAMES = {"CW": "Chest ward", "LAB": "Laboratory 验血", "XR": "X-ray"}


class DeskApi(FakeApi):
    """Issues numbers, once per idempotency key. ``loses`` so many answers after having issued."""

    def __init__(self, departments: dict[str, str] | None = None) -> None:
        names = departments or NAMES
        super().__init__([token("CW", 1), token("CW", 2), token("LAB", 1)], list(names))
        self.names = names
        self.desks["1"] = cast(Any, {"counterId": "1", "departments": []})
        self.by_key: dict[str, TokenView] = {}
        self.loses = 0
        self.self_service = dict.fromkeys(names, "on")
        self.languages = ["en"]
        self.role = "desk"
        self.issued: list[tuple[Any, ...]] = []
        self.found: list[str] = []

    def me(self) -> MeView:
        return cast(MeView, {**super().me(), "role": self.role})

    def branch(self, branch: str) -> BranchView:
        self._asked()
        return cast(
            BranchView,
            {"name": "St. Mary", "timezone": "UTC", "languages": self.languages, "counterWords": {"en": "Room"}},
        )

    def issue(
        self,
        department: str,
        *,
        email: str | None = None,
        name: str | None = None,
        language: str | None = None,
        key: str | None = None,
    ) -> TokenView:
        self._asked()
        assert key
        if key not in self.by_key:
            self.issued.append((department, name, email, language))
            number = max((t["tokenNo"] for t in self.known.values() if t["departmentId"] == department), default=0) + 1
            made = token(department, number, name=name, position=number)
            self.known[made["tokenId"]] = made
            self.by_key[key] = made
            self.seq += 1
        if self.loses:
            self.loses -= 1
            lost = Unreachable()
            lost.is_unsure, lost.key = True, key
            raise lost
        return cast(TokenView, dict(self.by_key[key]))

    def token(self, token_id: int) -> TokenView:
        self._asked()
        return cast(TokenView, dict(self.known[token_id]))

    def ticket(self, token: TokenView) -> TicketView:
        return ticket(displayNumber=token["displayNumber"])

    def find_token(self, reference: str) -> TokenView:
        self.found.append(reference)
        found = [each for each in self.known.values() if each["displayNumber"] in reference]
        if not found:
            raise refusal(ProblemCode.UNKNOWN_TOKEN, f"There is no token {reference} today.")
        return cast(TokenView, dict(found[0]))


class FakePrinter:
    """Keeps the numbers that it printed, or fails."""

    def __init__(self) -> None:
        self.printed: list[str] = []
        self.fault = ""
        self.note = ""
        self.pause = threading.Event()
        self.pause.set()

    def __call__(self, ticket: TicketView, note: Any) -> None:
        self.pause.wait(5)
        if self.fault:
            raise PrinterFailed(self.fault)
        self.printed.append(ticket["displayNumber"])
        if self.note:
            note(self.note)


@asynccontextmanager
async def at_desk(
    api: DeskApi | None = None,
    printer: FakePrinter | None = None,
    *,
    size: tuple[int, int] = (80, 24),
    **options: Any,
) -> AsyncIterator[tuple[DeskApi, DeskApp, Pilot[None]]]:
    """A desk that shows its departments."""
    api = api or DeskApi()
    app = DeskApp(api, api, api.feed, (), printer=printer, clock=lambda: NOON, **options)
    async with app.run_test(size=size) as pilot:
        for words in ("LIVE", "2 waiting"):
            await until_shown(pilot, words)
        yield api, app, pilot
