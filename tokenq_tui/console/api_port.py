"""What the console needs of the server."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from tokenq.client.events import Arrival
from tokenq.contract.views import CounterView, DepartmentView, MeView, QueueView, TokenView
from tokenq_tui.console.counter_lease import CounterApi


class ApiPort(CounterApi, Protocol):
    """The API as the console uses it; implemented by :class:`tokenq.client.Client`."""

    def me(self) -> MeView:
        """Return the signed-in user or key."""

    def departments(self) -> list[DepartmentView]:
        """Return all departments."""

    def queue(self, department: str) -> QueueView:
        """Return a department's queue."""

    def call(
        self,
        department: str,
        counter: str,
        *,
        token_id: int | None = None,
        reason: str | None = None,
        key: str | None = None,
    ) -> TokenView:
        """Call the next token, or ``token_id`` for a reason."""

    def serve_next(self, department: str, counter: str, *, key: str | None = None) -> TokenView:
        """Call and serve in one step."""

    def move(self, token: TokenView, verb: str, *, key: str | None = None, **body: Any) -> TokenView:
        """Apply a verb to a token."""

    def edit_token(
        self, token_id: int, *, name: str | None = None, email: str | None = None, key: str | None = None
    ) -> TokenView:
        """Correct a token's name or address."""

    def call_at_counter(self, branch: str, counter: str, *, key: str | None = None) -> TokenView:
        """Call the next token of the departments the counter serves."""

    def pause_counter(self, branch: str, counter: str, reason: str | None = None) -> CounterView:
        """Pause the counter."""

    def token_record(self, token_id: int) -> dict[str, Any]:
        """Return a token's events (``items``) and, if the server tells them, its ``letters``."""

    def tokens(self, *, department: str | None = None, state: Any = None, limit: int | None = None) -> Any:
        """Return a page of tokens, latest first."""


Feed = Callable[[Sequence[str], threading.Event], Iterator[Arrival]]
"""Follows the events of departments until the event is set; see :func:`tokenq.client.events.follow`."""
