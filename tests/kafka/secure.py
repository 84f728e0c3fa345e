"""Apache Kafka as a security officer wants it: TLS, users with passwords or certificates, and ACLs."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # not in the stub
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from tests.certificates import make_authority, make_certificate
from tests.kafka.apache import ApacheKafka, java
from tests.servers import Running, servers_folder
from tokenq.contract.kafka_access import KafkaAccess
from tokenq_server.embedded.ports import free_port

ACLS = Path(__file__).parents[2] / "deploy" / "kafka" / "acls.sh"
USERS = ("tokenq-api", "tokenq-relay", "tokenq-notify", "tokenq-board", "tokenq-operator")
KIOSK = "CN=kiosk"
"""The user of the kiosk's certificate."""
_ADMIN, _ADMIN_PASSWORD = "admin", "canary-admin"  # of a broker that lives for one test
_TOOLS = {
    "kafka-acls.sh": "org.apache.kafka.tools.AclCommand",
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
}

_CLOSED = """\
listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{certificate_port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port},SSL://127.0.0.1:{certificate_port}
inter.broker.listener.name=SASL_SSL
listener.security.protocol.map=SASL_SSL:SASL_SSL,SSL:SSL,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512,SCRAM-SHA-256,PLAIN
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule \
required username="{admin}" password="{password}";
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule \
required user_{board}="{board_password}";
listener.name.ssl.ssl.client.auth=required
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
# The controller's listener, on loopback, has no login.
super.users=User:{admin};User:ANONYMOUS
"""


@dataclass
class SecureKafka(ApacheKafka):
    """A broker that nobody may use without a login, and only as ``deploy/kafka/acls.sh`` permits."""

    certificate_port: int = field(default_factory=free_port)

    @property
    def certificate_bootstrap(self) -> str:
        """For Kafka clients that log in with a certificate."""
        return f"127.0.0.1:{self.certificate_port}"

    @property
    def ca(self) -> Path:
        """The authority that signed the broker's certificate."""
        return self.folder / "ca.pem"

    @property
    def other_ca(self) -> Path:
        """An authority that signed nothing."""
        return self.folder / "other-ca.pem"

    def prepare(self) -> None:
        """Make authorities and certificates, then as every broker."""
        self.folder.mkdir()
        make_authority(self.folder, "ca")
        make_authority(self.folder, "other-ca")
        make_certificate(self.folder, "broker", "/CN=broker")
        make_certificate(self.folder, "kiosk", f"/{KIOSK}")
        super().prepare()

    def access(self, user: str, password: str | None = None) -> KafkaAccess:
        """A user's way into the cluster."""
        password = password or password_of(user)
        return KafkaAccess(self.bootstrap, "SASL_SSL", "SCRAM-SHA-512", user, password, str(self.ca))

    def admin(self) -> AdminClient:
        """The administrator's client. Keep it until the answer is there."""
        return AdminClient({**self.access(_ADMIN, _ADMIN_PASSWORD).client_settings(), "log_level": 0})

    def is_ready(self) -> bool:
        """Whether the broker answers its administrator."""
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except KafkaException:
            return False

    def set_password(self, user: str, password: str) -> None:
        """Make the user, or give it another password."""
        credential = UserScramCredentialUpsertion(
            user, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), password.encode()
        )
        admin = self.admin()
        for done in admin.alter_user_scram_credentials([credential]).values():
            done.result(timeout=10)

    def permit(self, **names: str) -> None:
        """Run the commands of ``deploy/kafka/acls.sh``."""
        tools = self.folder / "bin"
        tools.mkdir(exist_ok=True)
        for name, tool in _TOOLS.items():
            words = " ".join(f"'{word}'" for word in [*java(), tool])
            (tools / name).write_text(f'#!/bin/sh\nexec {words} "$@"\n')
            (tools / name).chmod(0o755)
        login = self.folder / "admin.properties"
        login.write_text(
            "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
            f"ssl.truststore.type=PEM\nssl.truststore.location={self.ca}\n"
            "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required"
            f' username="{_ADMIN}" password="{_ADMIN_PASSWORD}";\n'
        )
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", **names}
        done = subprocess.run(
            [ACLS, self.bootstrap, login], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _listeners(self) -> str:
        return _CLOSED.format(
            port=self.port,
            certificate_port=self.certificate_port,
            controller=self.controller_port,
            folder=self.folder,
            admin=_ADMIN,
            password=_ADMIN_PASSWORD,
            board="tokenq-board",
            board_password=password_of("tokenq-board"),
        )

    def _first_users(self) -> list[str]:
        users = {_ADMIN: _ADMIN_PASSWORD} | {user: password_of(user) for user in USERS}
        mechanisms = [("SCRAM-SHA-512", users), ("SCRAM-SHA-256", {"tokenq-board": users["tokenq-board"]})]
        return [
            word
            for mechanism, named in mechanisms
            for user, password in named.items()
            for word in ("--add-scram", f"{mechanism}=[name={user},password={password}]")
        ]


def password_of(user: str) -> str:
    """A user's first password. All begin the same way, so that a test can look for them."""
    return f"canary-{user}"


@contextmanager
def running_secure_kafka() -> Iterator[Running[SecureKafka]]:
    """A broker with the users and their ACLs."""
    with servers_folder() as folder:
        kafka = SecureKafka(folder / "kafka", folder / "kafka.log")
        kafka.prepare()
        running = Running(kafka)
        try:
            running.start()
            kafka.permit(BOARD_USERS=f"tokenq-board;{KIOSK}")
            yield running
        finally:
            running.stop()
