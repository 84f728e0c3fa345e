"""The board application: takes updates from the tail and passes them to the widgets."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from tokenq.board.announcements import DWELL, Announcer
from tokenq.board.picture import Picture
from tokenq.client import Client
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import Event
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.printable import printable
from tokenq.stream import Link, Source
from tokenq.zones import local
from tokenq_tui.board.messages import Changed
from tokenq_tui.board.replay import STEP, Replay
from tokenq_tui.board.tail import Tail, Update
from tokenq_tui.board.widgets.banner import Banner
from tokenq_tui.board.widgets.departments import Departments
from tokenq_tui.board.widgets.recent import Recent
from tokenq_tui.link_badge import Health, LinkBadge
from tokenq_tui.theme import DARK, LIGHT

OFFLINE_AFTER = 60.0
"""Seconds without the broker or the server after which "stale" becomes "offline"."""

DWELL_IN_REPLAY = 1.0
"""Seconds a call stays big during a replay, where calls come faster."""

_CONNECTS_WITHIN = 5.0
_PAGE_SECONDS = 8


class BoardApp(App[None]):
    """The lobby board."""

    TITLE = "tokenq board"
    CSS_PATH = "board.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", "Quit", show=False, priority=True),
        Binding("space", "play('toggle')", "Pause or resume"),
        Binding("right", "play('forward')", "Skip forward"),
        Binding("left", "play('back')", "Skip back"),
        Binding("plus,up", "play('faster')", "Faster"),
        Binding("minus,down", "play('slower')", "Slower"),
    ]

    def __init__(
        self,
        open_source: Callable[[], Source],
        departments: Sequence[str] = (),
        *,
        calls: int = 8,
        quiet: bool = False,
        light: bool = False,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        player: Replay | None = None,
        timezone: str = "",
    ) -> None:
        super().__init__()
        self._player = player
        self._tail = Tail(open_source, departments, self._notify, clock)
        self._announcer = Announcer(DWELL if player is None else DWELL_IN_REPLAY)
        self._update = Update()
        self._calls, self._quiet, self._clock = calls, quiet, clock
        self._began = time.monotonic()
        self._timezone = timezone
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        self.theme = LIGHT.name if light else DARK.name

    @property
    def picture(self) -> Picture:
        """The picture on the screen."""
        return self._update.picture

    def compose(self) -> ComposeResult:
        """Yield the widgets; their content comes with the first picture."""
        with Horizontal(id="top"):
            yield Static("NOW CALLING", id="title", markup=False)
            yield Static("", id="player", markup=False)
            yield Static("", id="clock", markup=False)
            yield LinkBadge(markup=False)
        yield Static("", id="todo", markup=False)
        yield Banner()
        with Horizontal(id="lower"):
            yield Recent(self._calls)
            yield Departments()

    def on_mount(self) -> None:
        """Start reading; a half-second timer updates clock, badge and highlight."""
        self.query_one("#player").display = self._player is not None
        self.query_one(LinkBadge).display = self._player is None
        self._draw()
        self.set_interval(0.5, self._draw)
        self._tail.start()

    def on_unmount(self) -> None:
        """Stop reading."""
        self._tail.stop()

    def _notify(self) -> None:
        self.post_message(Changed())

    def on_changed(self, _message: Changed) -> None:
        """Take the update; ring once, however many new calls it has."""
        self._update = self._tail.take()
        for call in self._update.news:
            self._announcer.announce(call)
        if self._update.news and not self._quiet:
            self.bell()
        self._draw()

    def action_play(self, what: str) -> None:
        """Handle a playback key; a live board ignores it."""
        if self._player is None:
            return
        match what:
            case "toggle":
                self._player.toggle()
            case "forward" | "back":
                self._player.skip(STEP if what == "forward" else -STEP)
            case _:
                self._player.change_speed(1 if what == "faster" else -1)
        self._draw()

    def _draw(self) -> None:
        if self._player is not None:
            _write(self.query_one("#player", Static), f"space ← → + -   {self._player.status()}")
        now = time.monotonic()
        picture = self._update.picture
        call, age = self._announcer.current(picture, now)
        zone = picture.timezone or self._timezone
        clock = local(self._clock(), zone)
        health, detail = _health(self._update, now, now - self._began, clock)
        self.query_one(LinkBadge).show(health, detail)
        _write(self.query_one("#clock", Static), f"{clock:%H:%M}")
        todo = self.query_one("#todo", Static)
        todo.display = bool(self._update.todo)
        _write(todo, printable(self._update.todo))
        banner = self.query_one(Banner)
        departments = (each for each in picture.departments if call and each.department_id == call.department_id)
        name = next((department.name for department in departments), "")
        is_outdated = health is Health.OFFLINE
        banner.show(call, age, _notice(self._update, health), department=name, zone=zone, is_outdated=is_outdated)
        _write(self.query_one("#title", Static), "LAST CALLED" if banner.is_past else "NOW CALLING")
        shown = (call.department_id, call.seq) if call else None
        self.query_one(Recent).show(tuple(c for c in picture.calls if (c.department_id, c.seq) != shown), zone)
        self.query_one(Departments).show(picture, int(now) // _PAGE_SECONDS)


def run(
    open_source: Callable[[], Source],
    *,
    departments: Sequence[str] = (),
    calls: int = 8,
    quiet: bool = False,
    light: bool = False,
) -> int:
    """Run the board on a source and return its exit code; empty ``departments`` means all."""
    app = BoardApp(open_source, _ids(departments), calls=calls, quiet=quiet, light=light)
    app.run()
    return app.return_code or 0


def of_topic(broker: KafkaAccess, *, fetch_wait_ms: int = 50) -> Callable[[], Source]:
    """The topic as a source; needs nothing but Kafka."""
    from tokenq.stream.event_stream import EventStream

    return lambda: EventStream(broker, fetch_wait_ms=fetch_wait_ms)


def of_server(
    client: Client, branch: str, departments: Sequence[str] = (), state: BoardView | None = None
) -> Callable[[], Source]:
    """A branch on a server as a source; needs nothing but the API. ``state`` was fetched a moment ago, if at all."""
    from tokenq_tui.board.server_source import ServerSource

    return lambda: ServerSource(client, branch, _ids(departments), state)


def replay(
    *,
    events: Sequence[Event],
    begin: datetime,
    speed: float,
    calls: int = 8,
    light: bool = False,
    timezone: str = "",
) -> int:
    """Replay a day's ``events``, in order of time, from ``begin`` at ``speed`` times real time.

    ``timezone`` is the branch's, since the events of one day need not include it.
    """
    player = Replay(events, begin, speed, timezone)
    app = BoardApp(
        lambda: player, calls=calls, quiet=True, light=light, clock=player.now, player=player, timezone=timezone
    )
    app.run()
    return app.return_code or 0


def _ids(departments: Sequence[str]) -> list[str]:
    return [department.strip().upper() for department in departments]


def _write(static: Static, text: str) -> None:
    if str(static.content) != text:
        static.update(text)


def _health(update: Update, now: float, running: float, clock: datetime) -> tuple[Health, str]:
    if update.link is Link.LIVE:
        if update.is_complete and update.picture.doubtful:
            return Health.STALE, ""
        return Health.LIVE if update.is_complete else Health.CONNECTING, ""
    if update.link is not Link.LOST:
        return Health.CONNECTING, ""
    if update.heard_at is None:
        return Health.CONNECTING if running < _CONNECTS_WITHIN else Health.OFFLINE, ""
    silent = now - update.heard_at
    if silent < OFFLINE_AFTER:
        return Health.STALE, f"{silent:.0f}s"
    return Health.OFFLINE, f"since {clock - timedelta(seconds=silent):%H:%M}"


def _notice(update: Update, health: Health) -> tuple[str, str]:
    if health is Health.LIVE:
        return "WELCOME", "No number is being called. Called numbers appear here."
    if health is Health.CONNECTING:
        return "WELCOME", printable(update.why) or "Reading today's numbers …"
    sentence = "The display is temporarily out of order. Please ask at the front desk."
    # Before there was anything to show, whoever sets the screen up needs the reason.
    why = printable(update.why) if update.heard_at is None else ""
    return "PLEASE WAIT", f"{sentence} {why}" if why else sentence
