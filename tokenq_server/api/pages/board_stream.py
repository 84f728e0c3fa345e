"""The stream of a board in a browser: whenever something changes, all that it draws.

Each message is complete, so a browser that slept or lost its connection misses nothing by it: whoever was called
meanwhile is among the calls.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.sse import ServerSentEvent

from tokenq.board.state import Fold
from tokenq.contract.board_views import BoardView
from tokenq.contract.events import EventType, from_wire
from tokenq.zones import local
from tokenq_server.api.pages.board_picture import picture_view, setup_view
from tokenq_server.services.event_views import public_event
from tokenq_server.services.feed import Feed, Resync, positions_in
from tokenq_server.services.ports import LedgerDown
from tokenq_server.services.views import instant

_TOGETHER_SECONDS = 0.1
"""What happens within so long is sent together."""
_AGAIN_SECONDS = 10.0
"""After so long without a change the picture is sent again: so the browser knows that it is not old."""
_FETCHED_AFTER = timedelta(seconds=60)
"""Names, languages and expected waits are read again after so long."""

Fetch = Callable[[], Awaitable[BoardView]]


class BoardStream:
    """What one browser shows: the departments ``only`` (empty: all) of the branch that ``fetch`` returns.

    ``check`` raises Refused if the browser may not read it any more.
    """

    def __init__(self, feed: Feed, only: Collection[str], fetch: Fetch, check: Callable[[], Awaitable[object]]) -> None:
        self._feed, self._only, self._fetch, self._check = feed, only, fetch, check
        self._changed = asyncio.Event()
        self._state: BoardView | None = None
        self._fold = Fold()
        self._fetched_at = datetime.min.replace(tzinfo=UTC)

    async def messages(self) -> AsyncIterator[ServerSentEvent]:
        """Yield the setup and the picture, and again whenever they have changed; end when the log cannot be read.

        Raises:
            Refused: the branch does not exist, or may not be read any more.
        """
        state = await self._begin()
        following = asyncio.create_task(self._follow(state["position"]))
        sent: Any = None
        try:
            while not following.done():
                state = await self._current()
                if (setup := setup_view(state)) != sent:
                    sent = setup
                    yield _message("setup", setup)
                now = datetime.now(UTC)
                picture = self._fold.picture(local(now, state["timezone"]))
                yield _message("picture", picture_view(picture, state, instant(now) or ""))
                self._changed.clear()
                await self._check()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), _AGAIN_SECONDS)
                    await asyncio.sleep(_TOGETHER_SECONDS)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError, LedgerDown):
                await following

    async def _begin(self) -> BoardView:
        self._state = state = await self._fetch()
        self._fetched_at = datetime.now(UTC)
        self._fold = Fold.beginning_with(state)
        return state

    async def _current(self) -> BoardView:
        """Return the state's texts and expected waits, read again now and then."""
        if self._state is None or datetime.now(UTC) - self._fetched_at > _FETCHED_AFTER:
            self._state, self._fetched_at = await self._fetch(), datetime.now(UTC)
        return self._state

    async def _follow(self, position: str) -> None:
        """Fold the events behind a position in; return when the stream must begin anew."""
        branch = self._state["branchId"] if self._state else ""
        departments = frozenset(each["departmentId"] for each in self._state["departments"]) if self._state else ()
        try:
            async for arrival in self._feed.watch(self._only, positions_in(position)):
                if arrival is None:
                    continue
                if isinstance(arrival.item, Resync):
                    return
                event = from_wire(public_event(json.loads(arrival.item.payload)))
                is_known, is_ours = event.department_id in departments, event.branch_id == branch
                if not is_known and not is_ours:
                    continue
                if event.event_type in (EventType.DEPARTMENT_CHANGED, EventType.LOG_REWOUND) or is_known != is_ours:
                    return  # begins anew with names, hours, words and departments as they are then
                self._fold.apply(event)
                self._changed.set()
        finally:
            self._changed.set()


def _message(kind: str, content: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(raw_data=json.dumps(content, ensure_ascii=False, separators=(",", ":")), event=kind)
