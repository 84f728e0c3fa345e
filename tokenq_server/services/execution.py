"""The part of a batch between loading and writing: executes or refuses each request's command."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import RequestReason
from tokenq.contract.views import TokenView
from tokenq_server.domain.commands import Command, OnToken
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.permissions import sees_person
from tokenq_server.domain.refusals import unknown_department
from tokenq_server.services.command_handlers import departments_of, handler_of
from tokenq_server.services.ports import IdempotencyRecord, Loaded, LoadPlan
from tokenq_server.services.requests import Answer, Outcome, Request
from tokenq_server.services.views import token_view
from tokenq_server.services.work import Handled, Work


def load_plan(requests: Sequence[Request], sessions: Mapping[str, DepartmentSession]) -> LoadPlan:
    """Collect everything that the requests need to load once the rows are locked."""
    plan = LoadPlan()
    for request in requests:
        if request.key is not None:
            plan.keys.append((request.principal, request.key))
        names = departments_of(request.command)
        if all(name in sessions for name in names):
            handler_of(request.command).plan(plan, request.command, sessions[names[0]].department.branch_id)
        elif isinstance(request.command, OnToken):
            # Whose token it is decides what the caller sees, even if its department is not locked.
            plan.token_ids.append(request.command.token_id)
    for name, count in plan.new_tokens.items():
        plan.numbers.extend((name, number) for number in sessions[name].next_numbers(count))
    return plan


def execute(
    requests: Sequence[Request], sessions: Mapping[str, DepartmentSession], loaded: Loaded
) -> tuple[list[Outcome], list[IdempotencyRecord]]:
    """Execute the requests in turn; a refused one changes nothing.

    Returns an outcome per request, and the answers to store under their idempotency keys.
    """
    answered = {(kept.principal, kept.key): kept for kept in loaded.idempotency}
    tokens = {token.token_id: token for token in loaded.tokens}
    taken = frozenset(loaded.taken_numbers)
    work = Work(sessions, loaded.contacts, iter(loaded.new_ids), taken, tokens, loaded.places_by_arrival)
    outcomes: list[Outcome] = []
    fresh: list[IdempotencyRecord] = []
    for request in requests:
        try:
            kept = answered.get((request.principal, request.key or ""))
            if kept is not None:
                outcomes.append(_repeat_answer(kept, request))
                continue
            if request.refusal is not None:
                raise request.refusal
            answer = _carry_out(request.command, work)
            outcomes.append(answer)
            if request.key is not None:
                kept = IdempotencyRecord(request.principal, request.key, request.fingerprint, answer)
                answered[request.principal, request.key] = kept
                fresh.append(kept)
        except Refused as refusal:
            outcomes.append(refusal)
    return outcomes, fresh


def _repeat_answer(kept: IdempotencyRecord, request: Request) -> Answer:
    if kept.fingerprint != request.fingerprint:
        raise refuse(RequestReason.OTHER_REQUEST)
    return replace(kept.answer, is_repeat=True)


def _carry_out(command: Command, work: Work) -> Answer:
    handler = handler_of(command)
    handler.may_do(work, command)
    for department_id in departments_of(command):
        if department_id not in work.sessions:
            raise unknown_department(department_id)
    return _answer(command, work, handler.run(work, command))


def _answer(command: Command, work: Work, handled: Handled) -> Answer:
    if handled.group:
        return Answer(group=tuple(_view(command, work, each) for each in handled.group), is_new=True)
    return Answer(_view(command, work, handled), handled.is_new) if handled.token else Answer()


def _view(command: Command, work: Work, handled: Handled) -> TokenView:
    token = handled.token
    assert token is not None
    session = work.sessions[token.department_id]
    shows = sees_person(cast(Any, command).caller, token)
    view = token_view(token, session.now, handled.position, handled.estimate, shows_person=shows)
    if handled.is_call and (token.branch_id, token.counter_id) in session.counters.opened:
        view["isNewCounter"] = True
    return view
