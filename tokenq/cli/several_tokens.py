"""A verb on one or several tokens: each is tried, and each has an answer of its own."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from tokenq.cli import output
from tokenq.cli.context import command_for, connect, is_repeated
from tokenq.cli.exits import Failure, WrongUse, echo, explain, say
from tokenq.cli.tokens import show_after
from tokenq.client import Client
from tokenq.contract.problems import ExitCode, ProblemCode, Refused
from tokenq.contract.verbs import Verb
from tokenq.errors import OutputLost, TokenqError

if TYPE_CHECKING:
    from tokenq.contract.views import TokenView

Move = Callable[[Client, "TokenView"], "TokenView"]
"""Applies the verb to a token as last seen; returns the token after it."""


def move_each(references: Sequence[str], verb: Verb, move: Move, *, as_json: bool) -> None:
    """Find each token, move it, and show it or why it was refused. After Ctrl-C the rest is not tried.

    Raises:
        Refused, TokenqError: the only token could not be moved.
        typer.Exit: of several tokens, one could not; with the highest exit code.
        WrongUse: several tokens with the idempotency key of one.
    """
    if len(references) == 1:
        client = connect()
        token = client.find_token(references[0])
        show_after(client, token, move(client, token), as_json=as_json)
        return
    if is_repeated():
        raise WrongUse("An idempotency key applies to a single token.", "Name only that token.")
    answers = _Answers(connect(), verb, as_json=as_json)
    for index, reference in enumerate(references):
        answers.add(reference, move)
        if answers.exit_code == ExitCode.INTERRUPTED:
            answers.leave_out(references[index + 1 :])
            break
    answers.finish()


class _Answers:
    """What has become of each token so far."""

    def __init__(self, client: Client, verb: Verb, *, as_json: bool) -> None:
        self.exit_code = int(ExitCode.OK)
        self._client = client
        self._verb = verb
        self._as_json = as_json
        self._items: list[Any] = []
        self._index: dict[int, int] = {}
        self._is_untouched = True
        self._held: list[tuple[BaseException, Failure, str]] = []
        self._lost: Exception | None = None

    def add(self, reference: str, move: Move) -> None:
        """Move a token, and show the answer. Raises Refused if a department is not known and nothing was done yet."""
        name = reference
        try:
            token = self._client.find_token(reference)
            name = token["displayNumber"]
            if token["tokenId"] in self._index:
                self._repeat(reference, name, self._items[self._index[token["tokenId"]]])
                return
            self._index[token["tokenId"]] = len(self._items)
            self._show(token, move(self._client, token))
        except (Refused, TokenqError, KeyboardInterrupt) as error:
            is_refusal = isinstance(error, Refused) and "idempotencyKey" not in error.problem.extra
            is_unknown = isinstance(error, Refused) and error.problem.code is ProblemCode.UNKNOWN_DEPARTMENT
            if is_unknown and is_refusal and self._is_untouched:
                raise  # it may be a name: the command is run again with the id
            self._fail(error, reference, name, is_refusal=is_refusal)

    def leave_out(self, references: Sequence[str]) -> None:
        """Name the tokens that are not tried any more."""
        self._say_held()
        left = Failure("interrupted", "Not tried.", "", ExitCode.INTERRUPTED)
        self._items.extend({"token": reference, **left.document} for reference in references)
        if references:
            echo(f"Not tried: {', '.join(references)}.")

    def finish(self) -> None:
        """Print the answers for scripts, and exit if one of them is a failure."""
        self._say_held()
        if self._as_json:
            output.document({"items": self._items})
        if self.exit_code:
            raise typer.Exit(self.exit_code)
        if self._lost:
            raise self._lost

    def _show(self, before: "TokenView", after: "TokenView") -> None:
        self._items.append(after)
        self._is_untouched = False
        self._say_held()
        if self._as_json or self._lost:
            return
        try:
            show_after(self._client, before, after, as_json=False)
        except (output.ReaderGone, OutputLost) as error:
            self._lost = error  # the other tokens are moved nevertheless

    def _repeat(self, reference: str, name: str, item: Any) -> None:
        """Answer for a token that was given before with its first answer; it is not moved again."""
        self._items.append({**item, "token": reference} if "error" in item else item)
        self._say_held()
        echo(f"{name} was given twice; the second is ignored.")

    def _fail(self, error: BaseException, reference: str, name: str, *, is_refusal: bool) -> None:
        failure = explain(error, command_for(str(self._verb), reference))
        self._items.append({"token": reference, **failure.document})
        self.exit_code = max(self.exit_code, failure.exit_code)
        self._is_untouched = self._is_untouched and is_refusal
        self._held.append((error, failure, name))
        if not self._is_untouched:
            self._say_held()

    def _say_held(self) -> None:
        """Report the refusals so far. While nothing has been done they wait, since the command may be run again."""
        for error, failure, name in self._held:
            say(error, failure, name)
        self._held.clear()
