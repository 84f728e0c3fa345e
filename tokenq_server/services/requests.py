"""Requests to a batch and their answers, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tokenq.contract.problems import Refused
from tokenq.contract.views import TokenView
from tokenq_server.domain.commands import Command
from tokenq_server.json_text import json_text


@dataclass(frozen=True)
class Request:
    """A command and, if it may be repeated, its idempotency key and the key's owner.

    ``refusal``: it gets its answer if it was executed before, and else this: a limit forbids to execute it now.
    """

    command: Command
    principal: str = ""
    key: str | None = None
    fingerprint: bytes = b""
    refusal: Refused | None = None


@dataclass(frozen=True)
class Answer:
    """The answer: the token in its current state, those of a group, or nothing if the command is about no token.

    ``is_new``: the request created it; ``is_repeat``: the same answer was given before.
    """

    token: TokenView | None = None
    is_new: bool = False
    is_repeat: bool = False
    group: tuple[TokenView, ...] = ()

    @property
    def body(self) -> Mapping[str, Any] | None:
        """The answer as a JSON object."""
        return {"items": list(self.group), "nextCursor": None} if self.group else self.token

    @cached_property
    def text(self) -> str:
        """The same as JSON text, made once; empty if there is nothing."""
        return "" if self.body is None else json_text(self.body)


Outcome = Answer | Refused
