"""What the load consists of: the requests of each kind, one after the other per connection."""

import itertools
import json
import secrets
from collections.abc import Callable

from tests.bench.load import Load

Script = Callable[[int], Callable[[bytes], bytes]]
"""Given the number of a connection: what it sends after each answer; the first answer is empty."""

BODY = b'{"name":"Ada Byron","priority":"normal"}'


def same(load: Load, path: str) -> Script:
    """The body of an issue and a key of its length, to a route that does nothing with them."""
    request = load.post(path, BODY, "x" * 16)
    return lambda connection: lambda answer: request


def issues(load: Load, department: str) -> Script:
    """Tokens of people without an address."""
    new_key, path = _keys(), f"/api/v1/departments/{department}/tokens"
    return lambda connection: lambda answer: load.post(path, BODY, new_key())


def issues_with_letters(load: Load, department: str) -> Script:
    """Tokens of people each of whom has an address of their own."""
    new_key, path, numbers = _keys(), f"/api/v1/departments/{department}/tokens", itertools.count()

    def following(answer: bytes) -> bytes:
        body = f'{{"name":"Ada Byron","email":"user{next(numbers)}@example.com","priority":"normal"}}'
        return load.post(path, body.encode(), new_key())

    return lambda connection: following


def calls_and_serves(load: Load, department: str) -> Script:
    """Each connection is a counter, which calls the next token and then serves it; send both (``Load.group``)."""
    new_key = _keys()

    def script(connection: int) -> Callable[[bytes], bytes]:
        counter = json.dumps({"counterId": f"c{connection}"}).encode()

        def following(answer: bytes) -> bytes:
            token = json.loads(answer) if answer else {}
            if token.get("state") == "CALLED":
                body = json.dumps({"claimVersion": token["claimVersion"]}).encode()
                return load.post(f"/api/v1/tokens/{token['tokenId']}/serve", body, new_key())
            return load.post(f"/api/v1/departments/{department}/call", counter, new_key())

        return following

    return script


def _keys() -> Callable[[], str]:
    run, numbers = secrets.token_hex(4), itertools.count()
    return lambda: f"{run}-{next(numbers):07}"
