"""The board application: takes updates from the tail and passes them to the widgets."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Static

from tokenq.board.announcements import DWELL, Announcer, Shown
from tokenq.board.picture import Call, Picture
from tokenq.client import Client
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import Event
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.locale import SOURCE
from tokenq.printable import printable, wrapped
from tokenq.stream import Source
from tokenq.zones import local
from tokenq_tui.board.layout import band_rows, layout_of
from tokenq_tui.board.messages import Changed
from tokenq_tui.board.notices import health_of, notice, warning
from tokenq_tui.board.replay import STEP, Replay
from tokenq_tui.board.sound import Sound, SoundSettings
from tokenq_tui.board.tail import Tail, Update
from tokenq_tui.board.widgets.banner import LAST_CALLED, NOW_CALLING, Banner
from tokenq_tui.board.widgets.departments import Departments
from tokenq_tui.board.widgets.header import Header
from tokenq_tui.board.widgets.recent import Recent
from tokenq_tui.board.wording import Wording, as_it_is
from tokenq_tui.link_badge import Health
from tokenq_tui.theme import DARK, LIGHT

DWELL_IN_REPLAY = 1.0
"""Seconds a call stays big during a replay, where calls come faster."""

_PAGE_SECONDS = 8
"""Seconds for which a page, and one of several languages, is shown."""


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
        languages: Sequence[str] = (),
        reshape: Callable[[str], str] = as_it_is,
        sound: SoundSettings | None = None,
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
        self._languages, self._reshape = tuple(languages), reshape
        self._sound = Sound(sound or SoundSettings())
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
        yield Header()
        yield Static("", id="band", markup=False)
        yield Static("", id="todo", markup=False)
        yield Banner()
        with Container(id="lower"):
            yield Recent(self._calls)
            yield Departments()

    def on_mount(self) -> None:
        """Start reading; a timer updates clock and link every second, and what blinks twice as often."""
        self._draw()
        self.set_interval(1.0, self._draw)
        self.set_interval(0.5, self._blink)
        self._tail.start()

    def on_unmount(self) -> None:
        """Stop reading, and whatever is being said."""
        self._tail.stop()
        self._sound.stop()

    def on_resize(self) -> None:
        """Share the rows out anew."""
        self._draw()

    def _notify(self) -> None:
        self.post_message(Changed())

    def on_changed(self, _message: Changed) -> None:
        """Take the update; ring once, however many new calls it has, and have each of them said."""
        self._update = self._tail.take()
        for call in self._update.news:
            self._announcer.announce(call)
        if self._update.news:
            self._be_heard()
        self._draw()

    def _be_heard(self) -> None:
        picture = self._update.picture
        if self._sound.settings.is_quiet(self._clock(), picture.timezone or self._timezone):
            return
        if not self._quiet:
            self.bell()
        for call in self._update.news:
            department = picture.department(call.department_id)
            self._sound.say(call, self._spoken_languages(), department.counter_words if department else {})

    def _spoken_languages(self) -> Sequence[str]:
        return self._languages or self._update.picture.languages or (SOURCE,)

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

    def _blink(self) -> None:
        if any(banner.is_new for banner in self.query(Banner)):
            self._draw()

    def _draw(self) -> None:
        if not self.query(Departments):
            return  # the screen is not there yet, or not any more
        now = time.monotonic()
        update, picture = self._update, self._update.picture
        turn = int(now) // _PAGE_SECONDS
        languages = self._spoken_languages()
        say = Wording(languages[turn % len(languages)], self._reshape)
        zone = picture.timezone or self._timezone
        clock = local(self._clock(), zone)
        health, detail = health_of(update, now, now - self._began, clock, say)
        self._warn(warning(update, health, clock, now, say), is_urgent=health is Health.OFFLINE)
        banner = self.query_one(Banner)
        calls = self._announcer.current(picture, now, banner.places)
        told = notice(update, health, say)
        is_old = health is Health.OFFLINE
        banner.show(calls, picture, told, zone, say, blinks=int(now * 2) % 2 == 1, is_outdated=is_old)
        title = "" if not calls else say.title(LAST_CALLED if banner.is_past else NOW_CALLING)
        player = f"space ← → + -   {self._player.status()}" if self._player else ""
        self.query_one(Header).show(say.data(picture.site), title, f"{clock:%H:%M}", health, detail, say, player=player)
        self.query_one(Recent).show(_others(picture, calls), picture, zone, say)
        self.query_one(Departments).show(picture, turn // len(languages), say)

    def _warn(self, text: str, *, is_urgent: bool) -> None:
        """Share the rows out, with a band across the whole screen if what it shows may be old."""
        width, height = self.size
        told = wrapped(text, width - 2) if text else []
        band = band_rows(height, len(told))
        layout = layout_of(width, height, band)
        header = self.query_one(Header)
        header.styles.height = layout.header
        header.set_class(layout.header > 4, "-tall")
        self.query_one(Banner).styles.height = layout.banner
        self.query_one("#lower").set_class(layout.is_portrait, "-portrait")
        shown = self.query_one("#band", Static)
        _write(shown, "\n".join(told))
        shown.styles.height = band
        shown.set_class(is_urgent, "-urgent")
        _write(
            self.query_one("#todo", Static),
            "\n".join(filter(None, (printable(self._update.todo), self._sound.problem))),
        )


def _others(picture: Picture, shown: Sequence[Shown]) -> tuple[Call, ...]:
    big = {(each.call.department_id, each.call.seq) for each in shown}
    return tuple(call for call in picture.calls if (call.department_id, call.seq) not in big)


def run(
    open_source: Callable[[], Source],
    *,
    departments: Sequence[str] = (),
    calls: int = 8,
    quiet: bool = False,
    light: bool = False,
    languages: Sequence[str] = (),
    reshape: Callable[[str], str] = as_it_is,
    on_call: Sequence[str] = (),
    chime: Sequence[str] = (),
    quiet_hours: str = "",
) -> int:
    """Run the board on a source and return its exit code; empty ``departments`` means all.

    Empty ``languages`` means those of the branch. ``on_call`` says a call and ``chime`` comes before it, except in
    ``quiet_hours``.
    """
    app = BoardApp(
        open_source,
        _ids(departments),
        calls=calls,
        quiet=quiet,
        light=light,
        languages=languages,
        reshape=reshape,
        sound=SoundSettings(tuple(on_call), tuple(chime), quiet_hours),
    )
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
    static.display = bool(text)
    if str(static.content) != text:
        static.update(text)
