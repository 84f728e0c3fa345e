"""The verbs on a branch's counters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, segment
from tokenq.contract.paths import BRANCHES

if TYPE_CHECKING:
    from tokenq.contract.views import CounterView, TokenView


class CounterCalls(Calls):
    """What is asked of counters. Every method raises ``Refused`` or a ``TokenqError``.

    With ``console`` set to a random name, claims are this screen's: another one of the same person is another claimant.
    """

    console: str | None = None

    def counters(self, branch: str) -> "list[CounterView]":
        """The counters of a branch."""
        return self.all_of(_counters(branch))

    def open_counter(
        self,
        branch: str,
        counter: str,
        departments: Sequence[str] | None = None,
        *,
        take_over: bool = False,
        as_it_is: bool = False,
    ) -> "CounterView":
        """Claim a counter and let it take people.

        ``departments`` is what it serves, in this order: none named for all, ``None`` for those of before. With
        ``as_it_is`` one that is paused, or declared to serve others, stays so.
        """
        named = None if departments is None else list(departments)
        body = self._at(counter, departments=named, takeOver=take_over or None, asItIs=as_it_is or None)
        view: CounterView = self.post(_counters(branch, "open"), body)
        return view

    def pause_counter(self, branch: str, counter: str, reason: str | None = None) -> "CounterView":
        """Let a counter call nobody for a while."""
        view: CounterView = self.post(_counters(branch, "pause"), self._at(counter, reason=reason))
        return view

    def close_counter(self, branch: str, counter: str) -> "CounterView":
        """Close a counter that holds nobody."""
        view: CounterView = self.post(_counters(branch, "close"), self._at(counter))
        return view

    def leave_counter(self, branch: str, counter: str) -> "CounterView":
        """Give the caller's claim up: close the counter, or leave it as it is while it holds somebody."""
        view: CounterView = self.post(_counters(branch, "leave"), self._at(counter))
        return view

    def renew_counter(self, branch: str, counter: str) -> "CounterView":
        """Renew the caller's claim of a counter."""
        view: CounterView = self.post(_counters(branch, "beat"), self._at(counter))
        return view

    def call_at_counter(self, branch: str, counter: str, *, key: str | None = None) -> "TokenView":
        """Call whoever is next by the counter's work profile."""
        view: TokenView = self.post_once(_counters(branch, "call"), self._at(counter), key)
        return view

    def declare_counter(self, branch: str, counter: str, departments: Sequence[str] = ()) -> "CounterView":
        """Set a counter up with its work profile; empty means every department of the branch."""
        body = {"counterId": counter, "departments": list(departments)}
        view: CounterView = self.put(_counters(branch), body)
        return view

    def delete_counter(self, branch: str, counter: str) -> None:
        """Remove a counter that holds nobody, and what was set up for it."""
        self.delete(f"{_counters(branch)}?counterId={segment(counter)}")

    def _at(self, counter: str, **more: Any) -> dict[str, Any]:
        return given(counterId=counter, console=self.console, **more)


def _counters(branch: str, *rest: Any) -> str:
    return "/".join([BRANCHES, segment(branch), "counters", *map(segment, rest)])
