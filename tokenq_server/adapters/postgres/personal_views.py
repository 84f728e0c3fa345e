"""Rows about a person in the API's format."""

import json
from typing import Any

from tokenq.contract.personal_views import PersonalLetterView, PersonalTokenView
from tokenq_server.adapters.postgres.rows import Row
from tokenq_server.domain.free_text import with_note
from tokenq_server.services.views import instant


def token_view(row: Row) -> PersonalTokenView:
    """A token."""
    return {
        "tokenId": row["token_id"],
        "displayNumber": row["display"].rstrip(),
        "departmentId": row["department_id"],
        "businessDay": row["day"].isoformat(),
        "state": row["state"],
        "userId": row["user_id"],
        "name": row["name"],
        "email": row["email"],
        "issuedAt": instant(row["issued_at"]) or "",
        "servedAt": instant(row["served_at"]),
    }


def event_view(row: Row) -> dict[str, Any]:
    """An entry of the log with its free text."""
    return with_note(json.loads(row["payload"]), row["note"])


def letter_view(row: Row) -> PersonalLetterView:
    """A notification."""
    return {
        "departmentId": row["department_id"],
        "seq": row["seq"],
        "kind": row["kind"],
        "channel": row["channel"],
        "recipient": row["recipient"],
        "state": row["state"],
        "createdAt": instant(row["created_at"]) or "",
        "sentAt": instant(row["sent_at"]),
        "error": row["last_error"],
    }
