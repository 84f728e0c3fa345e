"""The client: one method per operation of the API."""

from typing import TYPE_CHECKING, Any

from tokenq.client.admin_calls import PeopleCalls, PlaceCalls
from tokenq.client.calls import ATTEMPTS
from tokenq.client.counter_calls import CounterCalls
from tokenq.client.floor_calls import FloorCalls
from tokenq.client.queue_calls import QueueCalls
from tokenq.client.report_calls import ReportCalls
from tokenq.client.token_calls import TokenCalls
from tokenq.client.transport import DEFAULT_TIMEOUT, Server
from tokenq.contract.hosts import normal_url
from tokenq.contract.paths import HEALTHZ, LOGIN, LOGOUT, ME, PASSWORD, READYZ

if TYPE_CHECKING:
    from tokenq.contract.views import LoginView, MeView


class Client(QueueCalls, TokenCalls, CounterCalls, ReportCalls, FloorCalls, PlaceCalls, PeopleCalls):
    """Calls one server as one user, over a persistent connection.

    One thread at a time may use a client; other threads use a :meth:`clone`. Every method returns the server's view
    and raises ``Refused`` if the server refuses, ``Unreachable`` if it cannot be reached, and ``BadReply`` if the
    response is not a tokenq server's.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        insecure: bool = False,
        fingerprint: str | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__(Server(normal_url(url), token, timeout, insecure, fingerprint), attempts)

    def clone(self, *, timeout: float | None = None, attempts: int | None = None) -> "Client":
        """The same client with a connection of its own, for another thread; with another patience, if given."""
        server = self.server
        return Client(
            server.url,
            server.token,
            server.timeout if timeout is None else timeout,
            insecure=server.insecure,
            fingerprint=server.fingerprint,
            attempts=self.attempts if attempts is None else attempts,
        )

    def login(self, username: str, password: str) -> "LoginView":
        """Start a session; the caller keeps its token."""
        view: LoginView = self.post(LOGIN, {"username": username, "password": password})
        return view

    def logout(self) -> None:
        """End the session whose token this client carries."""
        self.post(LOGOUT)

    def me(self) -> "MeView":
        """Return the signed-in user or key."""
        view: MeView = self.get(ME)
        return view

    def change_password(self, old: str, new: str) -> None:
        """Give the signed-in user a new password."""
        self.post(PASSWORD, {"oldPassword": old, "newPassword": new})

    def health(self) -> dict[str, Any]:
        """Return a response as soon as the server process runs."""
        body: dict[str, Any] = self.get(HEALTHZ)
        return body

    def ready(self) -> dict[str, Any]:
        """Return whether the server and the stores it needs are ready."""
        body: dict[str, Any] = self.get(READYZ)
        return body
