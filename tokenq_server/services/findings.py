"""What a check of a dependency found."""

from dataclasses import dataclass

from tokenq.contract.advice import Advice


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is as it must be, what was seen, and how to mend it.

    ``advice`` is the hint as an action, where it is one.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    advice: Advice | None = None
