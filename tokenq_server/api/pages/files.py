"""The files of the pages, read once, and the headers that keep a browser from loading anything else."""

from functools import cache
from pathlib import Path

from fastapi import Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
}

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "no-referrer",  # the address of a ticket is its secret
    "X-Robots-Tag": "noindex",
}


NAMES = frozenset(path.name for path in _FOLDER.iterdir())


def file(name: str) -> Response:
    """Return one of the files ``NAMES``."""
    return Response(_content(name), media_type=_TYPES[Path(name).suffix], headers=HEADERS)


@cache
def _content(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
