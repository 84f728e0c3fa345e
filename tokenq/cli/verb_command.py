"""The commands of plain verbs, made from the table of verbs."""

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

from tokenq.cli.options import AtCounter, Json, Position, Reason, Tokens
from tokenq.cli.several_tokens import move_each
from tokenq.cli.tokens import moved
from tokenq.contract.enums import RequeuePosition
from tokenq.contract.verbs import VERBS, Verb, VerbField

_OPTIONS: dict[VerbField, tuple[str, Any, Any]] = {
    VerbField.POSITION: ("position", Position, RequeuePosition.ORIGINAL),
    VerbField.REASON: ("reason", Reason, None),
    VerbField.COUNTER: ("at", AtCounter, None),
}


def command_of(verb: Verb) -> Callable[..., None]:
    """Return the command of a verb: it takes tokens and the fields in the verb's row."""
    row = VERBS[verb]

    def command(tokens: list[str], as_json: bool = False, **fields: Any) -> None:
        move_each(tokens, verb, lambda client, token: moved(client, token, verb, **fields), as_json=as_json)

    optional = [option for field, option in _OPTIONS.items() if field in row.fields]
    options: list[tuple[str, Any, Any]] = [("tokens", Tokens, Parameter.empty), *optional, ("as_json", Json, False)]
    kind = Parameter.POSITIONAL_OR_KEYWORD
    command.__signature__ = Signature(  # type: ignore[attr-defined]
        [Parameter(name, kind, default=default, annotation=option) for name, option, default in options]
    )
    command.__annotations__ = {name: option for name, option, _ in options}
    command.__doc__ = row.help
    return command
