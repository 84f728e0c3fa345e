"""Mail servers for tests."""

from pydantic import SecretStr

from tokenq_server.destinations import MailServer
from tokenq_server.settings import ServerSettings


def mail_server(url: str) -> MailServer:
    """The mail server that a URL names."""
    server = ServerSettings(smtp_url=SecretStr(url)).mail_server
    assert server is not None
    return server
