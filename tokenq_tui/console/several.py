"""One action on several tokens: each is tried, and those that failed are listed."""

from collections.abc import Callable, Sequence

from tokenq import locale
from tokenq.contract.problems import Refused
from tokenq.contract.verbs import Verb
from tokenq.contract.views import TokenView
from tokenq.errors import TokenqError
from tokenq.locale import texts
from tokenq_tui.console.messages import Done
from tokenq_tui.faults import failure_sentence


def for_each(tokens: Sequence[TokenView], verb: str, move: Callable[[TokenView], TokenView]) -> Done:
    """Move one after the other.

    Without an answer from the server, the rest is not tried. If that is the first one, the error is raised.
    """
    done: list[TokenView] = []
    failed: list[str] = []
    for place, token in enumerate(tokens):
        try:
            done.append(move(token))
        except Refused as refusal:
            failed.append(_failure(token, locale.sentence(refusal.problem)))
        except TokenqError as error:
            if not (done or failed):
                raise
            failed.append(_failure(token, failure_sentence(error)))
            failed += _not_tried(tokens[place + 1 :])
            break
    return Done(_past(verb, done), warnings=failed)


def _past(verb: str, done: Sequence[TokenView]) -> str:
    said = texts()
    if not done:
        return said.gettext("Nothing was changed.")
    if verb == Verb.CANCEL:
        return said.ngettext("{number} customer is cancelled.", "{number} customers are cancelled.", len(done))
    return said.ngettext(
        "{number} customer is now waiting in {department}.",
        "{number} customers are now waiting in {department}.",
        len(done),
        department=done[0]["departmentId"],
    )


def _failure(token: TokenView, why: str) -> str:
    return texts().gettext("{number} failed: {why}", number=token["displayNumber"], why=why)


def _not_tried(tokens: Sequence[TokenView]) -> list[str]:
    if not tokens:
        return []
    return [texts().gettext("Not tried: {numbers}.", numbers=", ".join(token["displayNumber"] for token in tokens))]
