"""A token's row, derived from the fields of :class:`Token`: a new field needs a migration and nothing here."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, get_args, get_type_hints

from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.domain.copies import made
from tokenq_server.domain.token import CHANGING_FIELDS, Token, Undo

_KEPT = ("token_id", *CHANGING_FIELDS)

_kept = attrgetter(*_KEPT)


def token_row(token: Token) -> dict[str, Any]:
    """A new token, whole."""
    return vars(token)


def changed_row(token: Token) -> dict[str, Any]:
    """What a move can have changed of a token, with its id."""
    return dict(zip(_KEPT, _kept(token), strict=True))


def token_from(row: Row) -> Token:
    """A token from its row."""
    return made(Token, {**row, **{name: _read(row[name], read) for name, read in _FROM_ROW.items()}})


def kind_of(hint: Any) -> Any:
    """The type of a field, whether or not it may be ``None``."""
    if not isinstance(hint, UnionType):
        return hint
    return next(kind for kind in get_args(hint) if kind is not NoneType)


def _undo_from(document: Mapping[str, Any]) -> Undo:
    """The way back from its JSON document, whose values are of the fields' types."""
    was = {name: _read(value, _FROM_JSON.get(name)) for name, value in document["was"].items()}
    return Undo(document["verb"], was, datetime.fromisoformat(document["until"]), document.get("by", ""))


def _read(value: Any, read: Callable[[Any], Any] | None) -> Any:
    return value if value is None or read is None else read(value)


KINDS: Mapping[str, Any] = {name: kind_of(hint) for name, hint in get_type_hints(Token).items()}
"""Each column's type in the domain."""

_FROM_ROW: dict[str, Callable[[Any], Any]] = {
    **{name: kind for name, kind in KINDS.items() if issubclass(kind, StrEnum)},
    **{name: _undo_from for name, kind in KINDS.items() if kind is Undo},
}
"""How to read what the driver does not know."""
_FROM_JSON = _FROM_ROW | {name: kind.fromisoformat for name, kind in KINDS.items() if issubclass(kind, date)}
