"""Refusals in the reader's language.

English is the source and needs no catalogue. A language is a folder here, ``<code>/LC_MESSAGES/tokenq.po``, made from
the template that ``nox -s locale`` writes; building or installing tokenq compiles it. Which one is used is told by
``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``, as everywhere.
"""

import gettext
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tokenq.contract.advice import Advice
from tokenq.contract.problems import Problem, Reason, fill, reasons
from tokenq.contract.reasons import audit, erasing, queue, report, setup, system

DOMAIN = "tokenq"
FOLDER = Path(__file__).parent
SUBJECTS = (queue, setup, report, audit, erasing, system)
"""The subjects of the rows that a server sends."""


@cache
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, fallback=True)


@cache
def _rows() -> Mapping[str, Reason]:
    return {reason.id: reason for reason in reasons()}


def sentence(problem: Problem, **own: Any) -> str:
    """Return the sentence; ``own`` overrides parameters. A row that this release does not know keeps its text."""
    reason = _rows().get(problem.reason or "")
    return _translate(reason.sentence if reason else "", problem, problem.detail, own)


def hint(problem: Problem) -> str:
    """Return the hint, if it is a sentence rather than an action."""
    reason = _rows().get(problem.reason or "")
    template = reason.hint if reason and not problem.advice else ""
    return _translate(str(template), problem, problem.hint, {})


def advice(advised: Advice, how: str = "") -> str:
    """Return the hint for an action; ``how`` names the command or key that does it here."""
    try:
        return advised.fill(_catalogue().gettext(advised.action.sentence), how)
    except (KeyError, IndexError, ValueError):
        return advised.text(how)


def _translate(template: str, problem: Problem, otherwise: str, own: Mapping[str, Any]) -> str:
    translated = _catalogue().gettext(template) if template else ""
    if translated == template and not own:
        return otherwise
    try:
        return fill(translated, {**problem.params, **own})
    except (KeyError, IndexError, ValueError):
        return otherwise
