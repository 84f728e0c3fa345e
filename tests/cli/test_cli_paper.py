"""Tickets on a receipt printer, and their links as scanners type them."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.cli.conftest import Cli
from tests.escpos_decoder import decode


def document(done):
    assert done.code == 0, done
    return json.loads(done.out)


class PaperPrinter:
    """A printer on the network: takes tickets, or is out of paper."""

    def __init__(self, *, has_paper: bool = True) -> None:
        self.has_paper = has_paper
        self.tickets: list[bytes] = []
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.server.accept()
                with connection:
                    self.tickets.append(b"")
                    while content := connection.recv(4096):
                        if content.startswith(b"\x10\x04"):
                            connection.sendall(b"\x12" if self.has_paper or content[2:3] == b"\x01" else b"\x7e")
                        elif b"\x1dr\x01" in content:
                            connection.sendall(b"\x00")
                        self.tickets[-1] += content


@pytest.fixture
def paper_printer() -> Iterator[PaperPrinter]:
    printer = PaperPrinter()
    yield printer
    printer.server.close()


def test_a_ticket_goes_to_a_printer_and_the_sentence_to_the_clerk(tokenq: Cli, dept: str, paper_printer: PaperPrinter):
    done = tokenq("issue", dept, "--printer", paper_printer.address)
    assert (done.code, done.out.split()[:2]) == (0, [f"{dept}-001", "WAITING,"])
    again = tokenq("status", f"{dept}-001", "--print", TOKENQ_PRINTER=paper_printer.address)
    assert again.code == 0
    assert document(tokenq("issue", dept, "--print", "--json", TOKENQ_PRINTER=paper_printer.address))["tokenId"]
    first, second, third = map(decode, paper_printer.tickets)
    assert (first.codes, first.cuts) == ([f"{dept}-001"], 1)
    assert lasting_lines(second.text) == lasting_lines(first.text)
    assert third.codes == [f"{dept}-002"]
    stdout = tokenq("status", f"{dept}-001", "--print").out.splitlines()
    shown = [line.strip().replace(" ", "") for line in stdout]
    assert [line for line in lasting_lines(first.text) if line.replace(" ", "") not in shown] == []


def lasting_lines(text: str) -> list[str]:
    """A ticket without its estimate, which another test's counter may change."""
    return [line for line in text.splitlines() if "wait" not in line]


def test_a_number_whose_ticket_does_not_print_is_named_with_the_command_to_print_it(
    tokenq: Cli, dept: str, paper_printer: PaperPrinter
):
    paper_printer.has_paper = False
    done = tokenq("issue", dept, "--printer", paper_printer.address)
    assert done.code == 1
    assert f"{dept}-001 is issued and stays valid. The printer is out of paper." in done.err
    assert f"'tokenq status {dept}-001 --printer {paper_printer.address}'" in done.err
    by_setting = tokenq("issue", dept, "--count", "2", "--print", "--json", TOKENQ_PRINTER="/dev/usb/lp99")
    assert by_setting.code == 1
    assert f"'tokenq status {dept}-002 --print', 'tokenq status {dept}-003 --print'" in by_setting.err
    assert document(tokenq("status", f"{dept}-003", "--json"))["state"] == "WAITING"


def test_of_a_family_only_the_tickets_that_are_missing_are_named(tokenq: Cli, dept: str, paper_printer: PaperPrinter):
    class EndingPaper(list[bytes]):
        def append(self, ticket: bytes) -> None:
            super().append(ticket)
            paper_printer.has_paper = len(self) < 3

    paper_printer.tickets = EndingPaper()
    done = tokenq("issue", dept, "--count", "3", "--printer", paper_printer.address)
    assert done.code == 1
    assert f"tokenq: {dept}-003 is issued and stays valid." in done.err


@pytest.mark.parametrize("address", ["printer", "tcp://", "lp:-o", "file.txt"])
def test_what_is_no_printer_issues_no_number(tokenq: Cli, dept: str, address: str):
    assert tokenq("issue", dept, "--printer", address).code == 2
    assert tokenq("issue", dept, "--print", TOKENQ_PRINTER=address).code == 1
    assert tokenq("status", f"{dept}-001").code == 3


def test_a_link_as_a_scanner_types_it_is_a_number(tokenq: Cli, dept: str, paper_printer: PaperPrinter):
    branch = f"b{dept.lower()}"
    site = ("--name", "North", "--timezone", "UTC", "--public-url", "https://queue.example.org")
    assert tokenq("branch", "create", branch, *site).code == 0
    tokenq("dept", "create", "Desk", "--id", f"L{dept[:6]}", "--branch", branch)
    number = f"L{dept[:6]}-001"
    assert tokenq("issue", f"L{dept[:6]}", "--printer", paper_printer.address).code == 0
    (link,) = decode(paper_printer.tickets[0]).codes
    assert link.startswith("https://queue.example.org/t/")
    assert document(tokenq("status", link, "--json"))["displayNumber"] == number
    assert tokenq("status", link + "x").code == 3
    assert tokenq("cancel", link).out.split()[0] == number


def test_the_desk_needs_a_terminal_and_a_printer_that_is_one(tokenq: Cli):
    assert "tokenq issue --json" in tokenq("desk").err
    assert tokenq("desk").code == tokenq("desk", "--exit-pin", "4711").code == 2
