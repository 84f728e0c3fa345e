"""Who may do what: every role with every verb, beside a table that is written out here."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import tokenq_server.api.routes
from tests.unit.sessions import NOW, Room, refused
from tokenq.contract.enums import Priority, RequeuePosition, Role, TokenState
from tokenq.contract.problems import ProblemCode, Refused
from tokenq.contract.verbs import VERBS, Verb
from tokenq_server.domain.commands import CallByProfile, CallNext, CallToken, Command, Issue, ServeNext, TransferToken
from tokenq_server.domain.permissions import (
    MAY,
    as_permitted,
    check_move,
    check_position,
    check_role,
    departments_to_watch,
    owner_to_list,
    sees,
    sees_person,
)
from tokenq_server.domain.principal import Principal
from tokenq_server.domain.token import Token, Undo
from tokenq_server.services.command_handlers import handler_of

OTHERS_TOKEN, OWN_TOKEN = 7, 55
HERE, ELSEWHERE, OWN_ELSEWHERE = ("CW", OTHERS_TOKEN), ("LAB", OTHERS_TOKEN), ("LAB", OWN_TOKEN)

MAY_DO = {
    #            department and owner:
    #            CW, somebody's | LAB, somebody's | LAB, the caller's own
    #            admin  staff  desk   customer
    "issue":     ("yyy", "yff", "yff", "ffy"),
    "call":      ("yyy", "yff", "fff", "fff"),
    "recall":    ("yyy", "yff", "fff", "fff"),
    "start":     ("yyy", "yff", "fff", "fff"),
    "serve":     ("yyy", "yff", "fff", "fff"),
    "no-show":   ("yyy", "yff", "fff", "fff"),
    "requeue":   ("yyy", "yff", "fff", "fff"),
    "park":      ("yyy", "yff", "fff", "fff"),
    "resume":    ("yyy", "yff", "fff", "fff"),
    "transfer":  ("yyy", "yff", "yff", "fff"),
    "edit":      ("yyy", "yff", "yff", "fff"),
    "priority":  ("yyy", "yff", "fff", "fff"),
    "cancel":    ("yyy", "yff", "yff", "uuy"),
    "reinstate": ("yyy", "yff", "fff", "fff"),
    "undo":      ("yyy", "yff", "yff", "fff"),
    "expire":    ("fff", "fff", "fff", "fff"),
}  # fmt: skip
"""Staff and desk are of CW; y: may, f: ``forbidden``, u: ``unknown_token``."""

FOR_STAFF = ("yyy", "yff", "fff", "fff")
"""What a verb has that is not in the table."""

ROLES = (Role.ADMIN, Role.STAFF, Role.DESK, Role.CUSTOMER)


def principal(role: Role, *departments: str) -> Principal:
    return Principal("session", 1, str(role), role, frozenset(departments), user_id=OWN_TOKEN)


def caller(role: Role) -> Principal:
    return principal(role, *(("CW",) if role in (Role.STAFF, Role.DESK) else ()))


def token(department_id: str, user_id: int | None = None, state: TokenState = TokenState.WAITING) -> Token:
    room = Room(department_id)
    return replace(room.issue(department_id, user_id=user_id), state=state)


def outcome(check: Callable[[], None]) -> str:
    try:
        check()
    except Refused as refusal:
        return {ProblemCode.FORBIDDEN: "f", ProblemCode.UNKNOWN_TOKEN: "u"}[refusal.problem.code]
    return "y"


def ask(command: Command) -> None:
    handler_of(command).may_ask(command)


def decide(verb: str, role: Role, department_id: str, user_id: int) -> str:
    who = caller(role)
    match verb:
        case "issue":
            return outcome(lambda: ask(Issue(department_id, who, user_id)))
        case "call":
            return outcome(lambda: ask(CallNext(department_id, who, "1")))
        case _:
            return outcome(lambda: check_move(who, Verb(verb), token(department_id, user_id)))


@pytest.mark.parametrize("verb", ["issue", *map(str, VERBS)])
def test_each_role_may_do_what_the_table_says(verb: str) -> None:
    decided = tuple("".join(decide(verb, role, *place) for place in (HERE, ELSEWHERE, OWN_ELSEWHERE)) for role in ROLES)
    assert decided == MAY_DO.get(verb, FOR_STAFF)


def test_the_table_names_nothing_that_is_not_there() -> None:
    assert set(MAY_DO) <= {"issue", *map(str, VERBS)}
    assert {*ROLES, Role.BOARD} == set(Role) == set(MAY)


@pytest.mark.parametrize("verb", ["issue", *map(str, VERBS)])
def test_a_board_may_move_nothing_and_sees_no_token(verb: str) -> None:
    assert {decide(verb, Role.BOARD, *place) for place in (HERE, ELSEWHERE)} == {"f"}
    assert not sees(principal(Role.BOARD), token("CW"))
    assert owner_to_list(replace(principal(Role.BOARD), user_id=None), None) == 0


def test_a_board_watches_the_departments_of_its_key() -> None:
    """Asking for another one is refused, so that its board does not look empty; a key without any gets all."""
    lobby = principal(Role.BOARD, "CW", "LAB")
    assert departments_to_watch(lobby, ()) == {"CW", "LAB"}
    assert departments_to_watch(lobby, ["CW"]) == {"CW"}
    assert departments_to_watch(principal(Role.BOARD), ()) == departments_to_watch(caller(Role.STAFF), ()) == set()
    with refused(ProblemCode.FORBIDDEN, "does not include HR"):
        departments_to_watch(lobby, ["CW", "HR"])


@pytest.mark.parametrize("verb", VERBS)
def test_who_comes_in_by_a_verb_s_route_may_use_it_on_some_token(verb: Verb) -> None:
    """The gate and the decision stand in different places; neither may be wider than the other."""
    let_in = {role for role in ROLES if outcome(lambda role=role: check_role(caller(role), VERBS[verb].roles)) == "y"}
    may = {role for role in ROLES for place in (HERE, OWN_ELSEWHERE) if decide(verb, role, *place) == "y"}
    assert let_in == may


@pytest.mark.parametrize("role", [Role.STAFF, Role.DESK])
def test_who_is_of_no_department_in_particular_is_of_all(role: Role) -> None:
    everywhere = principal(role)
    assert outcome(lambda: check_move(everywhere, Verb.CANCEL, token("LAB"))) == "y"
    assert outcome(lambda: ask(Issue("LAB", everywhere))) == "y"


@pytest.mark.parametrize("state", TokenState)
@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.EDIT, Verb.TRANSFER])
def test_a_desk_cancels_edits_and_transfers_who_still_waits_and_nobody_else(verb: Verb, state: TokenState) -> None:
    """Where nobody can, a missing permission is not the reason."""
    asked = outcome(lambda: check_move(caller(Role.DESK), verb, token("CW", state=state)))
    is_for_staff = state in VERBS[verb].sources and state is not TokenState.WAITING
    assert asked == ("f" if is_for_staff else "y")


@pytest.mark.parametrize(("position", "may"), [("first", "f"), ("last", "y"), ("original", "y")])
def test_only_staff_of_a_department_put_a_token_first_there(position: str, may: str) -> None:
    command = TransferToken("CW", caller(Role.DESK), 1, "LAB", position=RequeuePosition(position))
    assert outcome(lambda: check_position(command.caller, command)) == may
    assert outcome(lambda: check_position(principal(Role.STAFF, "CW"), command)) == may
    assert outcome(lambda: check_position(principal(Role.STAFF, "LAB"), command)) == "y"


@pytest.mark.parametrize(
    ("by", "home", "may"), [("user:55", None, "y"), ("user:7", None, "f"), ("", None, "f"), ("user:55", "LAB", "f")]
)
def test_a_desk_takes_back_its_own_moves_only(by: str, home: str | None, may: str) -> None:
    """What staff did is theirs, and so is what nobody signed; a transfer is taken back to where the desk issues."""
    was = {"department_id": home} if home else {}
    moved = replace(token("CW"), undo=Undo("cancel", was, NOW, by))
    sent_away = replace(token("LAB"), undo=Undo("transfer", {"department_id": "CW"}, NOW, "user:55"))
    assert outcome(lambda: check_move(caller(Role.DESK), Verb.UNDO, moved)) == may
    assert outcome(lambda: check_move(caller(Role.DESK), Verb.UNDO, sent_away)) == "y"


@pytest.mark.parametrize(("home", "of_cw", "of_lab"), [("CW", "y", "f"), ("LAB", "f", "y"), (None, "f", "y")])
def test_an_undo_belongs_to_the_staff_of_where_it_leads(home: str | None, of_cw: str, of_lab: str) -> None:
    """A token is in LAB, taken from ``home`` by its last move, or moved inside of LAB."""
    was = {"department_id": home} if home else {}
    here = replace(token("LAB"), undo=Undo("transfer", was, NOW))
    decided = [
        outcome(lambda who=principal(Role.STAFF, name): check_move(who, Verb.UNDO, here)) for name in ("CW", "LAB")
    ]
    assert decided == [of_cw, of_lab]


@pytest.mark.parametrize(
    ("role", "priority", "force"), [(Role.STAFF, "y", "y"), (Role.DESK, "y", "f"), (Role.CUSTOMER, "f", "f")]
)
def test_favours_are_for_staff(role: Role, priority: str, force: str) -> None:
    """Desks give classes as they are told at the door, but no number outside the hours."""
    own = OWN_TOKEN if role is Role.CUSTOMER else None
    assert outcome(lambda: ask(Issue("CW", caller(role), own, priority=Priority.URGENT))) == priority
    assert outcome(lambda: ask(Issue("CW", caller(role), own, is_forced=True))) == force


def test_a_customer_s_token_is_that_customer_s() -> None:
    """Whoever is named, the letters go where the customer is registered; a key of that role is nobody."""
    asked = as_permitted(Issue("CW", caller(Role.CUSTOMER), None, "Somebody Else", "victim@example.com"))
    assert (asked.user_id, asked.name, asked.email) == (OWN_TOKEN, None, None)
    assert as_permitted(Issue("CW", caller(Role.DESK), 7, "Ada")).name == "Ada"
    nobody = replace(caller(Role.CUSTOMER), user_id=None)
    assert outcome(lambda: ask(Issue("CW", nobody))) == "f"


@pytest.mark.parametrize("command", [CallNext, ServeNext])
def test_calls_and_services_are_refused_before_anything_is_locked(command: type[CallNext | ServeNext]) -> None:
    assert outcome(lambda: ask(command("LAB", caller(Role.STAFF), "1"))) == "f"
    assert outcome(lambda: ask(CallByProfile(("CW", "LAB"), caller(Role.STAFF), "1"))) == "f"


def test_who_may_not_call_there_hears_that_before_what_is_missing() -> None:
    """A call out of order needs a reason, also in a department that is not there."""
    assert outcome(lambda: ask(CallToken("LAB", caller(Role.STAFF), "1", 1))) == "f"
    for department in ("CW", "NOPE"):
        with refused(ProblemCode.INVALID, "reason"):
            ask(CallToken(department, caller(Role.ADMIN), "1", 1))


@pytest.mark.parametrize(
    ("role", "sees_it", "sees_whose"),
    [(Role.ADMIN, "yyy", "yyy"), (Role.STAFF, "yyy", "yny"), (Role.DESK, "yyy", "nny"), (Role.CUSTOMER, "nny", "nny")],
)
def test_who_sees_a_token_and_who_sees_whose_it_is(role: Role, sees_it: str, sees_whose: str) -> None:
    tokens = [token(*place) for place in (HERE, ELSEWHERE, OWN_ELSEWHERE)]
    assert "".join("y" if sees(caller(role), one) else "n" for one in tokens) == sees_it
    assert "".join("y" if sees_person(caller(role), one) else "n" for one in tokens) == sees_whose


def test_a_token_without_an_owner_is_no_customer_s() -> None:
    """A key of that role has no user either: nobody is not the owner of what nobody owns."""
    nobody = replace(caller(Role.CUSTOMER), user_id=None)
    assert not sees(nobody, token("CW"))
    assert not sees_person(nobody, token("CW"))


def test_routes_know_no_roles() -> None:
    """What a role may is decided by the permissions; a route only says by which gate one comes in."""
    (folder,) = map(Path, tokenq_server.api.routes.__path__)
    found = [path.name for path in folder.glob("*.py") if re.search(r"\bRole\b|\.role is|FORBIDDEN", path.read_text())]
    assert not found
