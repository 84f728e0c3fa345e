"""What can go wrong on the way to the server, beside a refusal by the server itself.

A refusal is :class:`tokenq.contract.problems.Refused`; the classes here are failures before or after
the server could answer. A class's docstring is its default sentence.
"""

from collections.abc import Mapping


class TokenqError(Exception):
    """Something went wrong in tokenq's client. ``hint`` says what to do next, if there is more to say than usual.

    With ``values``, sentence and hint are templates that are filled with them. Screens translate those that are marked
    by ``N_``.
    """

    def __init__(self, sentence: str = "", hint: str = "", **values: object) -> None:
        self.source = sentence or (type(self).__doc__ or "").splitlines()[0]
        self.hint_source = hint
        self.values = values
        super().__init__(_filled(self.source, values))

    @property
    def hint(self) -> str:
        """The hint in English."""
        return _filled(self.hint_source, self.values)


class Unreachable(TokenqError):
    """The server cannot be reached.

    ``is_unsure``: a change was under way, and whether it was carried out is unknown. ``key`` is its idempotency key.
    """

    is_unsure = False
    key: str | None = None

    @property
    def url(self) -> str:
        """The server's address; empty if it is not known."""
        return str(self.values.get("url", ""))


class InterruptedChange(TokenqError):
    """Interrupted.

    By Ctrl-C while a change was under way: whether it was carried out is unknown. ``key`` is its idempotency key.
    """

    key: str | None = None


class OutputLost(TokenqError):
    """The output could not be written."""


class PrinterFailed(OutputLost):
    """The printer did not print."""


class BadReply(TokenqError):
    """The answer is not one a tokenq server gives."""


class OlderServer(BadReply):
    """The server is of an older release, which cannot do this."""


class UntrustedCertificate(BadReply):
    """No authority that this machine trusts has signed the server's certificate."""


class ChangedCertificate(BadReply):
    """The server has another certificate than the one this machine knows."""


class BadSettings(TokenqError):
    """A setting is wrong."""


class StreamLost(TokenqError):
    """The event stream was cut off."""


class Missing(TokenqError):
    """A part of tokenq is not installed."""


def _filled(template: str, values: Mapping[str, object]) -> str:
    return template.format_map(values) if values else template
