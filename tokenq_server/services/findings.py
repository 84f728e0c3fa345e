"""Results of checking a dependency."""

from dataclasses import dataclass

from tokenq.contract.advice import Advice


@dataclass(frozen=True)
class Finding:
    """One check: whether it passed, what was found, and how to fix it.

    ``advice`` is the hint as an action, if there is one. ``warning``: it passed, but the hint is worth reading.
    """

    name: str
    ok: bool
    detail: str
    hint: str = ""
    advice: Advice | None = None
    warning: bool = False
