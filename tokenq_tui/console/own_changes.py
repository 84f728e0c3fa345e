"""What this console has just changed, so that a queue that shows it already is not fetched again.

The event of a command may arrive before the command's own answer; both want the queue fetched.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tokenq.contract.enums import LIVE, CounterState
from tokenq.contract.views import QueueView, TokenView
from tokenq_tui.console.state import seated

_COMPARED = ("state", "priority", "name", "email", "calls")


@dataclass(frozen=True)
class OwnChange:
    """A change, and the time of the monotonic clock before it was requested."""

    began: float
    is_in: Callable[[QueueView], bool]

    def is_shown_by(self, queue: QueueView, requested_at: float) -> bool:
        """Return whether a fetched queue includes the change; ``False`` in doubt."""
        return requested_at >= self.began and self.is_in(queue)


def token_change(began: float, token: TokenView) -> OwnChange:
    """A token as it is after the change."""

    def is_in(queue: QueueView) -> bool:
        for each in _tokens(queue):
            if each["tokenId"] == token["tokenId"]:
                return _is_as_new(each, token)
        return token["state"] not in LIVE

    return OwnChange(began, is_in)


def counter_change(began: float, counter: str, *, is_shut: bool) -> OwnChange:
    """A counter that was paused or opened."""

    def is_in(queue: QueueView) -> bool:
        states = [each["state"] for each in queue["counters"] if each["counterId"] == counter]
        return bool(states) and (states[0] != CounterState.OPEN) is is_shut

    return OwnChange(began, is_in)


def _is_as_new(token: TokenView, changed: TokenView) -> bool:
    if token["claimVersion"] != changed["claimVersion"]:
        return token["claimVersion"] > changed["claimVersion"]
    return all(token[name] == changed[name] for name in _COMPARED)  # type: ignore[literal-required]


def _tokens(queue: QueueView) -> Iterable[TokenView]:
    return (*queue["waiting"], *seated(queue), *queue["parked"])
