"""HTTP by ``http.client``: one kept connection, bounded answers, no redirects, verified TLS.

A full HTTP library costs a one-shot command more start-up time than the request itself, and an API
client needs little of one.
"""

import http.client
import select
import ssl
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from tokenq.contract.certificates import OtherCertificate, fingerprint_of, pinned_context
from tokenq.contract.hosts import is_loopback
from tokenq.errors import BadReply, BadSettings, ChangedCertificate, TokenqError, Unreachable, UntrustedCertificate
from tokenq.locale import N_

DEFAULT_TIMEOUT = 10.0
MAX_REPLY_BYTES = 16 * 1024 * 1024
_SHORTEST = 0.05
_PERHAPS_TLS = N_(
    "Is it running ('tokenq up --status')? If it speaks TLS ('up --lan'), its address begins with https://."
)
_NO_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")


class NothingSent(Unreachable):
    """The server cannot be reached."""


class CutOff(Unreachable):
    """The connection to the server was lost before its answer came."""


@dataclass(frozen=True)
class Server:
    """Where the API is and as whom to speak to it.

    ``timeout`` is in seconds, for connecting and for each wait for data. ``insecure`` allows plain
    http to another machine, where anyone on the network path can read the token. ``fingerprint`` is that of
    the only certificate to trust; without one, authorities decide that this machine trusts.
    """

    url: str
    token: str | None = None
    timeout: float = DEFAULT_TIMEOUT
    insecure: bool = False
    fingerprint: str | None = None

    def trust(self) -> ssl.SSLContext:
        """Return how to check the certificate of an https server."""
        return pinned_context(self.fingerprint) if self.fingerprint else ssl.create_default_context()

    def split(self) -> tuple[str, str, int, str]:
        """Scheme, host, port and path prefix of ``url``.

        Raises:
            BadSettings: the address is not usable, or is plain http to another machine.
        """
        try:
            parts = urlsplit(self.url)
            port = parts.port
        except ValueError:
            raise _bad_address(self.url) from None
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
            raise _bad_address(self.url)
        if parts.scheme == "http" and not self.insecure and not is_loopback(host):
            raise BadSettings(
                f"Plain http to {host} would expose passwords and tokens on the network.",
                "Use an https:// address, or set TOKENQ_INSECURE=1 if you trust the network.",
            )
        return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")


class Reply(NamedTuple):
    """An answer as it came: header names in lower case, the body whole."""

    status: int
    headers: dict[str, str]
    body: bytes


class Transport:
    """One connection to one server, opened on first use and kept; for one thread at a time."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._scheme, self._host, self._port, self._prefix = server.split()
        self._connection: http.client.HTTPConnection | None = None

    def exchange(
        self, method: str, target: str, body: bytes | None, headers: dict[str, str], *, timeout: float | None = None
    ) -> Reply:
        """Send one request and read its answer; ``timeout`` is in seconds (nothing: the server's).

        Raises:
            NothingSent: no connection came about, so nothing can have happened.
            CutOff: the connection broke or went silent after the request was under way.
            BadReply: the answer is no HTTP or larger than 16 MiB, or the server's certificate is not trusted.
        """
        seconds = self.server.timeout if timeout is None else max(timeout, _SHORTEST)
        connection = self._open(seconds)
        try:
            connection.request(method, self._prefix + target, body, headers)
            response = connection.getresponse()
            content = response.read(MAX_REPLY_BYTES + 1)
        except TimeoutError:
            self.close()
            sentence = N_("{url} did not answer within {seconds} seconds.")
            raise CutOff(sentence, url=self.server.url, seconds=f"{seconds:.3g}") from None
        except (OSError, http.client.RemoteDisconnected, http.client.IncompleteRead):
            self.close()
            hint = _PERHAPS_TLS if self._scheme == "http" else ""
            sentence = N_("The connection to {url} was lost before its answer came.")
            raise CutOff(sentence, hint, url=self.server.url) from None
        except http.client.HTTPException:
            self.close()
            raise BadReply(N_("{url} does not speak HTTP."), url=self.server.url) from None
        if len(content) > MAX_REPLY_BYTES:
            self.close()
            raise BadReply(
                N_("The answer of {url} is larger than {size} MiB."), url=self.server.url, size=MAX_REPLY_BYTES >> 20
            )
        if response.will_close:
            self.close()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def close(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is not None and _is_dropped(self._connection):
            self.close()
        if self._connection is None:
            connection = self._make(timeout)
            try:
                connection.connect()
            except ssl.SSLError as error:
                raise failed_handshake(self.server, error) from None
            except (OSError, UnicodeError) as error:
                reason = getattr(error, "strerror", None) or str(error) or "no answer"
                raise NothingSent(N_("Cannot reach {url}: {why}."), url=self.server.url, why=reason) from None
            self._connection = connection
        elif self._connection.sock is not None:
            self._connection.sock.settimeout(timeout)
        return self._connection

    def _make(self, timeout: float) -> http.client.HTTPConnection:
        if self._scheme == "http":
            return http.client.HTTPConnection(self._host, self._port, timeout=timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self.server.trust())


def failed_handshake(server: Server, error: ssl.SSLError) -> TokenqError:
    """Return what people need to know about a TLS connection that did not come about; nothing was sent over it."""
    if isinstance(error, OtherCertificate):
        return ChangedCertificate(
            N_(
                "The certificate of {url} has changed: this machine knows {known}, but the server shows {found}. "
                "Nothing was sent."
            ),
            N_(
                "Somebody may be intercepting the connection. If the server really has a new certificate, compare the "
                "fingerprint there ('tokenq up --status') and run: tokenq login {url} --fingerprint SHA256:... (with "
                "--key and a new key, if this machine signs in by one; or --fingerprint none, if an authority has "
                "signed it now)"
            ),
            url=server.url,
            known=server.fingerprint,
            found=error.found,
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return UntrustedCertificate(
            N_("The certificate of {url} is not trusted: {why}."),
            N_(
                "If it is tokenq's own, 'tokenq login {url}' shows its fingerprint. Otherwise install the authority's "
                "certificate, or point SSL_CERT_FILE to it."
            ),
            url=server.url,
            why=error.verify_message.rstrip("."),
        )
    if error.reason in _NO_TLS:
        return BadReply(
            N_("{url} does not speak TLS."), N_("If the server speaks plain http, write http://."), url=server.url
        )
    sentence = N_("Cannot reach {url}: the TLS connection failed ({why}).")
    return NothingSent(sentence, url=server.url, why=error.reason or error)


def offered_fingerprint(server: Server) -> str:
    """Return the fingerprint of the certificate that the server shows, trusted or not.

    Raises:
        NothingSent: it shows none.
    """
    _, host, port, _ = server.split()
    try:
        shown = ssl.get_server_certificate((host, port), timeout=server.timeout)
    except (OSError, UnicodeError) as error:
        raise NothingSent(N_("Cannot reach {url}: {why}."), url=server.url, why=error) from None
    return fingerprint_of(ssl.PEM_cert_to_DER_cert(shown))


def _is_dropped(connection: http.client.HTTPConnection) -> bool:
    """Return whether an idle connection was closed: readable data can only be its end."""
    if connection.sock is None:
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


def _bad_address(url: str) -> BadSettings:
    return BadSettings(f"'{url}' is not the address of a server.", "It looks like http://127.0.0.1:8080.")
