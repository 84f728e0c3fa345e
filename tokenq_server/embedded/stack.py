"""The parts of ``tokenq up``: the stores, the API, relay, notify and the demo, with their settings and order."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypedDict

from tokenq.contract.problems import Refused
from tokenq_server import store_users
from tokenq_server.embedded.addresses import api_url, network_urls, takes_tokens
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.broker import Broker
from tokenq_server.embedded.certificate import Certificate, choose_certificate
from tokenq_server.embedded.folder import DataFolder
from tokenq_server.embedded.own_database import own_database
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.postgres import Postgres
from tokenq_server.embedded.privileges import RunAs
from tokenq_server.embedded.processes import Command
from tokenq_server.embedded.programs import program
from tokenq_server.embedded.reports import Endpoints, Progress, UpOptions
from tokenq_server.embedded.supervised_process import SupervisedProcess
from tokenq_server.embedded.valkey import Valkey

_BROKEN_DATA = 3
"""After this many failures in a row, Valkey starts empty: the API rebuilds it from Postgres."""

_LOOPBACK = "127.0.0.1"
_ROLES = {"api": store_users.API, "relay": store_users.RELAY, "notify": store_users.NOTIFY}

Store = Postgres | Valkey | Broker


class _ForEvery(TypedDict):
    run_as: RunAs | None
    keep_open: list[int]


class Stack:
    """All parts of one ``tokenq up``. ``inherited`` is a file descriptor that every child keeps open."""

    def __init__(
        self,
        folder: DataFolder,
        options: UpOptions,
        certificate: Certificate | None,
        run_as: RunAs | None,
        inherited: int,
        report: Callable[[Progress], None],
    ) -> None:
        self.mail_server = ""
        """The mail server's address, once its setting has been checked."""
        self.limits: Mapping[str, int] = {}
        """The limits in force, as soon as the settings have been read."""
        self._folder, self._options, self._inherited, self._report = folder, options, inherited, report
        self._certificate = certificate
        binaries = locate(run_as, folder.programs)
        last_ports = folder.remembered_ports()
        stores, followers = ("postgres", "valkey", "broker"), ("relay", "notify")
        ports = {name: free_port(last_ports.get(name, 0)) for name in (*stores, *followers)}
        self._monitors = {name: ports[name] for name in followers}
        cluster = f"tokenq-{secrets.token_hex(8)}"
        every: _ForEvery = {"run_as": run_as, "keep_open": [inherited]}
        self.postgres = own_database(folder, binaries, ports["postgres"], **every)
        home, log = folder.path / "valkey", folder.log("valkey")
        password, for_programs = folder.secret("valkey"), folder.secret("valkey.tokenq")
        self.valkey = Valkey(
            binaries.valkey, home, log, ports["valkey"], password, program_password=for_programs, **every
        )
        self.broker = Broker(binaries.tansu, folder.log("broker"), ports["broker"], cluster, **every)

        self.broker_part = self._store_part("broker", self.broker)
        self.stores = [
            self._store_part("valkey", self.valkey),
            self.broker_part,
            self._store_part("postgres", self.postgres),
        ]
        self.api = self._program_part("api", "The API", self.stores, self._takes_tokens)
        needs = [self.api, self.broker_part]
        self.followers = [self._program_part(name, name.capitalize(), needs) for name in followers]
        # The broker comes back empty: only a new relay refills it. And a consumer group member that meets a broker that
        # does not know it can block the group for good.
        self.broker_part.followers = self.followers
        self.demo = [self._program_part("demo", "The demo", [self.api])] if options.demo else []

    @property
    def programs(self) -> list[SupervisedProcess]:
        """tokenq's own processes, in start order."""
        return [self.api, *self.followers, *self.demo]

    def prepare(self) -> None:
        """Prepare the stores' folders; the quick ones are started before the slow one is prepared."""
        self.valkey.prepare()
        for part in self.stores[:2]:
            part.tend()
        self.postgres.prepare()

    def ports(self) -> dict[str, int]:
        """The ports by name."""
        stores = {"postgres": self.postgres.port, "valkey": self.valkey.port, "broker": self.broker.port}
        return {**stores, **self._monitors, "api": self._options.port}

    def endpoints(self) -> Endpoints:
        """The current addresses; the stores' ports may change until they are ready for the first time."""
        host, port, is_tls = self._options.host, self._options.port, self._certificate is not None
        return Endpoints(
            api=api_url(host, port, is_tls=is_tls),
            kafka=self.broker.bootstrap,
            postgres=self.postgres.url,
            redis=self.valkey.url,
            admin_token_file=str(self._folder.admin_token_file),
            mail_outbox=str(self._folder.mail),
            mail_server=self.mail_server,
            fingerprint=self._certificate.fingerprint if self._certificate else "",
            network=network_urls(host, port, is_tls=is_tls),
            limits=self.limits,
            relay=api_url(_LOOPBACK, self._monitors["relay"]),
            notify=api_url(_LOOPBACK, self._monitors["notify"]),
        )

    def _read_certificate_again(self) -> None:
        """A certificate that was renewed counts from the API's next start on; so does the fingerprint that is told."""
        with suppress(Refused):  # renewed by half, or not usable: the API says so in its log
            self._certificate = choose_certificate(self._options, self._folder)
        if self._folder.read_endpoints() is not None:
            self._folder.write_endpoints(self.endpoints())

    def _takes_tokens(self) -> bool:
        where = self.endpoints()
        return takes_tokens(where.api, where.fingerprint)

    def _store_part(self, name: str, store: Store) -> SupervisedProcess:
        def retry_elsewhere(part: SupervisedProcess) -> None:
            if part.times_ready == 0:
                store.port = free_port()  # another program took it since it was chosen
            if part.failures == _BROKEN_DATA and isinstance(store, Valkey):
                store.set_aside()

        return SupervisedProcess(
            name, store.title, store.command, store.is_ready, self._report,
            stop_signal=store.stop_signal, patience=store.patience, on_failure=retry_elsewhere,
        )  # fmt: skip

    def _program_part(
        self, name: str, title: str, needs: list[SupervisedProcess], is_ready: Callable[[], bool] = lambda: True
    ) -> SupervisedProcess:
        def command() -> Command:
            if name == "api":
                self._read_certificate_again()
            module, words = ("tokenq_server", [name]) if name != "demo" else ("tokenq_server.embedded.demo", [])
            return program(module, words, self._folder.log(name), self.settings(name), [self._inherited])

        return SupervisedProcess(name, title, command, is_ready, self._report, needs)

    def settings(self, name: str) -> dict[str, str]:
        """Return the environment variables of one of tokenq's own processes."""
        where = self.endpoints()
        return self._users(name) | {
            "TOKENQ_DATA_DIR": str(self._folder.path),
            "TOKENQ_HOST": self._options.host,
            "TOKENQ_PORT": str(self._options.port),
            "TOKENQ_URL": where.api,
            "TOKENQ_FINGERPRINT": where.fingerprint,
            "TOKENQ_TLS_CERT": str(self._certificate.file) if self._certificate else "",
            "TOKENQ_TLS_KEY": str(self._certificate.key or "") if self._certificate else "",
            "TOKENQ_KAFKA_BOOTSTRAP": where.kafka,
            "TOKENQ_KAFKA_EMBEDDED": "1",
            "TOKENQ_KAFKA_FETCH_WAIT_MS": "200",
            "TOKENQ_MAIL_OUTBOX": where.mail_outbox,
            "TOKENQ_ADMIN_TOKEN_FILE": where.admin_token_file,
            "TOKENQ_MIGRATE": "1",
            "TOKENQ_RELAY_LISTEN": f"{_LOOPBACK}:{self._monitors['relay']}",
            "TOKENQ_NOTIFY_LISTEN": f"{_LOOPBACK}:{self._monitors['notify']}",
        }

    def _users(self, name: str) -> dict[str, str]:
        """Return as whom a process uses the stores. Only the API migrates the tables and loads Redis's functions."""
        if name not in _ROLES:
            return {}
        is_api = name == "api"
        return {
            "TOKENQ_DATABASE_URL": self.postgres.url_of(_ROLES[name]),
            "TOKENQ_OWNER_DATABASE_URL": self.postgres.url if is_api else "",
            "TOKENQ_REDIS_URL": self.valkey.program_url,
            "TOKENQ_REDIS_FUNCTIONS_URL": self.valkey.url if is_api else "",
        }
