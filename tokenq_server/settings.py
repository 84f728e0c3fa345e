"""Settings of the server's programs, by environment (``TOKENQ_…``) or by the TOML file of ``TOKENQ_CONFIG``."""

import os
import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq_server import failpoints
from tokenq_server.database_access import USUAL_THRESHOLD, DatabaseAccess, read_threshold
from tokenq_server.destinations import Gateway, MailServer, gateway_of, mail_server_of
from tokenq_server.proxy_networks import parse_networks
from tokenq_server.setting_faults import refusal_of

_DEFAULT_DATABASE = "postgresql://tokenq@127.0.0.1:5432/tokenq"


def _limit(value: Any) -> Any:
    return 0 if str(value).strip().lower() == "off" else value


Limit = Annotated[int, BeforeValidator(_limit), Field(ge=0, le=1_000_000)]
"""How much is allowed; 0 or ``off``: without limit."""


class ServerSettings(BaseSettings):
    """Settings of API, relay, notify and the maintenance commands. Secrets are masked in text."""

    model_config = SettingsConfigDict(env_prefix="TOKENQ_", extra="ignore", frozen=True)

    env: Literal["production", "development"] = "production"
    """``production`` refuses a database that may lose acknowledged data, and a Redis that evicts."""
    strict: bool = False
    """Whether production also refuses what is only logged for one release."""
    host: str = "127.0.0.1"
    """The address the API listens on."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port the API listens on."""
    tls_cert: Path | None = None
    """A PEM file with the API's certificate, for https; empty: plain http."""
    tls_key: Path | None = None
    """A PEM file with the key of that certificate, if it is not in the same file."""
    trusted_proxies: str = ""
    """Trusted proxies whose X-Forwarded-For and X-Forwarded-Proto are used: addresses and networks, comma-separated."""
    database_url: SecretStr = SecretStr(_DEFAULT_DATABASE)
    """PostgreSQL, the authoritative store: ``postgresql://user:password@host:port/database``."""
    owner_database_url: SecretStr = SecretStr("")
    """The same database as the owner of its tables, to migrate it; if empty, ``database_url``."""
    prepare_threshold: Annotated[int | None, BeforeValidator(read_threshold)] = USUAL_THRESHOLD
    """After how many executions in a session PostgreSQL keeps a statement prepared; ``off``: never."""
    redis_url: SecretStr = SecretStr("redis://127.0.0.1:6379/0")
    """Redis or Valkey, for the queues: ``redis://``, ``rediss://``, ``unix://``, ``redis+cluster://``."""
    redis_functions_url: SecretStr = SecretStr("")
    """The same Redis as a user that may load functions; if empty, ``redis_url``."""
    kafka_bootstrap: str = "127.0.0.1:9092"
    """Kafka brokers, ``host:port``, comma-separated."""
    kafka_security_protocol: str = "PLAINTEXT"
    """How to connect to Kafka: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    kafka_sasl_mechanism: str = "SCRAM-SHA-512"
    """How to log in to Kafka: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    kafka_sasl_username: str = ""
    """The user of a SASL login."""
    kafka_sasl_password: SecretStr = SecretStr("")
    """The user's password."""
    kafka_ca: str = ""
    """A PEM file of the authority that signed the brokers' certificates; empty: those the system trusts."""
    kafka_cert: str = ""
    """A PEM file with this client's own certificate, if the brokers ask for one."""
    kafka_key: str = ""
    """A PEM file with the key of that certificate."""
    kafka_partitions: int = Field(default=3, ge=1, le=1000)
    """Number of partitions of a newly created ``token-events``; never change it in place."""
    kafka_embedded: bool = False
    """Whether the broker is the memory-only one of ``tokenq up``."""
    kafka_fetch_wait_ms: int = Field(default=300, ge=1, le=5000)
    """How long the broker may delay a fetch, in milliseconds."""
    events_email: Literal["plain", "omit"] = "plain"
    """Whether events contain the customer's e-mail address."""
    templates: Path | None = None
    """A folder of templates that come before ours: ``email/called/body.txt``, ``email/de/called/body.txt``."""
    webhook_url: SecretStr = SecretStr("")
    """Where notifications are posted besides e-mails, such as a gateway of text messages; empty: nowhere."""
    webhook_secret: SecretStr = SecretStr("")
    """What signs them: ``whsec_`` and 24 to 64 bytes as base64."""
    smtp_url: SecretStr = SecretStr("")
    """``smtp://user:password@host:port``, ``smtp+starttls://`` or ``smtps://``; if empty, .eml files are written."""
    mail_from: str = "tokenq@localhost.localdomain"
    """The sender of every e-mail."""
    mail_outbox: Path | None = None
    """The folder for .eml files if no mail server is set."""
    dead_letters: int = Field(default=1000, ge=1, le=1_000_000)
    """How many unreadable or unknown records are kept as dead letters; older ones are only counted."""
    data_dir: Path = Path("/var/lib/tokenq")
    """The data folder of ``tokenq up``."""
    migrate: bool = False
    """Whether the API migrates the schema when it starts."""
    admin_token_file: Path | None = None
    """A file in which the API keeps a valid admin key, and beside it the first admin's password."""
    max_body_bytes: int = Field(default=256 * 1024, ge=1024)
    """The largest request body, in bytes."""
    limit_logins: Limit = 10
    """Wrong passwords of one account from one address; each further one costs a wait of up to five minutes."""
    limit_logins_per_source: Limit = 50
    """The same from one address, of any accounts."""
    limit_logins_per_account: Limit = 100
    """The same of one account, from all addresses from which its user has not logged in; waits of up to a minute."""
    limit_public_requests: Limit = 1200
    """Requests per minute from one address to what needs no login, except health checks."""
    limit_staff_issues: Limit = 600
    """Numbers per minute that an account of staff or a key issues."""
    limit_customer_issues: Limit = 20
    """Numbers per day that a customer takes in one department."""
    limit_customer_requests: Limit = 60
    """Requests per minute in which a customer asks for a number."""
    limit_visitor_issues: Limit = 60
    """Numbers per hour that visitors take without a login from one address, where a department lets them."""
    limit_letters: Limit = 30
    """E-mails per hour to one address; further ones become dead letters."""
    docs: bool = True
    """Whether /docs and /openapi.json are served."""
    keep_audit_days: int = Field(default=365, ge=1, le=36_500)
    """How many days security events are kept."""
    keep_personal_days: Annotated[int, BeforeValidator(_limit), Field(ge=0, le=36_500)] = 0
    """How many business days names, addresses and free text of final tokens are kept; 0 or ``off``: for ever."""
    keep_events_days: Annotated[int, BeforeValidator(_limit), Field(ge=0, le=36_500)] = 0
    """How many business days the log of events is kept in PostgreSQL; 0 or ``off``: for ever."""
    relay_listen: str = Field(default="", examples=["127.0.0.1:9101"])
    """Where the relay can be watched, ``host:port``: /healthz, /readyz and /metrics; empty: nowhere."""
    notify_listen: str = Field(default="", examples=["127.0.0.1:9102"])
    """The same of notify."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least important log lines that are written."""
    log_format: Literal["json", "text"] = "json"
    """How log lines are written: ``json``, or ``text`` for people."""
    failpoints: str = ""
    """Failpoints for tests of durability: ``issue.after_commit=kill:0.01``."""

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _is_of_postgres(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        text = url.get_secret_value()
        if not text and info.field_name == "owner_database_url":
            return url
        if not text.startswith(("postgresql://", "postgres://")):
            raise ValueError("it does not begin with postgresql:// or postgres://")
        try:
            # A password may contain characters that would end a host elsewhere. There may be several hosts.
            places = re.split("[/?]", text.partition("://")[2].rpartition("@")[2])[0]
            _ = [urlsplit(f"//{place}").port for place in places.split(",")]
        except ValueError:
            # The value may contain a password and must not appear in the message.
            raise ValueError("its host and port cannot be read") from None
        return url

    @field_validator("tls_cert", "tls_key", "admin_token_file", mode="before")
    @classmethod
    def _is_a_file(cls, path: object) -> object:
        return path or None  # an empty text would be the current folder

    @field_validator("relay_listen", "notify_listen")
    @classmethod
    def _is_host_and_port(cls, text: str) -> str:
        if text and None in (where := urlsplit(f"//{text}"), where.hostname, where.port):
            raise ValueError("it is not HOST:PORT")
        return text

    @field_validator("trusted_proxies")
    @classmethod
    def _are_proxies(cls, text: str) -> str:
        parse_networks(text)
        return text

    @field_validator("failpoints")
    @classmethod
    def _are_known(cls, text: str) -> str:
        failpoints.parse(text)
        return text

    @model_validator(mode="after")
    def _are_for_tests(self) -> Self:
        if self.failpoints and self.env == "production":
            raise ValueError("TOKENQ_FAILPOINTS is for tests only; it needs TOKENQ_ENV=development")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the base class names it)
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then secret files, then the TOML file."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=_config_file())
        return init_settings, env_settings, file_secret_settings, toml

    def listen(self, program: str) -> tuple[str, int] | None:
        """Where ``relay`` or ``notify`` can be watched: host and port, or ``None``."""
        text: str = getattr(self, f"{program}_listen")
        where = urlsplit(f"//{text}")
        return (where.hostname, where.port) if where.hostname and where.port else None

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The trusted proxies as networks."""
        return parse_networks(self.trusted_proxies)

    @property
    def database(self) -> DatabaseAccess:
        """The database as this program's user."""
        return DatabaseAccess(self.database_url.get_secret_value(), self.prepare_threshold)

    @property
    def owner_database(self) -> DatabaseAccess:
        """The database as the owner of its tables; if none is set, as ``database``."""
        url = self.owner_database_url.get_secret_value()
        return DatabaseAccess(url, self.prepare_threshold, "TOKENQ_OWNER_DATABASE_URL") if url else self.database

    @property
    def certificate(self) -> tuple[Path, Path | None] | None:
        """The files of the API's certificate and its key; ``None`` for plain http. Raises Refused."""
        if self.tls_key and not self.tls_cert:
            raise refuse(SettingReason.KEY_WITHOUT_CERTIFICATE)
        return (self.tls_cert, self.tls_key) if self.tls_cert else None

    @property
    def kafka_access(self) -> KafkaAccess:
        """The Kafka cluster and the way into it; the broker of ``tokenq up`` has no login. Raises Refused."""
        if self.kafka_embedded:
            return KafkaAccess(self.kafka_bootstrap)
        return KafkaAccess.of(
            self.kafka_bootstrap, {**vars(self), "kafka_sasl_password": self.kafka_sasl_password.get_secret_value()}
        )

    @property
    def limits(self) -> dict[str, int]:
        """All limits by setting; 0: none."""
        return {name: value for name, value in vars(self).items() if name.startswith("limit_")}

    @property
    def mail_server(self) -> MailServer | None:
        """The mail server; ``None`` if e-mails go to a folder.

        Raises:
            Refused: ``invalid``. It is checked when it is needed, so that a wrong one stops nothing else.
        """
        return mail_server_of(self.smtp_url.get_secret_value())

    @property
    def gateway(self) -> Gateway | None:
        """Where notifications are posted besides e-mails; ``None``: nowhere. Raises Refused as ``mail_server``."""
        return gateway_of(self.webhook_url.get_secret_value(), self.webhook_secret.get_secret_value())

    @property
    def outbox_folder(self) -> Path:
        """The folder for e-mails if no mail server is set."""
        return self.mail_outbox or self.data_dir / "mail"


def _config_file() -> Path | None:
    named = os.environ.get("TOKENQ_CONFIG")
    return Path(named).expanduser() if named else None


def load(**environment: str) -> ServerSettings:
    """Read the settings; ``environment`` takes precedence over the variables of the same names.

    Raises:
        Refused: settings are wrong, or the file that ``TOKENQ_CONFIG`` names does not exist; the sentence says which.
    """
    file = _config_file()
    if file is not None and not file.exists():
        raise refuse(SettingReason.FILE_MISSING, path=str(file))
    given: dict[str, Any] = {name.removeprefix("TOKENQ_").lower(): text for name, text in environment.items()}
    try:
        settings = ServerSettings(**given)
    except ValidationError as error:
        raise refusal_of(
            error, ServerSettings.model_fields, lambda corrected: ServerSettings(**{**given, **corrected}).kafka_access
        ) from None
    _ = settings.kafka_access  # what contradicts itself is refused at the start
    return settings
