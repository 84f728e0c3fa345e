"""The commands of ESC/POS that a ticket needs, after Epson's command reference."""

from tokenq.paper.bitmap import Bitmap

_ESC, _FS, _GS = b"\x1b", b"\x1c", b"\x1d"
START = _ESC + b"@" + _FS + b"." + _ESC + b"a\x01"
"""Reset, no double-byte characters (printers for Asia begin with them), centred."""
END = _GS + b"VB\x00"
"""Feed to the cutter, and cut but for one point."""
LINE = b"\n"
LARGEST = 8
_ROWS_AT_ONCE = 240
"""Cheap printers keep an image in memory before they print it."""
_LONGEST_CODE = 2_000
_QR = b"1"

ASK_PRINTER, ASK_OFFLINE, ASK_PAPER = b"\x10\x04\x01", b"\x10\x04\x02", b"\x10\x04\x04"
"""DLE EOT: a byte of state at once, even if the printer is offline."""
ASK_WHEN_DONE = _GS + b"r\x01"
"""A byte of state after everything before it is printed."""


def code_page(number: int) -> bytes:
    """Select a code page."""
    return _ESC + b"t" + bytes([number])


def bold(is_on: bool) -> bytes:
    """Turn bold on or off."""
    return _ESC + b"E" + bytes([is_on])


def size(times: int) -> bytes:
    """Make characters 1 to 8 times as wide and high."""
    return _GS + b"!" + bytes([(times - 1) * 17])


def feed(lines: int) -> bytes:
    """Feed some lines."""
    return _ESC + b"d" + bytes([lines])


def image(bitmap: Bitmap) -> bytes:
    """Print a bitmap."""
    across = len(bitmap.rows[0]) if bitmap.rows else 0
    chunks = [bitmap.rows[at : at + _ROWS_AT_ONCE] for at in range(0, len(bitmap.rows), _ROWS_AT_ONCE)]
    return b"".join(
        _GS + b"v0\x00" + across.to_bytes(2, "little") + len(rows).to_bytes(2, "little") + b"".join(rows)
        for rows in chunks
    )


def qr(content: str, module: int) -> bytes:
    """Print a QR code by the printer's own command; ``module`` is the width of one of its squares in dots."""
    data = content.encode()[:_LONGEST_CODE]
    return (
        _qr_function(b"A", b"2\x00")
        + _qr_function(b"C", bytes([module]))
        + _qr_function(b"E", b"1")
        + _qr_function(b"P", b"0" + data)
        + _qr_function(b"Q", b"0")
    )


def _qr_function(function: bytes, parameters: bytes) -> bytes:
    content = _QR + function + parameters
    return _GS + b"(k" + len(content).to_bytes(2, "little") + content
