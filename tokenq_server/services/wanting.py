"""What a batch of commands needs to see once the rows are locked."""

from collections import Counter
from collections.abc import Sequence

from tokenq.contract.words import RequeuePosition
from tokenq_server.domain.commands import (
    CallByProfile,
    CallNext,
    CallToken,
    Command,
    Issue,
    MoveToken,
    ServeNext,
    TellNear,
    Tidy,
    TransferToken,
    UndoMove,
    departments_of,
)
from tokenq_server.domain.floor import Floor
from tokenq_server.services.acting import Request
from tokenq_server.services.ports import Wanted


def wanted(requests: Sequence[Request], floors: dict[str, Floor]) -> Wanted:
    """Everything that the requests name: tokens, counters, users, keys, new tokens and their numbers."""
    issues = Counter(request.command.department_id for request in requests if isinstance(request.command, Issue))
    found = Wanted(new_tokens=issues.total())
    for name, count in issues.items():
        if name in floors:
            found.numbers.extend((name, number) for number in floors[name].next_numbers(count))
    for request in requests:
        if request.key is not None:
            found.keys.append((request.principal, request.key))
        if all(name in floors for name in departments_of(request.command)):
            _add(found, request.command, floors)
    return found


def needs_heads(command: Command) -> bool:
    """Whether the command looks at who is first in line."""
    if isinstance(command, MoveToken):
        return command.position is RequeuePosition.FIRST
    return isinstance(command, CallNext | CallByProfile | ServeNext)


def _add(found: Wanted, command: Command, floors: dict[str, Floor]) -> None:
    branch = floors[departments_of(command)[0]].department.branch_id
    match command:
        case Issue(user_id=int() as user):
            found.users.append((command.department_id, user))
        case CallNext() | CallByProfile() | ServeNext():
            found.counters.append((branch, command.counter_id))
        case CallToken():
            found.counters.append((branch, command.counter_id))
            found.token_ids.append(command.token_id)
        case MoveToken() | TransferToken() | UndoMove():
            found.token_ids.append(command.token_id)
            if command.user_id is not None:
                found.users.append((departments_of(command)[-1], command.user_id))
            if isinstance(command, UndoMove) and command.counter_id:
                found.counters.append((branch, command.counter_id))
        case TellNear():
            found.token_ids.extend(token_id for token_id, _ in command.places)
        case Tidy():
            found.tidied.append(command.department_id)
        case _:
            pass
