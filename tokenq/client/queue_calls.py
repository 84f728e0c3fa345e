"""The verbs on a department's queue."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, segment
from tokenq.contract.paths import BOARD, DEPARTMENTS

if TYPE_CHECKING:
    from tokenq.contract.board_views import BoardView
    from tokenq.contract.views import NextView, QueueView, TokenView


class QueueCalls(Calls):
    """Operations on a department's queue. Every method raises ``Refused`` or a ``TokenqError``."""

    def queue(self, department: str) -> "QueueView":
        """The department's queue now."""
        view: QueueView = self.get(_department(department, "queue"))
        return view

    def board(self, branch: str) -> "BoardView":
        """Return the public state of a branch, as boards show it."""
        view: BoardView = self.get(BOARD.format(branch_id=segment(branch)))
        return view

    def next(self, department: str) -> "NextView":
        """Return who would be called next, and why."""
        view: NextView = self.get(_department(department, "next"))
        return view

    def issue(
        self,
        department: str,
        *,
        email: str | None = None,
        user_id: int | None = None,
        name: str | None = None,
        priority: str | None = None,
        near_turn: int | None = None,
        language: str | None = None,
        force: bool | None = None,
        key: str | None = None,
    ) -> "TokenView":
        """Issue a token; ``force`` ignores opening hours and the daily limit."""
        details = given(email=email, userId=user_id, name=name, priority=priority, nearTurn=near_turn)
        body = {**details, **given(language=language, force=force)}
        view: TokenView = self.post_once(_department(department, "tokens"), body, key)
        return view

    def issue_group(
        self, department: str, count: int, details: Mapping[str, Any], *, key: str | None = None
    ) -> "list[TokenView]":
        """Issue ``count`` tokens with the same details, named as on the wire, in one step: all of them, or none."""
        body = {"tokens": [given(**details)] * count, "allOrNone": True}
        items: list[TokenView] = self.post_once(_department(department, "tokens:batch"), body, key)["items"]
        return items

    def call(
        self,
        department: str,
        counter: str,
        *,
        token_id: int | None = None,
        reason: str | None = None,
        may_create: bool = False,
        key: str | None = None,
    ) -> "TokenView":
        """Call the next token to ``counter``, or ``token_id`` out of order for a ``reason``.

        With ``may_create`` the counter may be a new one even where counters are declared.
        """
        body = given(counterId=counter, tokenId=token_id, reason=reason, mayCreate=may_create or None)
        view: TokenView = self.post_once(_department(department, "call"), body, key)
        return view

    def serve_next(
        self, department: str, counter: str, *, may_create: bool = False, key: str | None = None
    ) -> "TokenView":
        """Serve the token at this counter, or else call and serve the next one in one step.

        ``may_create`` as for :meth:`call`.
        """
        body = given(counterId=counter, mayCreate=may_create or None)
        view: TokenView = self.post_once(_department(department, "serve"), body, key)
        return view


def _department(department: str, *rest: Any) -> str:
    return "/".join([DEPARTMENTS, segment(department), *map(segment, rest)])
