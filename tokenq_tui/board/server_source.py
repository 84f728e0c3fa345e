"""The board's items from the server: the public state of a branch to begin with, then its events.

One thread fetches and follows; a lost connection is resumed behind the last event, so nothing is missed or repeated.
Where that is not possible (too much was missed, or the log was rewound), everything begins anew with the state.
Another thread asks for the expected waits.
"""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol

from tokenq import locale
from tokenq.board.expected_waits import expected_waits
from tokenq.board.state import Fold
from tokenq.client.events import Arrival, EventArrived, LinkChanged, Resync, follow
from tokenq.client.transport import Server
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import Event, EventType
from tokenq.contract.problems import Refused
from tokenq.errors import BadReply, ChangedCertificate, TokenqError, UntrustedCertificate
from tokenq.stream import Arrived, Began, Item, Link, WaitsChanged
from tokenq.stream import LinkChanged as LinkMoved

_PAUSE = 3.0
"""Seconds between two attempts to fetch the state; the client tries several times in each."""
_BREATH = 0.2
_WAITS_EVERY = 60.0
"""Seconds between two looks at the expected waits, which no event tells."""
_MOST_ITEMS = 10_000


class BoardApi(Protocol):
    """The server as a board uses it; implemented by :class:`tokenq.client.Client`."""

    server: Server

    def board(self, branch: str) -> BoardView:
        """Return the public state of a branch."""

    def close(self) -> None:
        """Close the connection."""


class ServerSource:
    """A branch's items from the server; empty ``departments`` means all that the caller may see.

    It is the only user of ``api``, which it closes in the end. It begins with ``state`` if that has just been fetched.
    """

    def __init__(
        self, api: BoardApi, branch: str, departments: Sequence[str] = (), state: BoardView | None = None
    ) -> None:
        self._api, self._branch, self._departments = api, branch, tuple(departments)
        self._fetched = state
        self._items: queue.Queue[Item] = queue.Queue(_MOST_ITEMS)
        self._stop, self._cut = threading.Event(), threading.Event()
        self._known: set[str] = set()
        self._is_live = False
        self._heard_at: float | None = None
        self._ahead = 0.0
        self._last_link: LinkMoved | None = None
        self._asking = threading.Lock()
        threading.Thread(target=self._run, name="board-of-server", daemon=True).start()
        threading.Thread(target=self._refresh_waits, name="board-waits", daemon=True).start()

    @property
    def heard_at(self) -> float | None:
        """When the server last answered: now, while the stream is live, since that says so itself."""
        return time.monotonic() if self._is_live else self._heard_at

    def read(self, timeout: float) -> Item | None:
        """Return the next item, or ``None`` after ``timeout`` seconds."""
        try:
            return self._items.get(timeout=timeout) if timeout > 0 else self._items.get_nowait()
        except queue.Empty:
            return None

    def read_again(self) -> None:
        """Fetch the state again."""
        self._cut.set()

    def close(self) -> None:
        """End the thread without waiting for it, since the server may be silent."""
        self._stop.set()
        self._cut.set()

    def _run(self) -> None:
        try:
            self._read()
        finally:
            with self._asking:
                self._api.close()

    def _read(self) -> None:
        while not self._stop.is_set():
            self._cut = threading.Event()  # a stream that ends sets its event, so each needs one of its own
            if self._is_live:
                self._is_live, self._heard_at = False, time.monotonic()  # nothing is heard until the state is here
            try:
                state, self._fetched = self._fetched or self._ask(), None
                self._begin(state)
                for arrival in self._arrivals(state["position"]):
                    if self._is_void_after(arrival):
                        break
                pause = _BREATH
            except Refused as refusal:
                self._lose(locale.sentence(refusal.problem))
                pause = _PAUSE
            except (ChangedCertificate, UntrustedCertificate) as error:
                self._lose(str(error), self._todo(error))
                pause = _PAUSE
            except TokenqError as error:
                self._lose(str(error))
                pause = _PAUSE
            except Exception:  # whatever the server answers, a lobby's screen goes on
                self._lose("The server's answer cannot be read.")
                pause = _PAUSE
            self._stop.wait(pause)

    def _ask(self) -> BoardView:
        """Return the state; the client is not made for two threads at once."""
        with self._asking:
            return self._api.board(self._branch)

    def _refresh_waits(self) -> None:
        """Now and then pass the expected waits on; a failure is the business of whoever reads the events."""
        while not self._stop.wait(_WAITS_EVERY):
            if self._is_live:
                with suppress(Exception):
                    self._put(WaitsChanged(expected_waits(self._ask())))

    def _arrivals(self, position: str) -> Iterator[Arrival]:
        if self._stop.is_set():
            self._cut.set()  # closed before this stream had its event
        return follow(self._api.server, self._departments, position, self._cut)

    def _begin(self, state: BoardView) -> None:
        """Pass a state on. Raises KeyError and the like for one that no board can begin with."""
        self._ahead = datetime.fromisoformat(state["at"]).timestamp() - time.monotonic()
        Fold.beginning_with(state)
        self._known = {department["departmentId"] for department in state["departments"]}
        self._heard_at = time.monotonic()
        self._put(Began(state))

    def _is_void_after(self, arrival: Arrival) -> bool:
        """Pass an arrival on; return whether the state must be fetched again."""
        if isinstance(arrival, LinkChanged):
            if arrival.is_live:
                self._is_live = True
                self._link(LinkMoved(Link.LIVE))
            else:
                wrong = arrival.wrong_certificate
                self._lose(arrival.sentence, self._todo(wrong) if wrong else "")
            return False
        if isinstance(arrival, Resync) or self._is_turning_point(arrival.event):
            return True
        if arrival.event.branch_id == self._branch:
            self._known.add(arrival.event.department_id)
            self._put(Arrived(arrival.event, self._delay(arrival)))
        return False

    def _is_turning_point(self, event: Event) -> bool:
        """Whether the log was rewound, or the department came from another branch or went there."""
        is_known, is_ours = event.department_id in self._known, event.branch_id == self._branch
        is_rewound = event.event_type == EventType.LOG_REWOUND and (is_known or is_ours)
        return is_rewound or (is_known != is_ours and event.seq > 1)

    def _delay(self, arrival: EventArrived) -> float:
        """How long ago it happened, by the server's clock: the board's own may be wrong."""
        return time.monotonic() + self._ahead - arrival.event.timestamp.timestamp()

    def _todo(self, error: BadReply) -> str:
        """What to do about a wrong certificate; the login shows it and the one that is known."""
        what = "has changed" if isinstance(error, ChangedCertificate) else "is not trusted"
        return f"The server's certificate {what}: run 'tokenq login {self._api.server.url}', then restart the board."

    def _lose(self, why: str, todo: str = "") -> None:
        if self._is_live:
            self._is_live, self._heard_at = False, time.monotonic()
        self._link(LinkMoved(Link.LOST, why, todo))

    def _link(self, link: LinkMoved) -> None:
        if link != self._last_link:
            self._last_link = link
            self._put(link)

    def _put(self, item: Item) -> None:
        while not self._stop.is_set():
            try:
                self._items.put(item, timeout=1.0)
            except queue.Full:
                continue
            return
