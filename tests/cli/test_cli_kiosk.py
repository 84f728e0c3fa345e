"""``tokenq desk --self-service`` on a terminal."""

from pathlib import Path

from tests.cli.conftest import Cli
from tests.cli.test_cli_board import ended, screen
from tests.programs import Api
from tests.waiting import until


def test_a_kiosk_shows_what_customers_may_take_and_is_left_by_a_code_that_no_list_of_processes_shows(
    home: Path, api: Api, tokenq: Cli, dept: str
) -> None:
    access = {"TOKENQ_URL": api.url, "TOKENQ_TOKEN": api.token, "TOKENQ_EXIT_PIN": "4711"}
    with screen(home, "desk", "--self-service", dept, **access) as kiosk:
        until(lambda: "has the setting self-service=on" in " ".join(kiosk.text().split()), kiosk.text)
        assert tokenq("dept", "update", dept, "--set", "self-service=on").code == 0
        until(lambda: "0 waiting" in kiosk.text() and "self-service" not in kiosk.text(), kiosk.text)
        assert b"4711" not in Path(f"/proc/{kiosk.process.pid}/cmdline").read_bytes()
        kiosk.press("\x11")
        until(lambda: "Code" in kiosk.text(), kiosk.text)
        kiosk.press("4711\r")
        assert ended(kiosk) == 0
