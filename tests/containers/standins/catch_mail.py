"""Catches e-mails at port 1025; port 8025 lists them at ``/api/v1/messages`` as Mailpit does."""

import json
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller

_caught: list[dict[str, Any]] = []


class _Mailbox:
    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
        subject = message_from_bytes(envelope.content, policy=default)["Subject"]
        _caught.append({"To": [{"Address": each} for each in envelope.rcpt_tos], "Subject": str(subject)})
        return "250 caught"


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"total": len(_caught), "messages": _caught}).encode()
        self.send_response(200 if self.path.startswith("/api/v1/messages") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Controller(_Mailbox(), hostname="0.0.0.0", port=1025).start()
ThreadingHTTPServer(("0.0.0.0", 8025), _Page).serve_forever()
