"""Copies of frozen dataclasses, for values that are replaced with every event.

``dataclasses.replace`` calls the constructor, which sets a frozen value's fields one by one: of a token with its
thirty-three fields, that is most of the time that a move takes. Nothing is checked here that a constructor would check,
so this is for classes without ``__post_init__``, slots and cached properties.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


def replace(value: Value, **changes: Any) -> Value:
    """Return a copy with some fields changed.

    Raises:
        TypeError: the class has no such field.
    """
    kind = type(value)
    if not changes.keys() <= kind.__dataclass_fields__.keys():  # type: ignore[attr-defined]
        unknown = sorted(changes.keys() - kind.__dataclass_fields__.keys())  # type: ignore[attr-defined]
        raise TypeError(f"{kind.__name__} has no field {unknown[0]}")
    copy = object.__new__(kind)
    copy.__dict__.update(value.__dict__)
    copy.__dict__.update(changes)
    return copy


def made(kind: type[Value], fields: Mapping[str, Any]) -> Value:
    """Return a value with exactly these fields: all that its class has.

    Raises:
        TypeError: a field is missing, or the class has no such field.
    """
    if fields.keys() != kind.__dataclass_fields__.keys():  # type: ignore[attr-defined]
        raise TypeError(f"These are not the fields of {kind.__name__}")
    value = object.__new__(kind)
    value.__dict__.update(fields)
    return value
