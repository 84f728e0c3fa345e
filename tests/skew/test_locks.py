"""What the previous command line meets on a server of this release that is locked: https, and limits."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import make_authority, make_certificate
from tests.servers import Servers
from tests.skew.releases import Client, Done, Release, open_floor
from tests.waiting import until
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.tls import check_certificate

pytestmark = pytest.mark.skew


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and the certificate that it gave the server."""
    folder = tmp_path_factory.mktemp("certificates")
    make_authority(folder, "ca")
    make_certificate(folder, "api", "/CN=queue")
    return folder


@pytest.fixture(scope="module")
def locked(old: Release, new: Release, servers: Servers, certificates: Path) -> Iterator[Client]:
    """The previous command line, and an API of this release by https that allows one wrong password."""
    certificate = certificates / "api.pem"
    fingerprint = check_certificate(certificate, None)
    with open_floor(servers) as floor:
        api = floor.launch_api(new, TOKENQ_MIGRATE="1", TOKENQ_TLS_CERT=str(certificate), TOKENQ_LIMIT_LOGINS="1")
        url = floor.urls[new] = floor.urls[new].replace("http:", "https:")
        until(lambda: takes_tokens(url, fingerprint), api.said, 60)
        yield Client(old, floor, new, floor.folder / "home")


def refused(done: Done, exit_code: int, code: str, hint: str) -> None:
    """Assert the exit code, the code, and a hint with these words."""
    assert done.code == exit_code, done
    error = json.loads(done.out)["error"]
    assert error["code"] == code, done
    assert hint in error["hint"], done


def test_a_certificate_that_nobody_vouches_for_is_refused(locked: Client) -> None:
    """It has no fingerprints, so it says what helps there."""
    refused(locked.run("whoami --json"), 1, "bad_reply", "SSL_CERT_FILE")


def test_a_certificate_of_a_known_authority_is_enough(locked: Client, certificates: Path) -> None:
    trusting = {"SSL_CERT_FILE": str(certificates / "ca.pem")}
    assert locked.ask("whoami", **trusting)["role"] == "admin"
    locked.ask("dept create Lab --id LAB", **trusting)
    assert locked.ask("issue LAB", **trusting)["displayNumber"] == "LAB-001"


def test_whoever_guesses_a_password_is_told_to_wait(locked: Client, certificates: Path) -> None:
    """The wait doubles; the first ones are over before the next command has started."""
    tries: list[Done] = []

    def is_limited() -> bool:
        tries.append(locked.run("login --user admin --json", SSL_CERT_FILE=str(certificates / "ca.pem")))
        return "rate_limited" in tries[-1].out

    until(is_limited, lambda: str(tries[-1]), 60)
    refused(tries[0], 5, "unauthenticated", "Try again")
    refused(tries[-1], 6, "rate_limited", "Try again in")
