"""The verbs on a branch's counters."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tokenq.client.calls import Calls, given, segment
from tokenq.contract.paths import BRANCHES

if TYPE_CHECKING:
    from tokenq.contract.views import CounterView, TokenView


class CounterCalls(Calls):
    """Operations on counters. Every method raises ``Refused`` or a ``TokenqError``.

    With ``console`` set to a random name, claims belong to this console, not to all of the user's consoles.
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
        may_create: bool = False,
    ) -> "CounterView":
        """Claim and open a counter.

        ``departments`` is what it serves, in order: empty for all, ``None`` for those it served before. With
        ``as_it_is``, a pause and an admin's list of departments are kept. With ``may_create`` it may be a new counter
        even where counters are declared.
        """
        named = None if departments is None else list(departments)
        choices = {"takeOver": take_over, "asItIs": as_it_is, "mayCreate": may_create}
        body = self._at(counter, departments=named, **{name: True for name, chosen in choices.items() if chosen})
        view: CounterView = self.post(_counters(branch, "open"), body)
        return view

    def pause_counter(self, branch: str, counter: str, reason: str | None = None) -> "CounterView":
        """Pause a counter."""
        view: CounterView = self.post(_counters(branch, "pause"), self._at(counter, reason=reason))
        return view

    def close_counter(self, branch: str, counter: str) -> "CounterView":
        """Close a counter that holds no token."""
        view: CounterView = self.post(_counters(branch, "close"), self._at(counter))
        return view

    def leave_counter(self, branch: str, counter: str) -> "CounterView":
        """Release the caller's claim; the counter closes unless it holds a token."""
        view: CounterView = self.post(_counters(branch, "leave"), self._at(counter))
        return view

    def renew_counter(self, branch: str, counter: str) -> "CounterView":
        """Renew the caller's claim on a counter."""
        view: CounterView = self.post(_counters(branch, "beat"), self._at(counter))
        return view

    def call_at_counter(
        self, branch: str, counter: str, *, may_create: bool = False, key: str | None = None
    ) -> "TokenView":
        """Call the next token of the departments the counter serves; ``may_create`` as for :meth:`open_counter`."""
        body = self._at(counter, mayCreate=may_create or None)
        view: TokenView = self.post_once(_counters(branch, "call"), body, key)
        return view

    def declare_counter(self, branch: str, counter: str, departments: Sequence[str] = ()) -> "CounterView":
        """Set which departments a counter serves; empty means all of the branch."""
        body = {"counterId": counter, "departments": list(departments)}
        view: CounterView = self.put(_counters(branch), body)
        return view

    def delete_counter(self, branch: str, counter: str) -> None:
        """Delete a counter that holds no token, with its settings."""
        self.delete(f"{_counters(branch)}?counterId={segment(counter)}")

    def _at(self, counter: str, **fields: Any) -> dict[str, Any]:
        return given(counterId=counter, console=self.console, **fields)


def _counters(branch: str, *rest: Any) -> str:
    return "/".join([BRANCHES, segment(branch), "counters", *map(segment, rest)])
