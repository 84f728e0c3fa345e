"""What people type as they read it off paper: it means exactly that token, or nothing."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenq.contract.enums import LIVE, Priority, TokenState
from tokenq.contract.numbers import means, readings, spellings, typed_id
from tokenq_server.domain.numbering import display_number
from tokenq_server.domain.token import Token, Undo
from tokenq_server.domain.token_lookup import Printed, named

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def printed(
    token_id: int,
    display: str,
    *,
    prefix: str | None = None,
    number: int | None = None,
    state: TokenState = TokenState.WAITING,
    day: date = TODAY,
    undo: Undo | None = None,
    issued_in: str | None = None,
    ended_on: date | None = None,
) -> Printed:
    prefix = display.partition("-")[0] if prefix is None else prefix
    home = issued_in or prefix or "PLAIN"
    number = int(re.search("[0-9]+$", display.strip())[0]) if number is None else number  # type: ignore[index]
    token = Token(
        token_id, home, "main", day, number, display, state, Priority.NORMAL, 1, 1, NOW, NOW, issued_in=home, undo=undo
    )
    return Printed(replace(token, ended_on=ended_on), prefix, 1, TODAY)


def found(typed: str, *among: Printed) -> list[int]:
    """The ids of those that a typed number may mean, fetched as the store fetches them."""
    fetched = [one for one in among if one.token.display in spellings(typed)]
    return [token.token_id for token in named(typed, fetched, NOW)]


@pytest.mark.parametrize("typed", ["CW-012", "cw-012", "cw12", " Cw 12 ", "cw012", "CW\u2013012", "cw - 12"])
def test_a_number_is_found_however_it_is_typed(typed: str) -> None:
    assert found(typed, printed(1, "CW-012"), printed(2, "CW-013")) == [1]


@pytest.mark.parametrize("typed", ["", "CW", "012x", "what?", "ＣＷ-012", "CW-٠١٢", "CW-012\0", "CW_012", "9" * 40])
def test_what_is_no_number_means_nothing(typed: str) -> None:
    assert not readings(typed)
    assert spellings(typed) == []


@pytest.mark.parametrize(
    ("typed", "read"), [("id:101", 101), ("ID: 7", 7), ("101", None), ("#101", None), ("id:", None)]
)
def test_only_what_says_so_is_an_id(typed: str, read: int | None) -> None:
    assert typed_id(typed) == read


def test_two_readings_are_two_answers() -> None:
    """``p12`` is P-012 or P1-002; who writes the dash says which."""
    both = printed(1, "P-012"), printed(2, "P1-002")
    assert sorted(found("p12", *both)) == [1, 2]
    assert (found("p-12", *both), found("p1-2", *both)) == ([1], [2])


def test_plain_numbers_of_two_departments_are_two_answers() -> None:
    lab, cash = printed(1, "062", prefix="LAB"), printed(2, "062", prefix="C")
    assert sorted(found("062", lab, cash)) == [1, 2]
    assert found("62", lab) == [1]


def test_a_typed_dash_is_believed_where_none_is_printed() -> None:
    """``P2002`` is number 2002 of P here: nobody who types number 2 of P2 may reach it."""
    joined = printed(1, "P2002", prefix="P", number=2002)
    assert (found("p2-2", joined), found("p22", joined)) == ([], [])
    assert (found("P2002", joined), found("p-2002", joined)) == ([1], [1])


def test_a_prefix_that_has_changed_since_hides_nobody() -> None:
    """Both people hold the paper ``AB005``: one of a department that numbers with ABX now, one of a new AB."""
    old = printed(1, "AB005", prefix="ABX", number=5, issued_in="A")
    new = printed(2, "AB005", prefix="AB", number=5, issued_in="B")
    for typed in ("AB005", "AB5", "ab-5", "AB 005"):
        assert sorted(found(typed, old, new)) == [1, 2], typed
    cut = printed(3, "WF12", prefix="W", number=2, issued_in="C")
    assert (found("WF12", cut), found("WF1-2", cut), found("W-12", cut)) == ([3], [3], [])


def test_whom_an_upgrade_told_apart_are_both_found() -> None:
    twins = printed(1, "CW-011 ", prefix="CW", issued_in="CW"), printed(2, "CW-011", prefix="CW", issued_in="CW")
    assert sorted(found("cw11", *twins)) == sorted(found("CW-011", *twins)) == [1, 2]


def test_a_deleted_department_has_no_numbers_of_today() -> None:
    gone = printed(1, "PH-002", state=TokenState.CANCELLED)
    gone = Printed(gone.token, gone.prefix, 1, TODAY, is_archived=True)
    assert found("ph2", gone, printed(2, "PH-002", issued_in="NEW")) == [2]
    assert found("ph2", gone) == []


def test_a_live_token_hides_the_final_ones_of_its_department_only() -> None:
    over = printed(1, "CW-012", state=TokenState.SERVED)
    live = printed(2, "CW-012", day=TODAY - timedelta(1), state=TokenState.CALLED)
    elsewhere = printed(3, "CW-012", state=TokenState.NO_SHOW, issued_in="XX")
    assert found("cw12", over) == [1]
    assert found("cw12", over, live) == [2]
    assert sorted(found("cw12", over, live, elsewhere)) == [2, 3]


def test_a_final_token_of_yesterday_is_past_unless_it_can_be_taken_back() -> None:
    yesterday = TODAY - timedelta(1)
    fresh = Undo("serve", {}, NOW + timedelta(minutes=3))
    assert found("cw12", printed(1, "CW-012", state=TokenState.SERVED, day=yesterday)) == []
    assert found("cw12", printed(1, "CW-012", state=TokenState.SERVED, day=yesterday, undo=fresh)) == [1]


def test_an_expired_token_of_yesterday_is_meant_where_no_other_is() -> None:
    """It may be reinstated, but makes no number of today ambiguous."""
    expired = printed(1, "CW-012", state=TokenState.EXPIRED, day=TODAY - timedelta(1))
    served = printed(2, "CW-012", state=TokenState.SERVED)
    live = printed(3, "CW-012")
    assert found("cw12", expired) == [1]
    assert found("cw12", expired, served) == [2]
    assert found("cw12", expired, served, live) == [3]
    assert found("cw12", printed(4, "CW-012", state=TokenState.EXPIRED, day=TODAY - timedelta(2))) == []


def test_a_plain_number_may_be_typed_with_its_department_s_prefix() -> None:
    """Several departments print plain numbers, and one customer is meant."""
    here, there = printed(1, "7", prefix="AN", issued_in="AN"), printed(2, "007", prefix="BL", issued_in="BL")
    assert found("7", here, there) == [1, 2]
    for typed in ("AN7", "an-7", "AN 7"):
        assert found(typed, here, there) == [1], typed
    assert found("bl07", here, there) == [2]
    assert found("CW7", here, there) == []


def test_leading_zeros_may_be_left_out_but_nobody_adds_any() -> None:
    """``0001`` on one paper and ``1`` on another are two people's."""
    short, long = (printed(1, "1", prefix="PL", issued_in="PL"), printed(2, "0001", prefix="PM", issued_in="PM"))
    assert found("0001", short, long) == [2]
    assert found("1", short, long) == [1, 2]
    assert found("cw-0012", printed(3, "CW-012")) == []
    assert found("cw 012", printed(3, "CW-12")) == []
    assert found("cw0012", printed(3, "CW-012")) == []


def test_a_number_means_who_ended_today_whenever_it_was_issued() -> None:
    yesterday = TODAY - timedelta(1)
    kept = printed(1, "CW-012", state=TokenState.NO_SHOW, day=yesterday, ended_on=TODAY)
    assert found("cw12", kept) == [1]
    assert found("cw12", printed(2, "CW-012", state=TokenState.NO_SHOW, day=yesterday, ended_on=yesterday)) == []
    long_ago = TODAY - timedelta(3)
    assert found("cw12", printed(3, "CW-012", state=TokenState.EXPIRED, day=long_ago, ended_on=TODAY)) == [3]


PREFIXES = st.from_regex(r"[A-Z0-9]{1,4}", fullmatch=True)
FORMATS = st.builds(
    lambda head, digits: head + "{number" + digits + "}",
    st.sampled_from(["{prefix}-", "{prefix} ", "{prefix}", ""]),
    st.sampled_from(["", ":01d", ":03d", ":06d"]),
)
NUMBERS = st.one_of(st.integers(1, 30), st.integers(1, 99_999))


@st.composite
def sessions(draw: st.DrawFn) -> list[Printed]:
    """Tokens of some departments, of which many have prefixes and numbers that look alike."""
    tokens: list[Printed] = []
    for home in range(draw(st.integers(1, 4))):
        prefix, template = draw(PREFIXES), draw(FORMATS)
        for number in draw(st.lists(NUMBERS, min_size=1, max_size=6, unique=True)):
            state = draw(st.sampled_from(list(TokenState)))
            display = display_number(template, prefix, number)
            one = printed(len(tokens), display, prefix=prefix, number=number, state=state, issued_in=f"D{home}")
            tokens.append(one)
    return tokens


@given(sessions(), st.data())
def test_what_is_typed_as_printed_reaches_exactly_that_token_or_is_refused(
    tokens: list[Printed], data: st.DataObject
) -> None:
    """Over random departments, prefixes, formats and live sets, in every way of typing a number."""
    meant = data.draw(st.sampled_from(tokens))
    display = meant.token.display
    typed = data.draw(st.sampled_from([display, display.lower(), f" {display} ", display.replace("-", " ")]))
    answer = found(typed, *tokens)
    rivals = {one.token.token_id for one in tokens if one.token.display == display and one.token.state in LIVE}
    if meant.token.state in LIVE or not rivals:
        assert meant.token.token_id in answer
    else:
        assert rivals <= set(answer)


@given(sessions(), PREFIXES, NUMBERS, st.sampled_from(["-", " "]))
def test_a_prefix_and_a_number_reach_nobody_else(tokens: list[Printed], prefix: str, number: int, dash: str) -> None:
    """Who writes the two apart has said which department it is: only its own numbers answer."""
    for token_id in found(f"{prefix}{dash}{number}", *tokens):
        one = tokens[token_id]
        assert one.prefix == prefix
        assert int(one.token.display.removeprefix(prefix).lstrip("- ")) == number


@given(sessions(), st.data())
def test_without_separator_or_zeros_it_still_finds_its_token(tokens: list[Printed], data: st.DataObject) -> None:
    meant = data.draw(st.sampled_from([one for one in tokens if one.token.state in LIVE] or tokens))
    prefix, _, number = meant.token.display.replace(" ", "-").partition("-")
    typed = f"{prefix}{int(number)}".lower() if number else meant.token.display.lower()
    assert meant.token.state not in LIVE or meant.token.token_id in found(typed, *tokens)


@given(st.text(max_size=40), st.text(max_size=12), st.text(max_size=5))
def test_no_text_breaks_the_reading_of_numbers(typed: str, shown: str, prefix: str) -> None:
    means(typed, shown, prefix, 1)
    spellings(typed)
    typed_id(typed)
