"""tokenq on a Kafka that lets nobody in without a login: each program with its own user and few permissions."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from tests.kafka.secure import SecureKafka, password_of, running_secure_kafka
from tests.servers import Servers
from tests.stack import Stack
from tests.waiting import until
from tests.without_http import department_id
from tokenq.contract.events import DLQ_TOPIC, TOPIC
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived, CaughtUp, Item, Link, LinkChanged, Rewound
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.probe import probe
from tokenq_server.adapters.kafka.topic import KafkaTopic
from tokenq_server.embedded import Endpoints
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import spawn, stop
from tokenq_server.embedded.programs import program

pytestmark = pytest.mark.kafka

CANARY = "canary"
"""How every password begins."""
WRONG = "canary-wrong"


@pytest.fixture(scope="module")
def secure() -> Iterator[SecureKafka]:
    """The broker; ``deploy/kafka/acls.sh`` made its topics and permissions."""
    with running_secure_kafka() as running:
        yield running.server


@dataclass
class Office:
    """tokenq's programs beside that broker, with their logs."""

    folder: Path
    kafka: SecureKafka
    where: Endpoints
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def settings(self, user: str, **login: str) -> dict[str, str]:
        """A program's settings; ``login`` changes some of those for Kafka."""
        port = self.where.api.rpartition(":")[2]
        right = {
            "bootstrap": self.kafka.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_username": user,
            "sasl_password": password_of(user),
            "ca": str(self.kafka.ca),
        }
        kafka = {f"TOKENQ_KAFKA_{name.upper()}": value for name, value in {**right, **login}.items()}
        return {
            "TOKENQ_PORT": port,
            "TOKENQ_URL": self.where.api,
            "TOKENQ_DATABASE_URL": self.where.postgres,
            "TOKENQ_REDIS_URL": self.where.redis,
            "TOKENQ_ADMIN_TOKEN_FILE": self.where.admin_token_file,
            "TOKENQ_MAIL_OUTBOX": self.where.mail_outbox,
            "TOKENQ_MIGRATE": "1",
            "XDG_CONFIG_HOME": str(self.folder),
            **kafka,
        }

    def start(self, name: str, **login: str) -> None:
        """Start ``api``, ``relay`` or ``notify`` with its own user."""
        command = program("tokenq_server", [name], self.log(name), self.settings(f"tokenq-{name}", **login), [])
        self.processes[name] = spawn(command)

    def start_api(self) -> Stack:
        """Start the API; return a client of it."""
        self.start("api")
        until(lambda: takes_tokens(self.where.api), lambda: self.said("api"))
        return Stack(self.folder, self.where, Path(self.where.admin_token_file).read_text().strip())

    def run(self, words: list[str], **login: str) -> subprocess.Popen[bytes]:
        """Start a command of the operator; its output is its log."""
        with self.log(words[0]).open("wb") as log:
            command = [sys.executable, "-m", "tokenq", *words]
            environment = {**os.environ, **self.settings("tokenq-operator", **login)}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.processes[words[0]] = process
        return process

    def log(self, name: str) -> Path:
        """The output of a program."""
        return self.folder / f"{name}.log"

    def said(self, name: str) -> str:
        """What a program has written so far, without line breaks of a table."""
        return " ".join(self.log(name).read_text().split())

    def wait_for(self, name: str, sentence: str) -> None:
        """Wait until a program says that."""
        until(lambda: sentence in self.said(name), lambda: f"{name}: {self.said(name)[-2000:]}", seconds=60)

    def assert_no_secret_is_shown(self) -> None:
        """No log, no output and no command line holds a password."""
        for path in self.folder.glob("*.log"):
            assert CANARY not in path.read_text(), path.name
        for process in self.processes.values():
            if process.poll() is None:
                assert CANARY not in Path(f"/proc/{process.pid}/cmdline").read_text()

    def stop(self) -> None:
        """Stop everything."""
        for process in self.processes.values():
            stop(process, signal.SIGTERM, 10.0)


@pytest.fixture
def office(
    secure: SecureKafka, servers: Servers, fresh_database: Callable[..., str], schema: str, tmp_path: Path
) -> Iterator[Office]:
    """An office in which nothing runs yet."""
    where = Endpoints(
        api=f"http://127.0.0.1:{free_port()}",
        kafka=secure.bootstrap,
        postgres=fresh_database(schema),
        redis=servers.redis_url.replace("/0", "/10"),
        admin_token_file=str(tmp_path / "admin.token"),
        mail_outbox=str(tmp_path / "mail"),
    )
    opened = Office(tmp_path, secure, where)
    yield opened
    opened.stop()


@contextmanager
def board(access: KafkaAccess) -> Iterator[EventStream]:
    stream = EventStream(access)
    yield stream
    stream.close()


def read_until_called(stream: EventStream, department: str) -> None:
    def is_there() -> bool:
        item = stream.read(0.2)
        return isinstance(item, Arrived) and item.event.department_id == department

    until(is_there, lambda: "the board reads nothing", seconds=30)


def read_until_refused(stream: EventStream, sentence: str) -> str:
    reasons: list[str] = []

    def is_refused() -> bool:
        item = stream.read(0.2)
        if isinstance(item, LinkChanged) and item.link is Link.LOST:
            reasons.append(item.why)
        return any(sentence in reason for reason in reasons)

    until(is_refused, lambda: f"{reasons}", seconds=20)
    return reasons[-1]


def dead_letters(kafka: SecureKafka) -> int:
    """How many dead letters notify has copied."""
    consumer = Consumer({**kafka.access("admin", "canary-admin").client_settings(), "group.id": "count"})
    end = consumer.get_watermark_offsets(TopicPartition(DLQ_TOPIC, 0), timeout=10)[1]
    consumer.close()
    return int(end)


def error_of_writing(access: KafkaAccess, topic: str, value: bytes = b"forged") -> int | None:
    """Write a record; return the code of the error, if the broker refuses it."""
    errors: list[KafkaError | None] = []
    producer = Producer({**access.client_settings(), "log_level": 0, "message.timeout.ms": 10_000})
    producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    producer.flush(15)
    return errors[0].code() if errors[0] is not None else None


def test_a_token_goes_its_way_with_a_user_for_each_program(office: Office) -> None:
    """Through relay, topic, notify's e-mail and dead letter to the board; the operator's commands work, too."""
    stack = office.start_api()
    office.start("relay")
    office.start("notify")
    name = department_id()
    assert stack.ask("PUT", f"/api/v1/departments/{name}", {"name": "Kafka"})[0] == 200
    assert stack.ask("POST", f"/api/v1/departments/{name}/tokens", {"email": "ada@example.com"})[0] == 201
    mail = Path(office.where.mail_outbox)
    until(lambda: list(mail.glob("*.eml")), lambda: office.said("relay") + office.said("notify"), seconds=60)
    with board(office.kafka.access("tokenq-board")) as stream:
        read_until_called(stream, name)

    office.run(["doctor", "--server"]).wait(90)
    assert office.run(["verify", name]).wait(90) == 0, office.said("verify")
    assert "ok topic token-events.dlq 1 partition(s)" in office.said("doctor")
    assert office.run(["server", "rewind", "--yes"]).wait(90) == 0, office.said("server")

    assert error_of_writing(office.kafka.access("tokenq-relay"), TOPIC, b"no event") is None
    until(lambda: dead_letters(office.kafka) == 1, lambda: office.said("notify"), seconds=60)
    office.assert_no_secret_is_shown()


@pytest.mark.parametrize(
    ("user", "topic"),
    [
        ("tokenq-board", TOPIC),
        ("tokenq-board", DLQ_TOPIC),
        ("tokenq-api", TOPIC),
        ("tokenq-notify", TOPIC),
        ("tokenq-operator", TOPIC),
        ("tokenq-relay", DLQ_TOPIC),
    ],
)
def test_a_record_of_a_user_who_may_not_write_is_refused(secure: SecureKafka, user: str, topic: str) -> None:
    """A board could not tell a forged next number from a true one."""
    assert error_of_writing(secure.access(user), topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_a_batch_that_is_small_only_while_it_is_compressed_is_refused(secure: SecureKafka, codec: str) -> None:
    """Row 58. The broker unpacks it, since ``deploy/kafka/acls.sh`` says so; the readers' library has no limit."""
    refused: list[KafkaError | None] = []
    large = {"compression.type": codec, "message.max.bytes": 100_000_000, "message.timeout.ms": 20_000}
    producer = Producer({**secure.access("tokenq-relay").client_settings(), **large})
    producer.produce(TOPIC, bytes(10_000_000), on_delivery=lambda error, _: refused.append(error))
    assert producer.flush(30) == 0
    assert [error and error.code() for error in refused] == [KafkaError.MSG_SIZE_TOO_LARGE]


def test_a_board_does_not_even_see_the_dead_letters(secure: SecureKafka) -> None:
    consumer = Consumer({**secure.access("tokenq-board").client_settings(), "group.id": "board", "log_level": 0})
    topics = consumer.list_topics(DLQ_TOPIC, timeout=10).topics
    consumer.close()
    assert topics[DLQ_TOPIC].error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_kiosk_may_have_a_certificate_instead_of_a_password(secure: SecureKafka) -> None:
    kiosk = KafkaAccess(
        secure.certificate_bootstrap,
        "SSL",
        ca=str(secure.ca),
        cert=str(secure.folder / "kiosk.crt"),
        key=str(secure.folder / "kiosk.key"),
    ).check()
    with board(kiosk) as stream:
        until(lambda: stream.read(0.2) == LinkChanged(Link.LIVE), seconds=20)
    with board(replace(kiosk, cert="", key="")) as stream:
        read_until_refused(stream, "Kafka demands a certificate of this client")


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_each_mechanism_logs_in(secure: SecureKafka, mechanism: str) -> None:
    findings = await probe(replace(secure.access("tokenq-board"), sasl_mechanism=mechanism))
    assert findings[0].ok, findings


async def test_the_doctor_says_what_each_program_may_do(secure: SecureKafka) -> None:
    """L16: without writing a record that notify and boards would have to read."""
    for user, detail in {"tokenq-relay": "read and write", "tokenq-board": "read; the relay needs write"}.items():
        findings = {finding.name: finding for finding in await probe(secure.access(user))}
        assert findings[f"topic {TOPIC} access"].detail == detail


async def test_a_user_without_permissions_is_told_which_file_gives_them(secure: SecureKafka) -> None:
    secure.set_password("stranger", WRONG)
    findings = await probe(secure.access("stranger", WRONG))
    topic = next(finding for finding in findings if finding.name == f"topic {TOPIC}")
    assert topic.detail.startswith("Kafka does not permit stranger to do this")
    assert "deploy/kafka/acls.sh" in topic.hint
    with board(secure.access("stranger", WRONG)) as stream:
        read_until_refused(stream, "Kafka does not permit stranger to do this")


def test_a_board_reads_the_log_once_though_no_group_is_permitted(secure: SecureKafka) -> None:
    items: list[Item] = []
    with board(secure.access("tokenq-board")) as stream:

        def has_read_for_a_while() -> bool:
            if (item := stream.read(0.2)) is not None:
                items.append(item)
            return time.monotonic() > began + 3

        began = time.monotonic()
        until(has_read_for_a_while)
    assert CaughtUp() in items
    assert Rewound() not in items


async def test_who_only_reads_the_topic_opens_no_producer(
    secure: SecureKafka, capfd: pytest.CaptureFixture[str]
) -> None:
    """The library would report on the terminal that the operator may not write."""
    topic = KafkaTopic(secure.access("tokenq-operator"), 3, embedded=False)
    await topic.open()
    await asyncio.sleep(3)
    await topic.read_back({})
    await topic.close()
    assert "FATAL" not in capfd.readouterr().err


def test_a_missing_permission_is_named_and_waited_for(office: Office) -> None:
    """A relay that may only read, and a notify that may not join its group."""
    stack = office.start_api()
    assert stack.ask("PUT", f"/api/v1/departments/{department_id()}", {"name": "Kafka"})[0] == 200
    for name, user in {"relay": "tokenq-operator", "notify": "tokenq-board"}.items():
        office.start(name, sasl_username=user, sasl_password=password_of(user))
        office.wait_for(name, f"Kafka does not permit {user} to do this")
        assert office.processes[name].poll() is None
        assert "Traceback" not in office.said(name)
    office.assert_no_secret_is_shown()


REFUSALS: dict[str, tuple[dict[str, str], str, str]] = {
    "wrong password": (
        {"sasl_password": WRONG},
        "Kafka refuses the login of tokenq-",
        "TOKENQ_KAFKA_SASL_PASSWORD",
    ),
    "unknown user": (
        {"sasl_username": "nobody"},
        "Kafka refuses the login of nobody",
        "TOKENQ_KAFKA_SASL_USERNAME",
    ),
    "wrong authority": (
        {"ca": "other-ca.pem"},
        "Kafka's certificate cannot be verified with",
        "TOKENQ_KAFKA_CA",
    ),
    "no TLS": (
        {"security_protocol": "PLAINTEXT", "ca": "", "sasl_username": "", "sasl_password": ""},
        "it may not accept PLAINTEXT",
        "TOKENQ_KAFKA_SECURITY_PROTOCOL",
    ),
}


@pytest.mark.parametrize("case", list(REFUSALS))
def test_everyone_says_in_a_sentence_why_kafka_refuses_them(office: Office, case: str) -> None:
    wrong, sentence, setting = REFUSALS[case]
    if "other-ca.pem" in wrong.values():
        wrong = {"ca": str(office.kafka.other_ca)}
    for name in ("relay", "notify"):
        office.start(name, **wrong)
    verify, doctor = (office.run(words, **wrong) for words in (["verify"], ["doctor", "--server"]))
    with board(replace(office.kafka.access("tokenq-board"), **wrong)) as stream:
        read_until_refused(stream, sentence)
    assert verify.wait(90) == 0, "what was checked is well"
    assert doctor.wait(90) == 1
    for name in ("relay", "notify", "verify", "doctor"):
        office.wait_for(name, sentence)
        assert "Traceback" not in office.said(name)
    assert setting in office.said("doctor")
    office.assert_no_secret_is_shown()


def test_everything_goes_on_by_itself_once_the_password_is_right(office: Office) -> None:
    """The administrator corrects it on the broker; nobody restarts anything."""
    stack = office.start_api()
    name = department_id()
    assert stack.ask("PUT", f"/api/v1/departments/{name}", {"name": "Kafka"})[0] == 200
    assert stack.ask("POST", f"/api/v1/departments/{name}/tokens", {"email": "ada@example.com"})[0] == 201
    for program_name in ("relay", "notify"):
        office.start(program_name, sasl_password=WRONG)
    with board(office.kafka.access("tokenq-board", WRONG)) as stream:
        read_until_refused(stream, "Kafka refuses the login of tokenq-board")
        for program_name in ("relay", "notify"):
            office.wait_for(program_name, f"Kafka refuses the login of tokenq-{program_name}")
        users = ("tokenq-relay", "tokenq-notify", "tokenq-board")
        try:
            for user in users:
                office.kafka.set_password(user, WRONG)
            read_until_called(stream, name)
            mail = Path(office.where.mail_outbox)
            until(lambda: list(mail.glob("*.eml")), lambda: office.said("notify"), seconds=60)
        finally:
            for user in users:
                office.kafka.set_password(user, password_of(user))
    office.assert_no_secret_is_shown()
