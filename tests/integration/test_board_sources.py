"""One behaviour, two sources: a board that reads the topic, and one that reads the server."""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

import pytest

from tests.stack import Stack, kill_part, start, up_folder
from tests.waiting import until
from tokenq.board.picture import Call, DepartmentPicture
from tokenq.client import Client
from tokenq.contract.enums import TokenState
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Link, Source
from tokenq_tui.board import of_server, of_topic
from tokenq_tui.board.tail import Tail, Update

KINDS = ("topic", "server")
DEPENDS_ON = {"topic": "tansu broker", "server": "tokenq_server api"}
OpenSource = Callable[[], Source]


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with up_folder() as folder:
        yield start(folder)


@pytest.fixture
def admin(stack: Stack) -> Iterator[Client]:
    with Client(stack.endpoints.api, stack.token, timeout=30, attempts=100) as client:
        yield client


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@dataclass
class Floor:
    """A branch of its own with a department, and who works there."""

    stack: Stack
    admin: Client
    branch: str
    department: str
    key: str

    def issue(self, count: int = 1) -> None:
        for _ in range(count):
            self.admin.issue(self.department, email="ada@example.com", name="Ada Byron")

    def call(self, counter: str = "1") -> str:
        return self.admin.call(self.department, counter)["displayNumber"]

    def number(self, place: int) -> str:
        return f"{self.department}-{place:03d}"


@pytest.fixture
def floor(stack: Stack, admin: Client) -> Floor:
    name = "B" + secrets.token_hex(3).upper()
    admin.create_branch({"branchId": name.lower(), "name": "A branch of its own"})
    admin.create_department({"departmentId": name, "name": f"Department {name}", "branchId": name.lower()})
    key = admin.create_key({"label": f"lobby of {name}", "role": "board", "departments": []})["key"]
    return Floor(stack, admin, name.lower(), name, key)


@dataclass
class Watching:
    """What a board gets."""

    tail: Tail
    floor: Floor
    update: Update = field(default_factory=Update)
    news: list[Call] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def look(self) -> Update:
        self.update = self.tail.take()
        self.news += self.update.news
        if self.update.link not in self.links[-1:]:
            self.links.append(self.update.link)
        return self.update

    def shown(self, department: str = "") -> DepartmentPicture | None:
        name = department or self.floor.department
        return next((each for each in self.look().picture.departments if each.department_id == name), None)

    def until_shown(self, holds: Callable[[DepartmentPicture], object], department: str = "") -> DepartmentPicture:
        def fits() -> bool:
            shown = self.shown(department)
            return shown is not None and bool(holds(shown))

        until(fits, lambda: f"shows {self.update}")
        shown = self.shown(department)
        assert shown is not None
        return shown

    @property
    def announced(self) -> list[str]:
        self.look()
        return [call.number for call in self.news]


Watch = Callable[..., AbstractContextManager[Watching]]


def source_of(floor: Floor, kind: str, only: tuple[str, ...]) -> OpenSource:
    if kind == "topic":
        return of_topic(KafkaAccess(floor.stack.endpoints.kafka))
    return of_server(Client(floor.stack.endpoints.api, floor.key), floor.branch, only)


@pytest.fixture
def watching(floor: Floor, kind: str) -> Watch:
    @contextmanager
    def watch(*only: str, of: str = "") -> Iterator[Watching]:
        tail = Tail(source_of(floor, of or kind, only), only, lambda: None)
        tail.start()
        seen = Watching(tail, floor)
        try:
            until(lambda: seen.look().is_complete and seen.update.link is Link.LIVE, lambda: f"{seen.update}")
            yield seen
        finally:
            tail.stop()

    return watch


def test_it_begins_with_the_day_so_far_and_announces_only_what_comes(floor: Floor, watching: Watch) -> None:
    floor.issue(3)
    floor.call("1")
    with watching(floor.department) as earlier:
        earlier.until_shown(lambda shown: shown.waiting == 2)  # by then the relay has published it
    with watching(floor.department) as board:
        begun = board.until_shown(lambda shown: shown.waiting == 2)
        assert [(call.number, call.counter) for call in begun.at_counters] == [(floor.number(1), "1")]
        assert board.announced == []
        floor.call("2")
        until(lambda: board.announced == [floor.number(2)])
        board.until_shown(lambda shown: shown.waiting == 1 and len(shown.at_counters) == 2)


def test_it_follows_every_move(floor: Floor, watching: Watch) -> None:
    """To the same picture as the other source, and as a board that begins afterwards."""
    admin, name = floor.admin, floor.department
    with watching(name) as board:
        floor.issue(6)
        board.until_shown(lambda shown: shown.waiting == 6)
        tokens = [admin.call(name, str(number)) for number in (1, 2, 3, 4)]
        for token, verb in zip(tokens, ("recall", "start", "no-show", "park"), strict=True):
            admin.move(token, verb)
        admin.pause_counter(floor.branch, "4", "lunch")
        admin.change_department(name, {"name": "Eye clinic", "open": False})
        shown = board.until_shown(lambda shown: shown.name == "Eye clinic")
        assert (shown.waiting, shown.is_closed, shown.paused) == (2, True, ("4",))
        assert [(call.number, call.times, call.state) for call in shown.recent] == [
            (floor.number(1), 2, TokenState.CALLED),
            (floor.number(3), 1, TokenState.NO_SHOW),
            (floor.number(2), 1, TokenState.SERVING),
        ]
        assert board.announced == [floor.number(number) for number in (1, 2, 3, 4, 1)]
    for kind in KINDS:
        with watching(name, of=kind) as later:
            assert later.until_shown(lambda now: now == shown) == shown


def test_a_new_department_appears(floor: Floor, watching: Watch) -> None:
    """Of a board that shows all of them."""
    with watching() as board:
        board.until_shown(lambda shown: shown.name)
        other = "N" + secrets.token_hex(3).upper()
        floor.admin.create_department({"departmentId": other, "name": "New", "branchId": floor.branch})
        floor.admin.issue(other)
        board.until_shown(lambda shown: (shown.name, shown.waiting) == ("New", 1), other)


def test_it_goes_on_without_gap_or_repeat_after_its_server_was_killed(floor: Floor, watching: Watch, kind: str) -> None:
    """And says that it is not up to date in between."""
    floor.issue(12)
    with watching(floor.department) as board:
        board.until_shown(lambda shown: shown.waiting == 12)
        for waiting in (10, 8, 6):
            calls_around_a_kill(floor, board, kind, waiting)
        time.sleep(1.0)  # for what would be repeated
        assert board.announced == [floor.number(number) for number in range(1, 7)]
        assert board.look().picture.gaps == 0
        assert board.update.picture.doubtful == ()


def calls_around_a_kill(floor: Floor, board: Watching, kind: str, waiting: int) -> None:
    """A call before and one after, each announced once."""
    announced = len(board.announced)
    floor.call("1")
    until(lambda: len(board.announced) == announced + 1, lambda: f"{board.update}")
    kill_part(floor.stack.data_dir, DEPENDS_ON[kind])
    until(lambda: board.look().link is not Link.LIVE or kind == "topic", lambda: f"{board.links}")
    floor.admin.serve_next(floor.department, "1")
    floor.call("1")
    until(lambda: len(board.announced) >= announced + 2, lambda: f"{board.update}", 60)
    board.until_shown(lambda shown: shown.waiting == waiting and board.update.link is Link.LIVE)
    floor.admin.serve_next(floor.department, "1")


def test_when_read_again_it_shows_the_same_and_announces_nothing(floor: Floor, kind: str) -> None:
    floor.issue(4)
    sources: list[Source] = []

    def opened() -> Source:
        sources.append(source_of(floor, kind, (floor.department,))())
        return sources[0]

    tail = Tail(opened, (floor.department,), lambda: None)
    tail.start()
    board = Watching(tail, floor)
    try:
        board.until_shown(lambda shown: shown.waiting == 4)
        floor.call("1")
        until(lambda: board.announced == [floor.number(1)])
        before = board.until_shown(lambda shown: shown.waiting == 3)
        sources[0].read_again()
        time.sleep(1.5)
        assert replace(board.until_shown(lambda shown: True), hours=before.hours) == before
        floor.call("2")
        until(lambda: board.announced == [floor.number(1), floor.number(2)])
    finally:
        tail.stop()
