"""What verify finds in the queue of notifications: which may be left out, and in which order the others are sent."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.test_events_wire import event
from tokenq.contract.events import encode
from tokenq.contract.notifications import RULES, LetterKind
from tokenq_server.domain.invariants.mail import LetterRow, Letters
from tokenq_server.domain.invariants.tally import Tally

NINE = datetime(2026, 11, 23, 9, tzinfo=UTC)


def row(kind: LetterKind, seq: int, state: str, minute: int | None = None) -> LetterRow:
    sent_at = None if minute is None else NINE + timedelta(minutes=minute)
    payload = encode(replace(event(RULES[kind].event), seq=seq)).decode()
    return LetterRow("CW", seq, kind, "email", 1, "a@b.c", state, sent_at, 0, 0, payload, "a@b.c")


def found(*rows: LetterRow) -> set[str]:
    tally = Tally()
    letters = Letters(tally)
    for letter in rows:
        letters.take(letter)
    return set(tally.found)


@pytest.mark.parametrize("kind", LetterKind)
def test_only_what_can_become_untrue_may_be_overtaken(kind: LetterKind) -> None:
    assert found(row(kind, 1, "overtaken")) == (set() if RULES[kind].true_in else {"M1"})


def test_an_overtaken_letter_is_no_gap_in_the_order() -> None:
    """It was not sent, and what follows it was."""
    issued, served = row(LetterKind.ISSUED, 1, "sent", 1), row(LetterKind.SERVED, 3, "sent", 9)
    assert found(row(LetterKind.ISSUED, 1, "overtaken"), served) == set()
    assert found(issued, row(LetterKind.CALLED, 2, "overtaken"), served) == set()


def test_an_overtaken_letter_hides_no_wrong_order_around_it() -> None:
    late, served = row(LetterKind.ISSUED, 1, "sent", 10), row(LetterKind.SERVED, 3, "sent", 9)
    assert found(late, row(LetterKind.CALLED, 2, "overtaken"), served) == {"M3"}
    assert found(late, row(LetterKind.CALLED, 2, "sent", 8)) == {"M3"}
