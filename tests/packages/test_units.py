"""The Debian packages and the units, played on a booted machine of each release of Debian.

The tests of a file tell one story in order, on one machine; a test needs those before it.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.packages.machines import booted, with_version
from tests.waiting import until
from tests.without_http import department_id
from tokenq_server.embedded.ports import free_port

pytestmark = [pytest.mark.packages, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PASSWORD = "a-long-enough-password-7"
MOST_EXPOSED = {"tokenq-up": 5.0, "tokenq-backup": 5.0, "tokenq-board": 2.5}
"""What `systemd-analyze security` may say at most; others 2.0. The stores of `up` need more than the API."""
UNITS = sorted(path.stem for path in (ROOT / "deploy" / "systemd").glob("*.service"))
SCREEN = """
import os, pty, termios
screen, side = pty.openpty()
termios.tcsetwinsize(side, (40, 120))
os.symlink(os.ttyname(side), "/run/screen")
with open("/run/drawn", "wb", 0) as drawn:
    while True:
        drawn.write(os.read(screen, 65536))
"""


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def suite(request):
    return request.param


@pytest.fixture(scope="module")
def packages(suite, tmp_path_factory):
    """Both packages for this machine, by name."""
    out = tmp_path_factory.mktemp("packages")
    if given := os.environ.get("TOKENQ_TEST_PACKAGES"):
        release = {"bookworm": "deb12", "trixie": "deb13"}[suite]
        for path in Path(given).glob(f"*+{release}_amd64.deb"):
            shutil.copy(path, out)
        return {path.name.partition("_")[0]: path for path in out.iterdir()}
    words = ["deploy/debian/build.py", "--suite", suite, "--arch", "amd64", "--out", str(out)]
    subprocess.run([sys.executable, *words], check=True, cwd=ROOT)
    return {path.name.partition("_")[0]: path for path in out.iterdir()}


@pytest.fixture(scope="module")
def machine(suite, packages):
    with booted(suite) as machine:
        yield machine


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def board_machine(suite, packages):
    with booted(suite) as machine:
        yield machine


def ready(machine):
    until(lambda: "Ready on" in machine.run("tokenq", "up", "--status", accept=(0, 1, 6)), seconds=120)


def queue_of(machine):
    return machine.run("tokenq", "queue", "W")


def sign_in(machine, port, password_file):
    machine.run("sh", "-c", f"tokenq login http://127.0.0.1:{port} --user admin < {password_file}")
    machine.run("sh", "-c", f"(cat {password_file}; echo {PASSWORD}) | tokenq passwd")
    machine.run("tokenq", "login", f"http://127.0.0.1:{port}", "--user", "admin", stdin=PASSWORD)


def test_from_nothing_to_the_first_number(machine, packages, port):
    began = time.monotonic()
    said = machine.install(packages["tokenq"])
    assert "Setting up tokenq" in said
    assert "not be found" not in said
    for unit in UNITS:
        assert machine.unit(unit, "ActiveState") == "inactive"
        assert machine.unit(unit, "UnitFileState") in ("disabled", "static")
    machine.write(
        "/etc/systemd/system/tokenq-up.service.d/port.conf",
        f"[Service]\nExecStart=\nExecStart=/opt/tokenq/bin/tokenq up --data-dir /var/lib/tokenq --port {port}\n",
    )
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "enable", "--now", "tokenq-up")
    ready(machine)
    sign_in(machine, port, "/var/lib/tokenq/secrets/admin.password")
    machine.run("tokenq", "dept", "create", "Window", "--id", "W")
    assert "W-001" in machine.run("tokenq", "issue", "W", "--email", "ada@example.org")
    print(f"{time.monotonic() - began:.0f} s from apt install to the first number")


def test_settings_and_folders_are_private(machine):
    assert machine.run("stat", "-c", "%a %U", "/etc/tokenq/env", "/etc/tokenq/board.env") == "600 root\n600 root\n"
    assert machine.run("stat", "-c", "%a %U", "/var/backups/tokenq") == "700 tokenq\n"


def test_systemd_finds_nothing_wrong(machine):
    units = [f"/usr/lib/systemd/system/{unit}.service" for unit in UNITS]
    assert machine.run("systemd-analyze", "verify", *units, "/usr/lib/systemd/system/tokenq-backup.timer") == ""


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_closed(machine, unit):
    most = int(MOST_EXPOSED.get(unit, 2.0) * 10)
    words = ["security", "--offline=yes", f"--threshold={most}", f"/usr/lib/systemd/system/{unit}.service"]
    machine.run("systemd-analyze", *words)


def test_the_unit_lets_lan_find_the_addresses_of_this_machine(machine):
    families = machine.unit("tokenq-up", "RestrictAddressFamilies")
    within = ("systemd-run", "-q", "--wait", "--pipe", "-p", f"RestrictAddressFamilies={families}")
    machine.run(*within, "/opt/tokenq/bin/python", "-c", ADDRESSES)


ADDRESSES = "from tokenq_server.embedded.addresses import network_addresses; network_addresses()"


def test_a_letter_waits_in_the_outbox(machine):
    until(lambda: "ada@example.org" in machine.run("sh", "-c", "cat /var/lib/tokenq/mail/* || true"))


def test_a_board_shows_a_call(machine, board_machine, packages):
    bootstrap = machine.run("python3", "-c", KAFKA).strip()
    board_machine.install(packages["tokenq-board"])
    board_machine.write("/etc/tokenq/board.env", f"TOKENQ_KAFKA_BOOTSTRAP={bootstrap}\n")
    board_machine.write("/root/screen.py", SCREEN)
    board_machine.run("systemd-run", "-q", "python3", "/root/screen.py")
    until(lambda: (board_machine.root / "run").exists() and board_machine.run("ls", "/run").count("screen"))
    board_machine.write(
        "/etc/systemd/system/tokenq-board.service.d/screen.conf",
        "[Service]\nTTYPath=/run/screen\nTTYVHangup=no\nDeviceAllow=char-pts\n",
    )
    board_machine.run("systemctl", "daemon-reload")
    board_machine.run("systemctl", "start", "tokenq-board")
    machine.run("tokenq", "call", "W", "--counter", "7")
    drawn = ("cat", "/run/drawn")
    until(lambda: "W-001" in board_machine.run(*drawn), lambda: board_machine.journal("tokenq-board"), 60)
    assert board_machine.unit("tokenq-board", "NRestarts") == "0"


KAFKA = "import json; print(json.load(open('/var/lib/tokenq/endpoints.json'))['kafka'])"


def test_a_restart_and_a_crash_lose_nothing(machine):
    machine.run("tokenq", "issue", "W")
    machine.run("systemctl", "restart", "tokenq-up")
    ready(machine)
    assert "W-002" in queue_of(machine)
    old = machine.unit("tokenq-up", "MainPID")
    machine.run("sh", "-c", f"kill -9 {old}")
    # Where systemd cannot hear that a group of processes has ended, it waits for TimeoutStopSec.
    until(lambda: machine.unit("tokenq-up", "MainPID") not in ("0", old), lambda: machine.journal("tokenq-up"), 120)
    ready(machine)
    assert "W-002" in queue_of(machine)
    assert "W-003" in machine.run("tokenq", "issue", "W")
    machine.run("tokenq", "verify")


def test_the_backup_unit_writes_what_can_be_restored(machine):
    machine.run("systemctl", "enable", "--now", "tokenq-backup.timer")
    assert machine.unit("tokenq-backup.timer", "ActiveState") == "active"
    machine.run("systemctl", "start", "tokenq-backup")
    (backup,) = machine.run("sh", "-c", "ls /var/backups/tokenq/*.tar").split()
    machine.run("tokenq", "restore", backup, "--data-dir", "/var/lib/elsewhere")
    there = ("--data-dir", "/var/lib/elsewhere")
    home = ("env", "HOME=/tmp/elsewhere")
    machine.run("mkdir", "/tmp/elsewhere")
    machine.run(*home, "tokenq", "up", "--detach", "--port", "0", *there)
    try:
        assert "W-003" in machine.run(*home, "tokenq", "queue", "W")
    finally:
        machine.run("tokenq", "down", *there)


def test_an_upgrade_keeps_settings_and_data_and_restarts_what_runs(machine, packages):
    machine.run("sh", "-c", "echo '# mine' >> /etc/tokenq/env")
    before = machine.unit("tokenq-up", "MainPID")
    release = packages["tokenq"].name.split("_")[1].partition("+")[2]
    machine.install(with_version(packages["tokenq"], f"0.9.0+{release}"))
    assert machine.unit("tokenq-up", "MainPID") != before
    assert machine.unit("tokenq-api", "ActiveState") == "inactive"
    ready(machine)
    assert "W-003" in queue_of(machine)
    assert machine.run("tail", "-1", "/etc/tokenq/env") == "# mine\n"


def test_own_stores(machine, servers, port):
    machine.run("systemctl", "disable", "--now", "tokenq-up")
    database = servers.new_database()
    machine.write("/etc/tokenq/env", f"TOKENQ_REDIS_URL={servers.redis_url}\nTOKENQ_PORT={port}\n")
    database_line = f"TOKENQ_DATABASE_URL={database}\n"
    kafka_line = f"TOKENQ_KAFKA_BOOTSTRAP={servers.kafka_bootstrap}\n"
    migrates = "TOKENQ_MIGRATE=1\nTOKENQ_ADMIN_TOKEN_FILE=/var/lib/tokenq/own.token\n"
    machine.write("/etc/tokenq/api.env", database_line + kafka_line + migrates)
    for program in ("relay", "notify"):
        machine.write(f"/etc/tokenq/{program}.env", database_line + kafka_line)
    machine.run("rm", "-rf", "/root/.config/tokenq", "/var/lib/tokenq/mail")
    machine.run("systemctl", "start", "tokenq-api", "tokenq-relay", "tokenq-notify")
    try:
        status = f"import urllib.request as u; print(u.urlopen('http://127.0.0.1:{port}/readyz').read().decode())"
        until(
            lambda: '"status":"ready"' in machine.run("python3", "-c", status, accept=(0, 1)).replace(" ", ""),
            lambda: machine.journal("tokenq-api") + machine.run("python3", "-c", status, accept=(0, 1)),
            60,
        )
        sign_in(machine, port, "/var/lib/tokenq/admin.password")
        name = department_id()  # the machines share the topic and Redis
        machine.run("tokenq", "dept", "create", "Window", "--id", name)
        assert f"{name}-001" in machine.run("tokenq", "issue", name, "--email", "bo@example.org")
        until(lambda: "bo@example.org" in machine.run("sh", "-c", "cat /var/lib/tokenq/mail/* || true"))
    finally:
        machine.run("systemctl", "stop", "tokenq-notify", "tokenq-relay", "tokenq-api")
        servers.drop_database(database)
    machine.run("rm", "-rf", "/root/.config/tokenq")


def test_removal_stops_and_purge_keeps_the_data(machine):
    machine.run("systemctl", "enable", "--now", "tokenq-up")
    ready(machine)
    machine.run("apt-get", "remove", "-y", "tokenq")
    assert machine.unit("tokenq-up", "ActiveState") == "inactive"
    assert machine.unit("tokenq-backup.timer", "ActiveState") == "inactive"
    assert machine.run("sh", "-c", "grep -la [t]okenq /proc/[0-9]*/cmdline", accept=(0, 1)).split() == []
    assert (machine.root / "etc/tokenq/env").exists()
    said = machine.run("apt-get", "purge", "-y", "tokenq")
    assert "/var/lib/tokenq" in said
    assert (machine.root / "var/lib/tokenq/postgres").is_dir()
    mine = (
        "-path /proc -o -path /var/lib/tokenq -o -path /var/backups/tokenq -o -path /root -o -path /var/lib/elsewhere"
    )
    left = machine.run("sh", "-c", f"find / -xdev \\( {mine} \\) -prune -o -name '*tokenq*' -print")
    assert left.split() == list(OF_THE_ADMIN)


OF_THE_ADMIN = ("/etc/systemd/system/tokenq-up.service.d", "/var/lib/systemd/timers/stamp-tokenq-backup.timer")
"""What an administrator wrote, and when the timer ran."""
