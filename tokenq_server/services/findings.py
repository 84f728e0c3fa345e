"""What a check of a dependency found."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it must be, what was seen, and how to mend it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
