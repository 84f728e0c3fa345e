"""API processes beside each other on the same stores, without sockets: a test chooses where a request comes from."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from tokenq.contract.enums import Role
from tokenq_server.api.app import create_app
from tokenq_server.bootstrap import Services
from tokenq_server.services.audit import BY_SYSTEM
from tokenq_server.settings import ServerSettings

PASSWORD = "correct horse battery"
_numbers = count(1)


@dataclass
class Processes:
    """The running ones."""

    apps: Sequence[FastAPI]
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def services(self) -> Services:
        """Those of the first process."""
        found: Services = self.apps[0].state.services
        return found

    def client(self, token: str = "", *, process: int = 0, source: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client of one process, from an address."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        transport = httpx.ASGITransport(self.apps[process], client=(source, 4711))
        self.clients.append(
            httpx.AsyncClient(transport=transport, base_url="http://queue.example", headers=headers, timeout=30)
        )
        return self.clients[-1]

    async def key(self, role: Role) -> str:
        """A new key."""
        made = await self.services.people.create_key(f"{role}-{next(_numbers)}", role, [], BY_SYSTEM)
        return str(made.get("key"))

    async def user(self, role: Role, name: str) -> None:
        """A user with ``PASSWORD``."""
        values = {"name": name, "username": name, "role": str(role), "password": PASSWORD, "email": None}
        await self.services.people.create_user(values, BY_SYSTEM)

    async def login(self, name: str, password: str = PASSWORD, **where: Any) -> httpx.Response:
        """Log in."""
        body = {"username": name, "password": password}
        return await self.client(**where).post("/api/v1/auth/login", json=body)

    async def customer(self, name: str) -> httpx.AsyncClient:
        """A customer who has logged in."""
        await self.user(Role.CUSTOMER, name)
        return self.client((await self.login(name)).json()["token"])

    async def department(self, name: str = "CW", **more: Any) -> str:
        """Create a department."""
        await self.services.setup.create_department(name, {"name": name, **more})
        return name


@asynccontextmanager
async def running(database_url: str, redis_url: str, number: int = 2, **limits: int) -> AsyncIterator[Processes]:
    """So many API processes with these limits, and the defaults of others, whatever the environment says."""
    names = [name for name in ServerSettings.model_fields if name.startswith("limit_")]
    chosen = {
        name: limits.get(name.removeprefix("limit_"), ServerSettings.model_fields[name].default) for name in names
    }
    settings = ServerSettings(
        env="development",
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        kafka_bootstrap="127.0.0.1:1",
        **chosen,
    )
    async with AsyncExitStack() as stack:
        processes = Processes([create_app(settings) for _ in range(number)])
        for app in processes.apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        try:
            yield processes
        finally:
            for client in processes.clients:
                await client.aclose()
