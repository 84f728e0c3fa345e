"""Which key does what: the usual keys of the actions, and those that the user's settings give them instead."""

import string
from collections.abc import Mapping

from textual.keys import _character_to_key

from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq.contract.spelling import similar
from tokenq.locale import texts
from tokenq_tui.console.actions import ACTIONS, ConsoleAction, action_named

SETTING = "console_keys"
NO_KEYS: Mapping[str, str] = {}
"""The usual keys."""

_SHOWN = {
    "enter": "⏎",
    "delete": "del",
    "insert": "ins",
    "asterisk": "*",
    "question_mark": "?",
    "slash": "/",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}
_NAMED = {"space", "enter", "delete", "insert", "backspace", *(f"f{number}" for number in range(1, 13))}
_CONTROL = {f"ctrl+{letter}" for letter in string.ascii_lowercase} - {"ctrl+c", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+z"}


def keys_of(action: ConsoleAction, chosen: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keys of an action, as Textual calls them."""
    return tuple(chosen.get(action.name, action.key).split(","))


def action_of(key: str, chosen: Mapping[str, str]) -> ConsoleAction | None:
    """Return the action of a key."""
    return next((action for action in ACTIONS if key in keys_of(action, chosen)), None)


def shown_key(name: str, chosen: Mapping[str, str]) -> str:
    """Return the first key of the action of that name, as it is shown."""
    first = keys_of(action_named(name), chosen)[0]
    if first.startswith("ctrl+"):
        return f"^{first[-1]}"
    return next((sign for sign in string.punctuation if _character_to_key(sign) == first), _SHOWN.get(first, first))


def read_keys(setting: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that the setting gives to actions, as Textual calls them.

    Raises:
        Refused: an action or a key is unknown, or a key would do two things.
    """
    names = {action.name for action in ACTIONS}
    for name in setting:
        if name not in names:
            raise _wrong(_unknown(name, similar(name, names)))
    chosen = {name: _key(name, text) for name, text in setting.items()}
    owners: dict[str, str] = {}
    for action in ACTIONS:
        for key in keys_of(action, chosen):
            if (other := owners.setdefault(key, action.name)) != action.name:
                shown, said = shown_key(other, chosen), texts()
                raise _wrong(
                    said.gettext(
                        "{key} is the key of both '{one}' and '{other}'", key=shown, one=other, other=action.name
                    )
                )
    return chosen


def _unknown(name: str, suggestion: str) -> str:
    if suggestion:
        return texts().gettext("there is no action '{name}' (did you mean '{similar}'?)", name=name, similar=suggestion)
    return texts().gettext("there is no action '{name}'", name=name)


def _key(name: str, text: str) -> str:
    if len(text) == 1 and text.isprintable() and not text.isspace():
        return _character_to_key(text)
    key = text.lower()
    if key in _NAMED or key in _CONTROL:
        return key
    raise _wrong(
        texts().gettext("'{key}' of '{name}' is no key: write one character, space, f5 or ctrl+t", key=text, name=name)
    )


def _wrong(fault: str) -> Exception:
    return refuse(SettingReason.WRONG_HERE, name=SETTING, fault=fault)
