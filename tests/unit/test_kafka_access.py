"""How Kafka is reached: settings that contradict each other are refused, and no password is shown."""

from pathlib import Path

import pytest

from tests.certificates import make_authority
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.contract.kafka_refusals import Refusals, forbidden
from tokenq.contract.problems import ProblemCode, Refused
from tokenq_server.adapters.kafka.clients import Clients
from tokenq_server.settings import load

LOGIN = {"security_protocol": "SASL_SSL", "sasl_username": "relay", "sasl_password": "canary-secret"}


def test_without_a_login_a_client_needs_only_the_address():
    settings = KafkaAccess("broker:9092").check().client_settings()
    assert settings == {"bootstrap.servers": "broker:9092", "security.protocol": "PLAINTEXT"}


def test_a_login_and_an_authority_become_the_library_s_settings(tmp_path: Path):
    make_authority(tmp_path, "ca")
    authority = tmp_path / "ca.pem"
    access = KafkaAccess("broker:9093", **LOGIN, ca=str(authority)).check()
    assert access.client_settings() == {
        "bootstrap.servers": "broker:9093",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "relay",
        "sasl.password": "canary-secret",
        "ssl.ca.location": str(authority),
    }
    assert "canary-secret" not in repr(access)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"security_protocol": "TLS"}, "SECURITY_PROTOCOL"),
        ({"sasl_username": "relay", "sasl_password": "secret"}, "SECURITY_PROTOCOL"),
        ({"ca": "/nowhere/ca.pem"}, "SECURITY_PROTOCOL"),
        ({"security_protocol": "SASL_PLAINTEXT", "sasl_username": "relay"}, "SASL_PASSWORD"),
        ({"security_protocol": "SASL_SSL", "sasl_password": "secret"}, "SASL_USERNAME"),
        ({**LOGIN, "sasl_mechanism": "GSSAPI"}, "SASL_MECHANISM"),
        ({**LOGIN, "ca": "/nowhere/ca.pem"}, "CA"),
        ({"security_protocol": "SSL", "cert": __file__}, "KEY"),
        ({"security_protocol": "SSL", "key": __file__}, "CERT"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_by_name(settings: dict[str, str], name: str):
    with pytest.raises(Refused) as refused:
        KafkaAccess("broker:9093", **settings).check()
    problem = refused.value.problem
    assert problem.code is ProblemCode.INVALID
    assert f"TOKENQ_KAFKA_{name} is wrong" in problem.detail
    assert "secret" not in problem.detail


def test_the_server_s_programs_refuse_a_contradiction_when_they_start(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKENQ_KAFKA_SASL_USERNAME", "relay")
    with pytest.raises(Refused) as refused:
        load()
    assert "TOKENQ_KAFKA_SECURITY_PROTOCOL" in refused.value.problem.detail


def test_the_broker_of_up_needs_no_login_whatever_is_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TOKENQ_KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    settings = load(TOKENQ_KAFKA_BOOTSTRAP="127.0.0.1:9092", TOKENQ_KAFKA_EMBEDDED="1")
    assert settings.kafka_access == KafkaAccess("127.0.0.1:9092")


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path):
    make_authority(tmp_path, "ca")
    make_authority(tmp_path, "other")
    ca, key, other = (str(tmp_path / name) for name in ("ca.pem", "ca.key", "other.key"))
    tls = {"security_protocol": "SSL"}
    KafkaAccess("broker:9093", **tls, ca=ca, cert=ca, key=key).check()
    for files, name in (({"ca": key}, "CA"), ({"cert": ca, "key": other}, "CERT"), ({"cert": key, "key": key}, "CERT")):
        with pytest.raises(Refused) as refused:
            KafkaAccess("broker:9093", **tls, **files).check()
        assert f"TOKENQ_KAFKA_{name} is wrong" in refused.value.problem.detail


def test_a_file_that_vanishes_while_a_program_runs_is_named(tmp_path: Path):
    make_authority(tmp_path, "ca")
    clients = Clients(KafkaAccess("broker:9093", "SSL", ca=str(tmp_path / "ca.pem")).check())
    (tmp_path / "ca.pem").write_text("")
    with pytest.raises(Refused, match="TOKENQ_KAFKA_CA is wrong"):
        clients.consumer("any")


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


LIBRARY = "sasl_ssl://b:1/bootstrap: SASL authentication error: Authentication failed (after 328ms in state AUTH_REQ)"
UNVERIFIED = "sasl_ssl://b:1/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: x"


@pytest.mark.parametrize(
    ("error", "detail", "sentence", "setting"),
    [
        ("_AUTHENTICATION", LIBRARY, "Kafka refuses the login of relay: Authentication failed", "SASL_PASSWORD"),
        ("_SSL", UNVERIFIED, "Kafka's certificate cannot be verified with the system's authorities", "KAFKA_CA"),
        ("_SSL", "SSL handshake failed: wrong version", "The TLS connection to Kafka fails: wrong version", "PROTOCOL"),
        ("_TRANSPORT", "ssl alert 42: SSL alert number 42", "Kafka demands a certificate of this client", "KAFKA_CERT"),
    ],
)
def test_a_refusal_is_one_sentence_and_names_the_setting(error: str, detail: str, sentence: str, setting: str):
    refusals = Refusals(KafkaAccess("broker:9093", **LOGIN))
    refusal = refusals.hear(error, detail)
    assert refusal is not None
    assert refusal.sentence.startswith(sentence)
    assert "after 328ms" not in refusal.sentence
    assert setting in refusal.hint
    assert refusals.last == refusal


def test_a_refusal_explains_only_what_fails_soon_after_it():
    now = Clock()
    refusals = Refusals(KafkaAccess("broker:9093", **LOGIN), now)
    refusals.hear("_AUTHENTICATION", LIBRARY)
    now.at += 16
    assert refusals.last is None


def test_an_outage_is_no_refusal():
    now = Clock()
    refusals = Refusals(KafkaAccess("broker:9093"), now)
    refusals.hear("_ALL_BROKERS_DOWN", "1/1 brokers are down")
    refusals.hear("_TRANSPORT", "Connect to broker failed: Connection refused")
    refusals.hear("_ALL_BROKERS_DOWN", "1/1 brokers are down")
    now.at += 2
    assert refusals.last is None


def test_connections_that_only_end_point_to_the_protocol():
    """A TLS port tells a client without TLS nothing else."""
    now = Clock()
    refusals = Refusals(KafkaAccess("broker:9093"), now)
    refusals.hear("_ALL_BROKERS_DOWN", "1/1 brokers are down")
    assert refusals.is_unsettled
    assert refusals.last is None, "a crashed broker refuses the next connection, and that explains it"
    now.at += 60
    assert refusals.last is not None
    assert "may not accept PLAINTEXT" in refusals.last.sentence
    refusals.forget()
    assert refusals.last is None


def test_a_missing_permission_names_the_user():
    access = KafkaAccess("broker:9093", **LOGIN)
    refusal = forbidden(access, "TOPIC_AUTHORIZATION_FAILED", "Broker: Topic authorization failed")
    assert refusal is not None
    assert refusal.sentence == "Kafka does not permit relay to do this: Topic authorization failed"
    assert forbidden(access, "_TRANSPORT", "Connection refused") is None
