"""Why a token is at its position, and who is next: the policy's own reasons."""

import re

from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.events import EventType
from tokenq.contract.views import NextView, WhyView
from tokenq_server.domain.calling import OUT_OF_ORDER
from tokenq_server.domain.department import Department
from tokenq_server.domain.permissions import sees_people_of
from tokenq_server.domain.policy import rules_by_place
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token
from tokenq_server.services.queries import PAGE, Queries, estimate_of_newcomer, order_of_calling
from tokenq_server.services.views import token_view

_FURTHEST = 1_000
"""Tokens looked at per class; further back, the position is computed and the rule is not tokens yet."""


class Explanations:
    """Answers why."""

    def __init__(self, reading: Queries) -> None:
        self._reading = reading

    async def next(self, department_id: str, reader: Principal) -> NextView:
        """Return who would be called now, and why. Raises Refused."""
        snapshot = await self._reading.snapshot(department_id, 1)
        choice = next(iter(order_of_calling(snapshot, 1)), None)
        token = None
        if choice:
            head = next(token for token in snapshot.line if token.token_id == choice.waiting.token_id)
            token = token_view(head, snapshot.now, 1, shows_person=sees_people_of(reader, department_id))
        return {
            "departmentId": department_id,
            "token": token,
            "reason": named_rule(choice.rule, snapshot.department) if choice else None,
            "policy": policy_sentence(snapshot.department),
            "estimate": estimate_of_newcomer(snapshot, self._reading.forecast_of(department_id)),
        }

    async def why(self, token_id: int, reader: Principal) -> WhyView:
        """Explain why a token is where it is. Raises Refused."""
        view = await self._reading.token(token_id, reader)
        token = await self._reading.find(token_id, reader)
        snapshot = await self._reading.snapshot(token.department_id, _FURTHEST)
        order = order_of_calling(snapshot, _FURTHEST) if token.state is TokenState.WAITING else []
        place = next((place for place, choice in enumerate(order, 1) if choice.waiting.token_id == token_id), None)
        ahead = order[: place - 1] if place else order
        numbers = {token.token_id: token.display for token in snapshot.line}
        rules = rules_by_place(order, numbers)
        kept = None if place else await self._stored_reason(token, reader)
        return {
            "token": view,
            "position": place or view["position"],
            "rule": named_rule(rules[place - 1], snapshot.department) if place else kept,
            "policy": policy_sentence(snapshot.department),
            "ahead": [
                {
                    "position": position,
                    "tokenId": choice.waiting.token_id,
                    "displayNumber": numbers[choice.waiting.token_id],
                    "priority": str(choice.waiting.priority),
                    "rule": named_rule(rule, snapshot.department),
                }
                for position, (choice, rule) in enumerate(zip(ahead[:PAGE], rules, strict=False), 1)
            ],
            "estimate": view["estimate"],
        }

    async def _stored_reason(self, token: Token, reader: Principal) -> str | None:
        """Return the reason stored by the last call or move, including free text if the reader may see it."""
        if token.state is TokenState.PARKED:
            until = token.parked_until
            return f"parked until {until:%H:%M} UTC" if until else "parked until it is resumed"
        if token.reason != OUT_OF_ORDER:
            return token.reason
        events, _ = await self._reading.events(token.token_id, reader)
        calls = [event["data"]["reason"] for event in events if event["eventType"] == EventType.TOKEN_CALLED]
        return calls[-1] if calls else token.reason


def policy_sentence(department: Department) -> str:
    """Describe the department's calling order in one sentence."""
    urgent, priority, normal = map(department.rules.class_name, (Priority.URGENT, Priority.PRIORITY, Priority.NORMAL))
    ratio, minutes = department.policy.ratio, int(department.policy.max_wait.total_seconds() // 60)
    return (
        f"First come, first served in each class; {urgent} first, then {ratio.priority} {priority} to {ratio.normal} "
        f"{normal} while both wait; after {minutes} minutes, no later arrival of another class goes first."
    )


def named_rule(rule: str, department: Department) -> str:
    """Return a rule of the policy with the department's names for the classes."""
    names = {str(name): department.rules.class_name(name) for name in Priority}
    return re.sub(r"\b(urgent|priority|normal)\b", lambda match: names[match[1]], rule)
