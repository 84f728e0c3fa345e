"""Send a ticket to a printer, and say in words why it does not print."""

from collections.abc import Callable

from tokenq.contract.printers import PrinterAddress, parse_printer
from tokenq.errors import PrinterFailed
from tokenq.locale import N_
from tokenq.paper import escpos
from tokenq.paper.connections import Connection, DeviceConnection, NetworkConnection, print_by_queue

_ANSWER_SECONDS = 0.7
"""A printer that tells its state does so within milliseconds; one that does not is printed to anyway."""
_DONE_SECONDS = 2.0
_FIXED_BITS, _FIXED = 0b10010011, 0b00010010
"""Bits that every answer to DLE EOT has, so that other bytes are not taken for one."""
_IS_OFFLINE, _IS_OPEN, _HAS_FAULT, _IS_STOPPED_BY_PAPER = 0x08, 0x04, 0x40, 0x20
_IS_OUT_OF_PAPER, _IS_LOW_ON_PAPER = 0x60, 0x0C
_FIXED_BITS_WHEN_DONE = 0b10010000
LOW_ON_PAPER = N_("The printer is low on paper.")


def send(printer: str, ticket: bytes, note: Callable[[str], object]) -> None:
    """Print a ticket; ``note`` gets a warning of the printer's.

    Raises:
        PrinterFailed: the sentence says why; nothing, or not all of it, is printed.
    """
    address = _address(printer)
    if address.queue:
        print_by_queue(address.queue, ticket)
        return
    with _connect(address) as connection:
        tells = check(connection, note)
        connection.write(ticket + (escpos.ASK_WHEN_DONE if tells else b""))
        if tells and not _is_done(connection):
            check(connection, lambda _: None)


def check(connection: Connection, note: Callable[[str], object]) -> bool:
    """Ask a printer for its state; return whether it tells.

    Raises:
        PrinterFailed: it cannot print now.
    """
    state = _ask(connection, escpos.ASK_PRINTER)
    if state is None:
        return False
    paper = _ask(connection, escpos.ASK_PAPER) or 0
    offline = (_ask(connection, escpos.ASK_OFFLINE) or 0) if state & _IS_OFFLINE else 0
    if offline & _IS_OPEN:
        raise PrinterFailed(N_("The cover of the printer is open."))
    if paper & _IS_OUT_OF_PAPER or offline & _IS_STOPPED_BY_PAPER:
        raise PrinterFailed(N_("The printer is out of paper."))
    if offline & _HAS_FAULT:
        raise PrinterFailed(N_("The printer reports a fault."))
    if state & _IS_OFFLINE:
        raise PrinterFailed(N_("The printer is offline."))
    if paper & _IS_LOW_ON_PAPER:
        note(LOW_ON_PAPER)
    return True


def _ask(connection: Connection, question: bytes) -> int | None:
    connection.write(question)
    answer = connection.read(_ANSWER_SECONDS)
    return answer if answer is not None and answer & _FIXED_BITS == _FIXED else None


def _is_done(connection: Connection) -> bool:
    """Whether the printer reports, after the ticket, that it still has paper."""
    answer = connection.read(_DONE_SECONDS)
    return answer is not None and not answer & _FIXED_BITS_WHEN_DONE and not answer & _IS_LOW_ON_PAPER


def _connect(address: PrinterAddress) -> Connection:
    return NetworkConnection(address.host, address.port) if address.host else DeviceConnection(address.device)


def _address(printer: str) -> PrinterAddress:
    try:
        return parse_printer(printer)
    except ValueError as error:
        raise PrinterFailed(N_("'{printer}' is no printer: {why}."), printer=printer, why=error) from None
