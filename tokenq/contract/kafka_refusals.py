"""Why a Kafka cluster refuses a client, in one sentence, and which settings to correct.

The library tells a refused login or certificate to a callback alone; the calls themselves only time out.
"""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from tokenq.contract.kafka_access import KafkaAccess

_FRESH = 15.0
"""Seconds for which a refusal explains a client's failures. The library tries again at least every ten seconds."""
SETTLED = 1.0
"""Seconds after which connections that just end need an explanation: a broker that crashed refuses new ones by then."""
_SOURCE = re.compile(
    r"^([a-z_]+://\S+|SASL authentication error|SSL handshake failed|Receive failed|error:[0-9A-F]+:SSL routines:): ?"
)
"""What the library puts before the reason."""
_TIMING = re.compile(r" \(after \d+ms in state \w+.*$", re.DOTALL)


class Refusal(NamedTuple):
    """Why the brokers refuse a client, and what to do about it."""

    sentence: str
    hint: str


class Refusals:
    """Remembers the last refusal that the library reported."""

    def __init__(self, access: KafkaAccess, now: Callable[[], float] = time.monotonic) -> None:
        self._access = access
        self._now = now
        self._last: Refusal | None = None
        self._heard_at = self._unreachable_at = -_FRESH
        self._ended_at: float | None = None

    def hear(self, error: str, detail: str) -> Refusal | None:
        """Take in what the library reports; return the refusal if it is one.

        Args:
            error: the library's name of the error, such as ``_AUTHENTICATION``.
            detail: its text.
        """
        refusal = self._refusal(error, _TIMING.sub("", detail))
        if refusal is not None:
            self.forget()
            self._last, self._heard_at = refusal, self._now()
        elif error == "_TRANSPORT":
            self.forget()
            self._unreachable_at = self._now()
        elif error == "_ALL_BROKERS_DOWN" and not self._is_explained():
            self._ended_at = self._now()
        return refusal

    def forget(self) -> None:
        """The brokers accept the client, or there is another reason why they do not."""
        self._last = self._ended_at = None

    @property
    def is_unsettled(self) -> bool:
        """Whether the connections have just ended, and the reason may come within ``SETTLED`` seconds."""
        return self._ended_at is not None and self._now() - self._ended_at < SETTLED

    @property
    def last(self) -> Refusal | None:
        """The refusal of just now; ``None`` if there was none."""
        if self._ended_at is not None and not self.is_unsettled:
            return self._without_reason()
        return self._last if self._now() - self._heard_at < _FRESH else None

    def _refusal(self, error: str, detail: str) -> Refusal | None:
        while _SOURCE.match(detail):
            detail = _SOURCE.sub("", detail)
        if error == "_AUTHENTICATION":
            return Refusal(
                f"Kafka refuses the login of {self._access.user}: {detail}",
                "Correct TOKENQ_KAFKA_SASL_USERNAME, TOKENQ_KAFKA_SASL_PASSWORD or TOKENQ_KAFKA_SASL_MECHANISM.",
            )
        if error == "_SSL" and "certificate verify failed" in detail:
            known = self._access.ca or "the system's authorities"
            return Refusal(
                f"Kafka's certificate cannot be verified with {known}",
                "Set TOKENQ_KAFKA_CA to the authority that signed the brokers' certificates, and name the brokers in"
                " TOKENQ_KAFKA_BOOTSTRAP as the certificates do.",
            )
        if error == "_TRANSPORT" and "SSL alert" in detail:
            return Refusal(
                f"Kafka {'refuses the' if self._access.cert else 'demands a'} certificate of this client: {detail}",
                "Correct TOKENQ_KAFKA_CERT and TOKENQ_KAFKA_KEY.",
            )
        if error == "_SSL":
            return Refusal(f"The TLS connection to Kafka fails: {detail}", "Correct TOKENQ_KAFKA_SECURITY_PROTOCOL.")
        return None

    def _is_explained(self) -> bool:
        return self.last is not None or self._now() - self._unreachable_at < _FRESH

    def _without_reason(self) -> Refusal:
        """The brokers end each connection without an error: all that a TLS port tells a client without TLS."""
        access = self._access
        return Refusal(
            f"Kafka at {access.bootstrap} ends each connection: it may not accept {access.security_protocol}",
            "Correct TOKENQ_KAFKA_SECURITY_PROTOCOL or TOKENQ_KAFKA_BOOTSTRAP.",
        )


def forbidden(access: KafkaAccess, error: str, detail: str) -> Refusal | None:
    """Return the refusal if a call failed for want of a permission."""
    if not error.endswith("_AUTHORIZATION_FAILED"):
        return None
    return Refusal(
        f"Kafka does not permit {access.user} to do this: {detail.removeprefix('Broker: ')}",
        "Give this user its permissions: deploy/kafka/acls.sh.",
    )
