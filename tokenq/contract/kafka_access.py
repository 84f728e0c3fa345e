"""How a Kafka cluster is reached: its address, and the login and TLS files that it asks for.

Every client of the product, in the server's programs and in the board, gets its settings here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tokenq.contract.problems import Refused, refuse
from tokenq.contract.reasons.system import SettingReason

PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

_PREFIX = "TOKENQ_KAFKA_"


@dataclass(frozen=True)
class KafkaAccess:
    """A cluster and the way into it. The settings ``TOKENQ_KAFKA_…`` are named after the fields.

    ``ca``, ``cert`` and ``key`` are PEM files: the authority that signed the brokers' certificates (empty: those that
    the system trusts), and this client's own certificate and key, if the brokers ask for them.
    """

    bootstrap: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = field(default="", repr=False)
    ca: str = ""
    cert: str = ""
    key: str = ""

    @classmethod
    def of(cls, bootstrap: str, settings: Mapping[str, Any]) -> "KafkaAccess":
        """Return the access that the settings ``kafka_…`` describe; ``None`` stands for the default.

        Raises:
            Refused: as ``check``.
        """
        names = [each.name for each in fields(cls) if each.name != "bootstrap"]
        values = {name: settings[f"kafka_{name}"] for name in names}
        return cls(bootstrap, **{name: value for name, value in values.items() if value is not None}).check()

    @property
    def user(self) -> str:
        """Who the brokers are asked to let in, for a sentence."""
        if self.has_login:
            return self.sasl_username
        return "this client's certificate" if self.cert else "a client without a login"

    @property
    def has_login(self) -> bool:
        """Whether the client logs in with a name and a password."""
        return self.security_protocol.startswith("SASL_")

    @property
    def has_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.security_protocol.endswith("SSL")

    def check(self) -> "KafkaAccess":
        """Return itself.

        Raises:
            Refused: ``invalid``; the settings contradict each other, or a file cannot be read or holds something else.
        """
        if self.security_protocol not in PROTOCOLS:
            raise _wrong("security_protocol", f"it is one of {', '.join(PROTOCOLS)}")
        self._check_login()
        self._check_files()
        return self

    def client_settings(self) -> dict[str, str]:
        """Return what the library needs to connect, by its own names."""
        settings = {"bootstrap.servers": self.bootstrap, "security.protocol": self.security_protocol}
        if self.has_login:
            settings |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.sasl_username,
                "sasl.password": self.sasl_password,
            }
        files = {
            "ssl.ca.location": self.ca,
            "ssl.certificate.location": self.cert,
            "ssl.key.location": self.key,
        }
        return settings | {name: path for name, path in files.items() if path}

    def _check_login(self) -> None:
        if not self.has_login:
            if self.sasl_username or self.sasl_password:
                raise _wrong("security_protocol", "with a user name it is SASL_SSL or SASL_PLAINTEXT")
            return
        if self.sasl_mechanism not in MECHANISMS:
            raise _wrong("sasl_mechanism", f"it is one of {', '.join(MECHANISMS)}")
        for name in ("sasl_username", "sasl_password"):
            if not getattr(self, name):
                raise _wrong(name, f"{self.security_protocol} needs it")

    def _check_files(self) -> None:
        for name in ("ca", "cert", "key"):
            path = getattr(self, name)
            if path and not self.has_tls:
                raise _wrong("security_protocol", f"with {_PREFIX}{name.upper()} it is SASL_SSL or SSL")
            if path and (fault := _fault_of(Path(path))):
                raise _wrong(name, fault)
        if bool(self.cert) != bool(self.key):
            raise _wrong("key" if self.cert else "cert", "a certificate and its key come together")
        if self.has_tls and (self.ca or self.cert):
            self._check_certificates()

    def _check_certificates(self) -> None:
        """The library would refuse these files only when it connects, in terms of its own."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self.ca:
            try:
                context.load_verify_locations(self.ca)
            except ssl.SSLError:
                raise _wrong("ca", f"{self.ca} holds no certificate in PEM format") from None
        if self.cert:
            try:
                context.load_cert_chain(self.cert, self.key, password="")
            except (ssl.SSLError, ValueError):
                fault = f"{self.cert} and {self.key} are no certificate and its unencrypted key in PEM format"
                raise _wrong("cert", fault) from None


def _wrong(name: str, fault: str) -> Refused:
    return refuse(SettingReason.WRONG, name=f"{_PREFIX}{name.upper()}", fault=fault)


def _fault_of(path: Path) -> str:
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
