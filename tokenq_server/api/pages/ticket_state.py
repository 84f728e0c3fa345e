"""What a ticket's page shows: numbers and counters, never a name."""

from typing import Any

from tokenq.contract.enums import AT_COUNTER, LIVE, TokenState
from tokenq.contract.verbs import Verb
from tokenq.locale import texts
from tokenq.locale.counters import counter_in
from tokenq.locale.waits import estimated
from tokenq_server.api.pages.texts import choices, ticket_texts
from tokenq_server.services.tickets import TicketState

_SOON = 3
"""At so many before, a page asks more often."""
_SECONDS, _SECONDS_SOON, _SECONDS_FINAL = 10, 3, 60


def ticket_state(found: TicketState, language: str) -> dict[str, Any]:
    """Return the page's content in a language, and after how many seconds to ask again."""
    token, branch = found.token, found.branch
    state, position = TokenState(token["state"]), token["position"]
    words = branch["counterWords"]
    called = [each for each in found.department.busy if each.state is TokenState.CALLED]
    newest = sorted(called, key=lambda each: (each.last_call_at is not None, each.last_call_at), reverse=True)
    return {
        "number": token["displayNumber"],
        "state": str(state),
        "isLive": state in LIVE,
        "branch": branch["name"],
        "department": found.department.department.name,
        "counter": counter_in(language, token["counterId"] or "", words),
        "before": position - 1 if position else None,
        "wait": estimated(token["estimate"], texts(language)),
        "calls": token["calls"],
        "called": [
            {"number": each.display, "counter": counter_in(language, each.counter_id or "", words)}
            for each in newest[:5]
        ],
        "mayLeave": str(Verb.CANCEL) in token["moves"] and state not in AT_COUNTER,
        "askAfter": _ask_after(state, position),
        "languages": choices(),
        "texts": ticket_texts(language),
    }


def _ask_after(state: TokenState, position: int | None) -> int:
    if state in AT_COUNTER or (position is not None and position <= _SOON):
        return _SECONDS_SOON
    return _SECONDS if state in (TokenState.WAITING, TokenState.PARKED) else _SECONDS_FINAL
