"""How a PostgreSQL is reached, and when its sessions keep prepared statements."""

import re
from dataclasses import dataclass, field
from typing import Any

USUAL_THRESHOLD = 5
_MOST = 1_000_000


@dataclass(frozen=True)
class DatabaseAccess:
    """A database and the way into it. ``url`` may contain a password."""

    url: str = field(repr=False)
    prepare_threshold: int | None = USUAL_THRESHOLD
    """After how many executions in a session a statement is prepared there; ``None``: never."""
    setting: str = "TOKENQ_DATABASE_URL"
    """Where the URL stands, for a sentence."""

    @classmethod
    def of(cls, database: "str | DatabaseAccess") -> "DatabaseAccess":
        """Return the access; a URL alone has the usual threshold."""
        return cls(database) if isinstance(database, str) else database


def read_threshold(value: Any) -> int | None:
    """Read a threshold: a number, or ``off`` for never.

    0 is refused: for the driver it means at once, for our limits that there is none.

    Raises:
        ValueError: it is neither.
    """
    text = str(value).strip().lower()
    if value is None or text == "off":
        return None
    if not re.fullmatch("[0-9]{1,7}", text) or not 1 <= int(text) <= _MOST:
        raise ValueError(f"it is neither off nor a whole number from 1 to {_MOST}")
    return int(text)
