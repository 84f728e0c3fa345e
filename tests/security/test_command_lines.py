"""No secret is an argument of a command: others on the machine read the command lines of all processes. Row 28."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Cli
from tests.cli.test_cli_asking import commands
from tests.security.audited import AuditedApi
from tests.waiting import until
from tokenq.cli.tree import root

SECRETS = ("password", "passwd", "secret", "credential", "passphrase", "api_key", "bearer")


def test_no_command_takes_a_secret_as_a_value() -> None:
    """Options of such a name are switches: what they stand for is asked for, or read from stdin."""
    seen = 0
    for typed, command in commands(root()):
        for parameter in command.params:
            names = " ".join([parameter.name or "", *parameter.opts]).lower().replace("-", "_")
            if any(word in names for word in SECRETS):
                seen += 1
                assert getattr(parameter, "is_flag", False), (typed, parameter.opts)
    assert seen, "user create --password is one"


@pytest.mark.parametrize(
    "arguments",
    [("login", "--password", "x"), ("login", "--password=x"), ("passwd", "--old", "x"), ("login", "-p", "x")],
)
def test_a_secret_that_is_typed_as_an_option_is_refused(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments, TOKENQ_URL="http://127.0.0.1:1")
    assert done.code == 2
    assert "No such option" in done.err or "not an option" in done.err


def test_a_login_shows_its_password_to_nobody(audited: AuditedApi, cli: Cli, home: Path) -> None:
    """Neither its command line nor the file of its history has it; what it stores is the session."""
    name, _, password = audited.user("staff", "CW")
    words = [sys.executable, "-m", "tokenq", "login", audited.api.url, "--user", name]
    settings = {"XDG_CONFIG_HOME": str(home), "HOME": str(home), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(words, cwd=ROOT, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as login:
        assert login.stdin is not None
        until(lambda: b"tokenq" in Path(f"/proc/{login.pid}/cmdline").read_bytes())
        seen = Path(f"/proc/{login.pid}/cmdline").read_bytes()
        login.stdin.write(password.encode() + b"\n")
        login.stdin.flush()
        said, _ = login.communicate(timeout=60)
    assert login.returncode == 0
    assert password.encode() not in seen + said
    for file in home.rglob("*"):
        assert not file.is_file() or password not in file.read_text()
    assert name in cli("whoami").out


def test_a_key_is_read_from_stdin(audited: AuditedApi, cli: Cli) -> None:
    key = audited.key("desk", "CW")
    done = cli("login", audited.api.url, "--key", stdin=f"{key}\n")
    assert done.code == 0
    assert key not in done.out + done.err
    assert cli("login", audited.api.url, "--key", key, stdin="").code == 2
