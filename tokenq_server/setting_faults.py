"""What is wrong with the server's settings, in words of their own: what each takes, and an example."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from tokenq.contract.problems import Reason, Refused, refuse
from tokenq.contract.reasons.system import SettingReason

_REASONS: Mapping[str, Reason] = {
    "database_url": SettingReason.WRONG_DATABASE_URL,
    "owner_database_url": SettingReason.WRONG_DATABASE_URL,
    "trusted_proxies": SettingReason.WRONG_PROXIES,
}
"""Settings whose hint shows what they look like."""
_UNITS = {"_days": "days", "_ms": "milliseconds", "_bytes": "bytes"}
"""What a number counts, by the end of the setting's name."""
_USUAL = 30
"""The example for a number that is off by default."""


def refusal_of(
    error: ValidationError, fields: Mapping[str, FieldInfo], check: Callable[[Mapping[str, Any]], object]
) -> Refused:
    """Return a refusal that names all that is wrong. No value is repeated: it may be a password.

    ``check`` reads the settings once more with the given values in place of the wrong ones, and refuses what is wrong
    about several together: that is found only if each alone is right.
    """
    faults = _refusals(error, fields)
    names = [str(found["loc"][0]) for found in _faults(error) if found["loc"]]
    if names:
        try:
            check({name: fields[name].default for name in names})
        except ValidationError as further:
            faults += _refusals(further, fields)
        except Refused as refusal:
            faults.append(refusal)
    if len(faults) == 1:
        return faults[0]
    return refuse(SettingReason.SEVERAL_WRONG, count=len(faults), faults="; ".join(map(_in_short, faults)))


def _refusals(error: ValidationError, fields: Mapping[str, FieldInfo]) -> list[Refused]:
    return [_refusal(str((*fault["loc"], "failpoints")[0]), fault, fields) for fault in _faults(error)]


def _faults(error: ValidationError) -> Sequence[Mapping[str, Any]]:
    return error.errors(include_input=False, include_url=False)


def _in_short(refusal: Refused) -> str:
    """The refusal as a part of a sentence; a hint that shows how to write the setting stays."""
    problem = refusal.problem
    name, fault = str(problem.params["name"]), str(problem.params["fault"])
    hint = "" if problem.reason == SettingReason.WRONG.id else problem.hint.rstrip(".")
    return f"{name}: {fault}" + (f" ({hint[:1].lower()}{hint[1:]})" if hint else "")


def _refusal(name: str, fault: Mapping[str, Any], fields: Mapping[str, FieldInfo]) -> Refused:
    reason, field = _REASONS.get(name), fields[name]
    why = str(fault["msg"]).removeprefix("Value error, ") if fault["type"] == "value_error" else _kind(name, field)
    if reason or not fault["loc"] or name == "failpoints":
        return refuse(reason or SettingReason.WRONG, name=f"TOKENQ_{name.upper()}", fault=why)
    return refuse(SettingReason.WRONG_KIND, name=f"TOKENQ_{name.upper()}", fault=why, example=_example(field))


def _kind(name: str, field: FieldInfo) -> str:
    """What a setting takes."""
    if get_origin(field.annotation) is Literal:
        *others, last = get_args(field.annotation)
        return f"it takes {', '.join(others)} or {last}"
    if field.annotation is bool:
        return "it takes 1 or 0"
    if field.annotation is not int:
        return "it takes a text"
    unit = next((f" of {unit}" for end, unit in _UNITS.items() if name.endswith(end)), "")
    low, high = (_bound(field, side) for side in ("ge", "le"))
    bounds = f" from {low} to {high}" if high is not None else f" from {low} on"
    return f"it takes a whole number{unit}{bounds}" + (", or off" if _may_be_off(field) else "")


def _bound(field: FieldInfo, side: str) -> int | None:
    return next((getattr(limit, side) for limit in field.metadata if hasattr(limit, side)), None)


def _may_be_off(field: FieldInfo) -> bool:
    """Whether a text is read before the number is."""
    return any(hasattr(part, "func") for part in field.metadata)


def _example(field: FieldInfo) -> str:
    if field.examples:
        return str(field.examples[0])
    if field.annotation is bool:
        return "1"
    if field.annotation is int:
        return str(field.default or _USUAL)
    return str(field.default)
