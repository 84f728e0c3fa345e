"""Editing: correct the name or the e-mail address of a token; it keeps its state and its place."""

from tokenq.contract.verbs import Verb
from tokenq_server.domain.commands import EditToken
from tokenq_server.domain.copies import replace
from tokenq_server.domain.department_session import DepartmentSession
from tokenq_server.domain.moving import check_claim, check_table
from tokenq_server.domain.token import Token


def edit(session: DepartmentSession, command: EditToken) -> Token:
    """Correct a token; its event names the changed fields, never their values. Nothing to change is no event.

    An edit cannot be undone: ``undo`` reverses the move before it and keeps what was corrected.

    Raises:
        Refused: ``unknown_token``, ``stale_claim``, ``wrong_state``.
    """
    token = session.token(command.token_id)
    check_claim(token, command.claim_version)
    check_table(token, Verb.EDIT)
    edited = replace(token, name=_corrected(token.name, command.name), email=_corrected(token.email, command.email))
    changed = [field for field in ("name", "email") if getattr(edited, field) != getattr(token, field)]
    if not changed:
        return token
    edited = replace(edited, near_turn=_near_turn(session, token, edited), is_erased=False)
    return session.move(token, edited, Verb.EDIT, command.caller, {"fields": changed})


def _corrected(old: str | None, typed: str | None) -> str | None:
    return old if typed is None else typed or None


def _near_turn(session: DepartmentSession, token: Token, edited: Token) -> int:
    """A notification that cannot be sent is not worth an event; a first address gets the department's default."""
    if edited.email is None:
        return 0
    return token.near_turn if token.email else session.department.rules.near_turn
