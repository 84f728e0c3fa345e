"""The client of the HTTP API: one method per verb. It never prints, never exits and reads no settings."""

from tokenq.client.client import Client
from tokenq.client.transport import Server

__all__ = ["Client", "Server"]
