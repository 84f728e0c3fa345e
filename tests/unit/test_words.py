"""The server's closed lists are said in the reader's language."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from babel.dates import get_day_names

from tokenq import locale
from tokenq.contract.enums import Priority, TokenState
from tokenq.contract.problems import Problem, refuse
from tokenq.contract.reasons.queue import TokenReason
from tokenq.contract.verbs import Verb
from tokenq.locale import texts
from tokenq.locale.words import class_word, reason_words, state_word
from tokenq_server.domain import estimate
from tokenq_server.domain.policy import Policy, Turn, Waiting, choose
from tokenq_tui.console.advice import hint_of, verbs_of

NOW = datetime(2026, 8, 7, 12, tzinfo=UTC)
TAGS = ("ar", "de", "es", "fr", "zh-CN")


@pytest.fixture
def german(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader's language is German."""
    monkeypatch.setenv("LANGUAGE", "de")
    caches = (locale._catalogue, locale.texts)
    for each in caches:
        each.cache_clear()
    yield
    monkeypatch.undo()
    for each in caches:
        each.cache_clear()


def rules() -> set[str]:
    """Each rule by which the policy chooses."""
    lines = [
        {Priority.NORMAL: 5},
        {Priority.URGENT: 5, Priority.NORMAL: 9},
        {Priority.PRIORITY: 5, Priority.NORMAL: 4},
        {Priority.PRIORITY: 5, Priority.NORMAL: 90},
    ]
    chosen = set()
    for line in lines:
        heads = {name: Waiting(1, name, 1, NOW - timedelta(minutes=minutes)) for name, minutes in line.items()}
        choice = choose(heads, Turn(), Policy(), NOW)
        assert choice
        chosen.add(choice.rule)
    return chosen


@pytest.mark.parametrize("tag", TAGS)
def test_why_somebody_is_next_and_why_a_wait_is_unknown_are_translated(tag: str) -> None:
    reasons = rules() | {str(each.reason) for each in (estimate.UNKNOWN, estimate.NO_COUNTER, estimate.VAGUE)}
    assert len(reasons) == 7
    for reason in reasons:
        assert reason_words(reason, texts("en")) == reason
        said = reason_words(reason, texts(tag))
        assert said != reason
        assert "priority" not in said
    assert reason_words("chosen by a later release", texts(tag)) == "chosen by a later release"


def test_a_state_and_a_class_of_a_later_server_are_shown_as_they_came() -> None:
    assert [state_word(state, texts("de")) for state in ("CALLED", "ON_HOLD")] == ["aufgerufen", "on-hold"]
    own = {"normal": "Kasse"}
    assert [class_word(name, own, texts("de")) for name in ("normal", "urgent", "vip")] == ["Kasse", "dringend", "vip"]


def wrong_state() -> Problem:
    """What the server answers to a call of somebody who is called already."""
    values = {"number": "CW-012", "state": str(TokenState.CALLED), "verb": str(Verb.CALL)}
    return refuse(TokenReason.WRONG_STATE, **values, allowed=[str(Verb.NO_SHOW), str(Verb.EDIT)]).problem


@pytest.mark.usefixtures("german")
def test_states_and_verbs_in_a_refusal_are_words_of_the_reader() -> None:
    problem = wrong_state()
    assert locale.sentence(problem) == "CW-012 ist aufgerufen: „call“ ist nicht möglich."
    assert locale.sentence(problem, **verbs_of(problem)) == "CW-012 ist aufgerufen: „Aufrufen“ ist nicht möglich."
    assert hint_of(problem, {}) == "Jetzt möglich: Abwesend, Berichtigen."


@pytest.mark.parametrize("tag", TAGS)
def test_weekdays_are_those_of_the_language(tag: str) -> None:
    names = get_day_names("abbreviated", "format", tag.replace("-", "_"))
    english = get_day_names("abbreviated", "format", "en")
    assert [texts(tag).gettext(english[day]) for day in range(7)] == [names[day] for day in range(7)]
