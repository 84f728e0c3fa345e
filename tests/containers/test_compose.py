"""The compose file, played: from nothing to calls and letters, through restarts and a kill -9, without a loss."""

import json
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests.containers.place import LASTING, Place, running_place
from tests.waiting import until
from tokenq.contract import paths

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1200)]
PROGRAMS = ("api", "relay", "notify")


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """All services, started once for all tests, which run in their order."""
    with running_place() as started:
        yield started


def waiting(place: Place) -> list[str]:
    """The numbers that wait."""
    return [each["displayNumber"] for each in json.loads(place.tokenq("queue", "CW", "--json"))["waiting"]]


def letters(place: Place) -> list[str]:
    """The subjects of all caught e-mails."""
    caught = httpx.get(f"http://127.0.0.1:{place.mail_port}/api/v1/messages").json()
    return [each["Subject"] for each in caught["messages"]]


def verify(place: Place) -> None:
    """Nothing is violated, and nothing is left unchecked: the operator may see all stores."""
    done = place.operator("verify", "--json")
    report = json.loads(done.stdout[done.stdout.index("{") :])
    assert report["ok"], report["violations"]
    assert [rule for rule in report["rules"] if rule["notChecked"] is not None and not rule["checked"]] == []


def test_a_department_and_its_first_number(place: Place) -> None:
    with place.timed("seconds to make a department and issue its first number"):
        place.tokenq("dept", "create", "Customer window", "--id", "CW")
        assert "CW-001" in place.tokenq("issue", "CW", "--email", "customer@example.org")
    assert waiting(place) == ["CW-001"]


def test_its_letter_is_caught(place: Place) -> None:
    until(lambda: any("CW-001" in subject for subject in letters(place)), place.explain, seconds=60)


def test_the_board_page_and_the_stream_show_a_call(place: Place) -> None:
    assert httpx.get(f"{place.url}/board").status_code == 200
    place.tokenq("serve", "CW", "--counter", "1")
    token = place.inside("api", "cat", "/var/lib/tokenq/admin.token")
    headers = {"Authorization": f"Bearer {token}", paths.LAST_EVENT_ID_HEADER: "CW:0"}
    with httpx.stream("GET", f"{place.url}{paths.EVENTS}", headers=headers, timeout=8) as stream:
        assert any("TOKEN_CALLED" in line for line in stream.iter_lines())


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_program_has_no_root_no_capability_and_cannot_write(place: Place, service: str) -> None:
    status = dict(line.split(":\t", 1) for line in place.inside(service, "cat", "/proc/1/status").splitlines())
    assert status["Uid"].split() == ["10001"] * 4
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert (
        place.inside(service, "sh", "-c", "touch /opt/tokenq/x /etc/x 2>&1 || true").count("Read-only file system") == 2
    )


def test_nothing_is_published_but_two_ports_on_loopback(place: Place) -> None:
    ports = {service: place.container(service)["HostConfig"]["PortBindings"].values() for service in LASTING}
    published = {service: [each for found in bindings for each in found or ()] for service, bindings in ports.items()}
    assert {service for service, bindings in published.items() if bindings} == {"api", "mail"}
    assert {each["HostIp"] for bindings in published.values() for each in bindings} == {"127.0.0.1"}


def test_no_program_warns_of_anything_open(place: Place) -> None:
    """``TOKENQ_STRICT`` would refuse to start."""
    logs = "".join(place.engine.run("podman", "logs", place.name(service)).stderr for service in PROGRAMS)
    assert "not safe for production" not in logs


def test_the_operator_verifies_and_the_database_can_be_dumped(place: Place) -> None:
    verify(place)
    dump = ("pg_dump", "-U", "postgres", "-Fc", "-f", "/tmp/tokenq.dump", "tokenq")
    place.inside("postgres", *dump)
    assert "TABLE DATA public token " in place.inside("postgres", "pg_restore", "--list", "/tmp/tokenq.dump")


@pytest.mark.parametrize("service", ["api", "relay", "notify", "postgres", "valkey", "kafka"])
def test_a_kill_9_loses_nothing(place: Place, service: str) -> None:
    """The container starts again by itself."""
    before = waiting(place)
    pid = place.container(service)["State"]["Pid"]
    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(pid)], check=True)
    until(lambda: place.container(service)["State"]["Pid"] not in (0, pid), place.explain, seconds=120)
    place.wait_until_well()
    assert waiting(place) == before
    place.tokenq("issue", "CW", "--email", "customer@example.org")
    assert len(waiting(place)) == len(before) + 1


def test_a_program_ends_when_it_is_told(place: Place) -> None:
    """As process 1 of its container; podman would kill it after its grace period, with code 137."""
    for service in PROGRAMS:
        place.engine.podman("stop", "--time=30", place.name(service))
        assert place.container(service)["State"]["ExitCode"] == 0, service


def test_down_and_up_keep_everything(place: Place) -> None:
    place.engine.podman("start", *map(place.name, PROGRAMS))
    place.wait_until_well()
    before, password = waiting(place), place.inside("api", "cat", "/var/lib/tokenq/admin.password")
    place.compose("down")
    with place.timed("seconds to start all again"):
        place.up()
    assert waiting(place) == before
    assert place.inside("api", "cat", "/var/lib/tokenq/admin.password") == password
    assert "CW-008" in place.tokenq("issue", "CW", "--email", "customer@example.org")
    until(lambda: any("CW-008" in subject for subject in letters(place)), place.explain, seconds=60)
    verify(place)
