"""The commands of plain verbs, made from the table of verbs."""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from tokenq.cli.options import AtCounter, Json, Position, Reason, Token
from tokenq.cli.tokens import move_token
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import VERBS, Says, Verb

_OPTIONS: dict[Says, tuple[str, Any, Any]] = {
    Says.POSITION: ("position", Position, RequeuePosition.ORIGINAL),
    Says.REASON: ("reason", Reason, None),
    Says.COUNTER: ("at", AtCounter, None),
}


def command_of(verb: Verb) -> Callable[..., None]:
    """The command of a verb: it takes a token and what the verb's row says."""
    row = VERBS[verb]

    def command(token: str, as_json: bool = False, **more: Any) -> None:
        move_token(token, str(verb), as_json=as_json, **more)

    said = [option for says, option in _OPTIONS.items() if says in row.says]
    options: list[tuple[str, Any, Any]] = [("token", Token, Parameter.empty), *said, ("as_json", Json, False)]
    kind = Parameter.POSITIONAL_OR_KEYWORD
    command.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(name, kind, default=default, annotation=option) for name, option, default in options]
    )
    command.__annotations__ = {name: option for name, option, _ in options}
    command.__doc__ = row.help
    return command
