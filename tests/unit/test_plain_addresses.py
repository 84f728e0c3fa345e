"""Which addresses are used as they are: those that the libraries would leave alone, too."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ScriptedMailer
from tokenq_server.adapters.channels.addresses import is_plain
from tokenq_server.adapters.channels.email import EmailChannel
from tokenq_server.adapters.channels.mime import MimeMessage, mime_message
from tokenq_server.services.notifications import Job

_EVENT = {"displayNumber": "CW-012", "counterId": "3", "businessDay": "2026-11-22"}
_ATOM = st.text("abzAZ019.!#$%&'*+/=?^_`{|}~-", min_size=1, max_size=12)


@given(st.builds("{}@{}".format, _ATOM, st.text("abz019.-", min_size=1, max_size=12)))
def test_a_plain_address_is_what_the_libraries_would_make_of_it(address: str) -> None:
    if not is_plain(address):
        return
    theirs = MimeMessage(html="a", mail_to=address)
    headers: dict[str, str] = {}
    super(MimeMessage, theirs).set_header(headers, "To", address, encode=False)  # type: ignore[arg-type]
    assert headers["To"] == address
    ours = mime_message(EmailChannel(ScriptedMailer(), "queue@office.example").render(_job(address)))
    assert ours.mail_to == theirs.mail_to == [(None, address)]
    assert f"\r\nTo: {address}\r\n".encode() in ours.as_bytes()


@pytest.mark.parametrize(
    "address",
    ["", "ada", "ada@", "@b", "a b@c", "Ada <a@b>", '"a"@b', "a,b@c", "ä@b", "a@ä", "a@[::1]", "a@b\n", "a@b, c@d"],
)
def test_any_other_is_left_to_the_libraries(address: str) -> None:
    assert not is_plain(address)


def _job(recipient: str) -> Job:
    return Job("CW", 17, "served", "email", 1, recipient, _EVENT, "Ada", "Cash window", 1)
