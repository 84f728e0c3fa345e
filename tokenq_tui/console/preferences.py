"""What the user's settings say about the console: its keys, its theme, its bell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tokenq.settings import THEMES, Settings, store
from tokenq_tui.console.keys import read_keys

DARK_THEME, LIGHT_THEME = THEMES


def _forget(_theme: str) -> None:
    """Keep nothing for the next time."""


@dataclass(frozen=True)
class Preferences:
    """``keep_theme`` stores the theme for the next time."""

    keys: Mapping[str, str] = field(default_factory=dict)
    is_light: bool = False
    has_bell: bool = True
    keep_theme: Callable[[str], None] = _forget


def preferences_of(settings: Settings) -> Preferences:
    """Read the settings.

    Raises:
        Refused: an action or a key is unknown, or a key would do two things.
    """
    keys = read_keys(settings.console_keys)
    is_light = settings.console_theme == LIGHT_THEME
    return Preferences(keys, is_light, settings.console_bell, keep_theme=_store_theme)


def _store_theme(theme: str) -> None:
    store("console_theme", theme)
