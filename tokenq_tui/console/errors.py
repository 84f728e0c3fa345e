"""What the user sees of a request that failed."""

from collections.abc import Mapping

from tokenq import locale
from tokenq.contract.problems import Refused
from tokenq.errors import TokenqError
from tokenq.locale import texts
from tokenq_tui.console.advice import hint_of, verbs_of
from tokenq_tui.console.keys import shown_key
from tokenq_tui.console.messages import Trouble
from tokenq_tui.faults import describe, failure_hint, failure_sentence


def continues(keys: Mapping[str, str]) -> str:
    """Return that the console keeps running after a failure of its own."""
    return texts().gettext(
        "The console keeps running. If the screen looks wrong, press {key} and start it again.",
        key=shown_key("quit", keys),
    )


def failure(request: str, error: BaseException, *, changes: bool, keys: Mapping[str, str]) -> Trouble:
    """Convert whatever a request raised to a message for the screen.

    ``changes``: whether the request would have changed something on the server; ``keys``: the keys to press then.
    """
    said = texts()
    if isinstance(error, Refused):
        sentence = locale.sentence(error.problem, **verbs_of(error.problem))
        return Trouble(sentence, hint_of(error.problem, keys), is_answer=True)
    if isinstance(error, TokenqError):
        return Trouble(failure_sentence(error), failure_hint(error), is_answer=True, is_from_server=False)
    if changes:
        hint = said.gettext("It may have been carried out: check the list before you press the key again.")
    else:
        hint = said.gettext("Nothing was changed: press the key again.")
    sentence = said.gettext("{action} failed in this console ({error}).", action=request, error=describe(error))
    return Trouble(sentence, hint, is_answer=True, is_from_server=False)
