"""Texts and refusals in other languages.

English is the source and needs no catalogue. A language is a folder here, ``<code>/LC_MESSAGES/tokenq.po``, made from
the template that ``nox -s locale`` writes; building or installing tokenq compiles it. Which one a person reads is told
by ``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``, as everywhere; a board's are those of its branch.
"""

import gettext
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tokenq.contract import words
from tokenq.contract.advice import Advice
from tokenq.contract.problems import Problem, Reason, fill, reasons
from tokenq.contract.reasons import audit, erasing, queue, report, setup, system

DOMAIN = "tokenq"
FOLDER = Path(__file__).parent
SOURCE = "en"
"""The language of the sentences in the code."""
OWN_FOLDER = "TOKENQ_LOCALE"
"""The variable that names a folder of one's own catalogues, ``<code>/LC_MESSAGES/tokenq.mo``."""
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
NAMES = {"ar": "العربية", "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "zh-CN": "中文"}
"""What languages call themselves."""
SUBJECTS = (queue, setup, report, audit, erasing, system)
"""The subjects of the rows that a server sends."""
_LISTS: Mapping[str, Mapping[str, str]] = {"state": words.STATES, "priority": words.CLASSES}
"""The parameters of rows that are words of a closed list."""


def languages() -> tuple[str, ...]:
    """Return the tags of all languages, such as ``de`` or ``zh-CN``; the source language is the first."""
    folders = [FOLDER, *filter(None, [own_folder()])]
    found = {_tag(each.parent.parent.name) for folder in folders for each in folder.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")}
    return (SOURCE, *sorted(found - {SOURCE}))


class Texts:
    """Texts in one language.

    ``nox -s locale`` collects the literal texts of all calls of ``gettext``, ``ngettext`` and ``N_``.
    """

    def __init__(self, language: str = "") -> None:
        """``language`` is a tag such as ``zh-CN``; empty is the reader's own. An unknown one is the source language."""
        self.language = language
        self._catalogue = _catalogue(language)

    @property
    def is_right_to_left(self) -> bool:
        """Whether the script runs from right to left."""
        return self.language.partition("-")[0] in RIGHT_TO_LEFT

    def gettext(self, source: str, **values: Any) -> str:
        """Return the text in this language, filled with ``values``."""
        return _fill(self._catalogue.gettext(source), source, values)

    def ngettext(self, one: str, many: str, number: int, **values: Any) -> str:
        """Return the form for ``number``, which the text may contain as ``{number}``."""
        source = one if number == 1 else many
        return _fill(self._catalogue.ngettext(one, many, number), source, {"number": number, **values})


def N_(source: str) -> str:  # noqa: N802 - the name that translators know
    """Return a text as it is: it is collected for translators here, and translated where it is shown."""
    return source


@cache
def texts(language: str = "") -> Texts:
    """Return the texts of a language, by default of the reader's own."""
    return Texts(language)


def _fill(template: str, source: str, values: Mapping[str, Any]) -> str:
    if not values:
        return template
    try:
        return template.format_map(values)
    except (AttributeError, LookupError, TypeError, ValueError):  # a translator's slip must not end a screen
        return source.format_map(values)


def _tag(folder: str) -> str:
    return folder.replace("_", "-")


@cache
def _catalogue(language: str = "") -> gettext.NullTranslations:
    wanted = [language.replace("-", "_")] if language else None
    found = gettext.translation(DOMAIN, FOLDER, wanted, fallback=True)
    if own := own_folder():
        first = _own_catalogue(own, wanted)
        first.add_fallback(found)
        return first
    return found


def _own_catalogue(folder: Path, wanted: list[str] | None) -> gettext.NullTranslations:
    try:
        return gettext.translation(DOMAIN, folder, wanted, fallback=True)
    except Exception as error:  # whatever a damaged file makes gettext raise
        import logging  # commands do without it

        logger = logging.getLogger(__name__)
        logger.warning("A catalogue in %s cannot be read and is left out: %r", str(folder), error)
        return gettext.NullTranslations()


def own_folder() -> Path | None:
    """Return the folder of catalogues that come before ours, if there is one: other words, or another language."""
    named = os.environ.get(OWN_FOLDER)
    return Path(named).expanduser() if named else None


@cache
def _rows() -> Mapping[str, Reason]:
    return {reason.id: reason for reason in reasons()}


def sentence(problem: Problem, **own: Any) -> str:
    """Return the sentence; ``own`` overrides parameters. A row that this release does not know keeps its text."""
    reason = _rows().get(problem.reason or "")
    return _translate(reason.sentence if reason else "", problem, problem.detail, own)


def hint(problem: Problem, **own: Any) -> str:
    """Return the hint, if it is a sentence rather than an action; ``own`` overrides parameters."""
    reason = _rows().get(problem.reason or "")
    template = reason.hint if reason and not problem.advice else ""
    return _translate(str(template), problem, problem.hint, own)


def advice(advised: Advice, how: str = "") -> str:
    """Return the hint for an action; ``how`` names the command or key that does it here."""
    try:
        return advised.fill(_catalogue().gettext(advised.action.sentence), how)
    except (AttributeError, LookupError, TypeError, ValueError):
        return advised.text(how)


def _translate(template: str, problem: Problem, otherwise: str, own: Mapping[str, Any]) -> str:
    translated = _catalogue().gettext(template) if template else ""
    if translated == template and not own:
        return otherwise
    try:
        return fill(translated, {**{name: _word(name, value) for name, value in problem.params.items()}, **own})
    except (AttributeError, LookupError, TypeError, ValueError):
        return otherwise


def _word(name: str, value: Any) -> Any:
    """Return a parameter of a row in the reader's language, if it is a word of a closed list."""
    known = _LISTS.get(name, {}).get(value) if isinstance(value, str) else None
    return _catalogue().gettext(known) if known else value
