"""No text of a user is more than text in a letter. Rows 66 to 72."""

import asyncio
import email
import email.policy
from collections.abc import Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from tests.integration.test_email import FakeServer, email_for, job_named, send_to, smtp
from tests.security.audited import AuditedApi
from tokenq_server.adapters.channels import smtp as smtp_module
from tokenq_server.adapters.channels.eml_folder import EmlFolder
from tokenq_server.services.notifications import Verdict

__all__ = ["smtp"]

Smtp = Callable[..., tuple[FakeServer, str]]
BREAKS = ["\r", "\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
NAMES = [
    *(f"Ada{each}Bcc: eve@example.com" for each in BREAKS),
    "=?UTF-8?Q?=0A?=Bcc: eve@example.com",
    "=?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLmNvbQ==?=",
    "Ada\r\n.\r\nMAIL FROM:<eve@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nSubject: x\r\n\r\nx",
    "Ada\n.\nRSET",
    "<b>Ada</b><img src=x onerror=alert(1)><script>x</script>",
    "{{ 7 * 7 }}{% for x in y %}",
    "%s %(x)s {0}",
]
ADDRESSES = [
    "ada@example.com, eve@example.com",
    "ada@example.com;eve@example.com",
    "ada@example.com eve@example.com",
    "ada@example.com\r\nRCPT TO:<eve@example.com>",
    "ada@example.com\n",
    "<ada@example.com>",
    "Ada <ada@example.com>",
    '"a b"@example.com',
    '"ada"@example.com',
    "(x)ada@example.com",
    "ada@example.com(x)",
    "ada@[127.0.0.1]",
    "ada@[IPv6:::1]",
    "ada@127.0.0.1",
    "ada@localhost",
    "ada",
    "@example.com",
    "ada@",
    "ada@@example.com",
    "ada@-example.com",
    "ada@example-.com",
    "ada@example..com",
    "ada@.example.com",
    "ada@example.com.",
    "аda@example.com",
    "ada@exämple.com",
    "ada@example.com\u200b",
    "=?utf-8?q?=0A?=@example.com",
    f"{'a' * 65}@example.com",
    f"ada@{'x' * 64}.com",
    f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.com",
    "",
    " ",
]
SAID = [b"220 " + b"x" * 100_000 + b"\r\n", b"220-x\r\n" * 100_000, b"", b"\xff\xfe\r\n", b"999 x\r\n"]
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "auto-submitted",
    "x-auto-response-suppress",
}
"""All that a letter may have."""


def has_no_place_in_a_line(text: str) -> bool:
    """Whether no name may be like this."""
    return any(each in text for each in (*BREAKS, "=?"))


@pytest.mark.parametrize("name", [name for name in NAMES if has_no_place_in_a_line(name)], ids=ascii)
def test_a_name_of_several_lines_is_refused(audited: AuditedApi, name: str) -> None:
    """Rows 66 and 67, at input: of a customer, a department, a user, a key and a counter."""
    for method, path, body in (
        ("POST", "/departments/CW/tokens", {"name": name}),
        ("PATCH", "/departments/HR", {"name": name}),
        ("POST", "/users", {"name": name}),
        ("POST", "/keys", {"label": name[:80], "role": "desk"}),
        ("PUT", "/branches/other", {"name": name}),
        ("POST", "/branches/main/counters/open", {"counterId": name[:16]}),
    ):
        if path.endswith("open") and not has_no_place_in_a_line(name[:16]):
            continue
        answer = audited.ask(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (path, answer.text)


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda text: ascii(text)[:30])
def test_an_address_is_one_plain_address(audited: AuditedApi, address: str) -> None:
    """Row 68: an allow-list in ASCII."""
    body = {"email": address}
    for method, path, more in (
        ("POST", "/departments/CW/tokens", {}),
        ("POST", "/users", {"name": "Ada"}),
    ):
        answer = audited.ask(method, path, json=body | more)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    token = audited.ask("POST", "/departments/CW/tokens", json={}).json()
    if address:  # an empty text removes the address
        assert audited.ask("PATCH", f"/tokens/{token['tokenId']}", json=body).status_code == 422


@pytest.mark.parametrize("name", NAMES, ids=lambda text: ascii(text)[:40])
async def test_what_is_in_the_database_all_the_same_stays_in_the_body(tmp_path: Path, name: str) -> None:
    """Rows 66, 67, 70 and 72: an older release may have let it in."""
    job = job_named(name)
    await EmlFolder(tmp_path).send(email_for(job))
    (file,) = tmp_path.iterdir()
    raw = file.read_bytes()
    message = email.message_from_bytes(raw, policy=email.policy.default)
    names = [header.lower() for header in message]
    assert set(names) <= HEADERS, names
    assert len(names) == len(set(names))
    assert message["To"] == "ada@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    assert name not in str(message.items())
    html = message.get_body(("html",))
    assert html is not None
    assert "<img" not in html.get_content()
    assert "<script" not in html.get_content()
    assert "49" not in html.get_content().replace("2049", "")


@pytest.mark.parametrize("name", NAMES, ids=lambda text: ascii(text)[:40])
async def test_a_mail_server_gets_one_letter_for_one_person(smtp: Smtp, name: str) -> None:
    """Row 69: no line of a text ends the letter or begins another one."""
    server, url = smtp()
    attempt = await send_to(url, name)
    assert attempt.verdict is Verdict.SENT
    envelopes: list[Envelope] = server.taken
    assert [envelope.rcpt_tos for envelope in envelopes] == [["ada@example.com"]]
    content = envelopes[0].original_content or b""
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")


@pytest.mark.parametrize("said", SAID, ids=lambda said: repr(said[:9]))
async def test_a_mail_server_that_talks_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """Row 71: bounded in time and size, and tried again later; TLS is proven in test_doctor_mail.py."""
    monkeypatch.setattr(smtp_module, "_TIMEOUT_SECONDS", 1)
    is_over = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await is_over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(20):
            attempt = await send_to(f"smtp://127.0.0.1:{port}")
        assert attempt.verdict is Verdict.RETRY
        assert len(attempt.error or "") < 5_000
    finally:
        is_over.set()
        server.close()
