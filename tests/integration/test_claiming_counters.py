"""Claims on counters through the API of a running system: what they leave as it is, and what they refuse."""

import secrets
from typing import Any

import pytest

from tests.stack import Enter
from tokenq.client import Client
from tokenq.contract.problems import ProblemCode, Refused


@pytest.fixture
def branch(admin: Client) -> str:
    """A branch with the departments ``…A``, ``…B`` and ``…L``."""
    name = f"c{secrets.token_hex(2)}"
    admin.create_branch({"branchId": name, "name": "A branch of its own"})
    for letter in "ABL":
        admin.create_department({"departmentId": f"{name}{letter}".upper(), "name": letter, "branchId": name})
    return name


def refused(code: ProblemCode, *words: str) -> Any:
    def fits(error: Refused) -> bool:
        text = f"{error.problem.detail} {error.problem.hint}"
        return error.problem.code is code and all(word in text for word in words)

    return pytest.raises(Refused, check=fits)


def of(branch: str, letters: str) -> list[str]:
    return [f"{branch}{letter}".upper() for letter in letters]


def test_a_console_that_claims_a_counter_changes_nothing_of_what_it_serves(admin: Client, branch: str) -> None:
    """Who only looks at the laboratory takes no other department's counter away."""
    admin.open_counter(branch, "1", of(branch, "AB"))
    claimed = admin.open_counter(branch, "1", of(branch, "L"), as_it_is=True)
    assert claimed["departments"] == of(branch, "AB")
    assert [view["departments"] for view in admin.counters(branch)] == [of(branch, "AB")]

    fresh = admin.open_counter(branch, "2", of(branch, "L"), as_it_is=True)
    assert fresh["departments"] == of(branch, "L"), "a new one serves what the console shows"
    assert admin.open_counter(branch, "1", of(branch, "L"))["departments"] == of(branch, "L"), "said on purpose"


def test_a_counter_that_holds_a_token_is_taken_over_only_by_whoever_may_serve_it(
    admin: Client, enter: Enter, branch: str
) -> None:
    """It would be stuck: the newcomer can neither serve the token nor call another one."""
    (a, lab) = of(branch, "AL")
    ann, lea, both = enter("staff", a), enter("staff", lab), enter("staff", a, lab)
    ann.open_counter(branch, "1", [a])
    token = ann.issue(a)
    ann.call(a, "1")
    for way in ({"take_over": True}, {"take_over": True, "as_it_is": True}):
        with refused(ProblemCode.FORBIDDEN, "Counter 1 holds", token["displayNumber"], a, "Choose another counter"):
            lea.open_counter(branch, "1", **way)
    (counter,) = admin.counters(branch)
    assert counter["departments"] == [a]
    assert ann.renew_counter(branch, "1")["counterId"] == "1", "the claim is still hers"

    assert both.open_counter(branch, "1", take_over=True)["token"] is not None
    assert ann.open_counter(branch, "1", take_over=True)["token"] is not None
    ann.close_counter(branch, ann.open_counter(branch, "2", [a])["counterId"])


def test_a_counter_whose_name_looks_like_another_one_is_not_made(admin: Client, branch: str) -> None:
    (a,) = of(branch, "A")
    admin.open_counter(branch, "G1")
    admin.issue(a)
    for attempt in (
        lambda: admin.open_counter(branch, "g1", may_create=True),
        lambda: admin.open_counter(branch, "G 1"),
        lambda: admin.declare_counter(branch, "g1"),
        lambda: admin.call(a, "g1", may_create=True),
        lambda: admin.call_at_counter(branch, "g1", may_create=True),
        lambda: admin.change_department(a, {"counters": ["g1"]}),
    ):
        with refused(ProblemCode.UNKNOWN_COUNTER, "There is no counter", "Did you mean G1?"):
            attempt()
    assert [view["counterId"] for view in admin.counters(branch)] == ["G1"]
    assert admin.declare_counter(branch, "G1")["isDeclared"], "it exists"
    admin.open_counter("main", f"{branch} g1")
