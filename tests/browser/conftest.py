"""A real Chromium, from Debian's package, on a running tokenq."""

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.stack import Stack
from tokenq.client import Client

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser")
HERE = Path(__file__).parent
TELEVISION = (1280, 720)
PHONE = (390, 780)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the tests that need a browser."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser, without windows."""
    found = os.environ.get("TOKENQ_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    assert found, "Install Debian's chromium-headless-shell, or set TOKENQ_TEST_CHROMIUM."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found)
        yield browser
        await browser.close()


@dataclass
class Visitor:
    """A page in a browser of its own, and what went wrong in it."""

    page: Page
    errors: list[str] = field(default_factory=list)

    async def text(self, selector: str) -> str:
        """What an element says."""
        return (await self.page.locator(selector).inner_text()).strip()

    async def sees(self, selector: str, text: str) -> None:
        """Wait until an element says this."""
        await self.page.wait_for_function(
            "([selector, text]) => Array.from(document.querySelectorAll(selector))"
            ".some((each) => each.getClientRects().length && each.innerText.includes(text))",
            arg=[selector, text],
            timeout=20_000,
        )


Open = Callable[..., Awaitable[Visitor]]


@pytest_asyncio.fixture
async def visit(browser: Browser) -> AsyncIterator[Open]:
    """Opens a page of a size in a fresh browser; at the end, no script may have failed."""
    visitors: list[Visitor] = []

    async def open_page(url: str, size: tuple[int, int] = PHONE, **options: Any) -> Visitor:
        context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        visitor = Visitor(await context.new_page())
        visitor.page.on("pageerror", lambda error: visitor.errors.append(str(error)))
        visitors.append(visitor)
        await visitor.page.goto(url)
        return visitor

    yield open_page
    for visitor in visitors:
        await visitor.page.context.close()
        assert visitor.errors == []


@dataclass(frozen=True)
class Branch:
    """A branch of its own with two departments; visitors take numbers in the first one."""

    stack: Stack
    name: str
    first: str
    second: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as admin, which must succeed."""
        status, answer = self.stack.ask(method, f"/api/v1{path}", body)
        assert status < 300, answer
        return answer

    def issue(self, department: str, **body: Any) -> Any:
        """Issue a number."""
        return self.ask("POST", f"/departments/{department}/tokens", body)

    def call(self, department: str, counter: str) -> Any:
        """Call the next one."""
        return self.ask("POST", f"/departments/{department}/call", {"counterId": counter})

    def settings(self, **changed: Any) -> None:
        """Change the branch."""
        url = self.stack.endpoints.api
        self.ask("PUT", f"/branches/{self.name}", {"name": "Town hall", "publicUrl": url, **changed})

    def board_key(self, *departments: str) -> str:
        """A key for a board."""
        key = self.ask("POST", "/keys", {"label": "lobby", "role": "board", "departments": list(departments)})
        return str(key["key"])

    @property
    def board(self) -> str:
        """The address of its board."""
        return f"{self.stack.endpoints.api}/board?branch={self.name}"


@pytest.fixture
def branch(running: Stack) -> Branch:
    """A branch of its own."""
    name = f"b{secrets.token_hex(3)}"
    made = Branch(running, name, *(f"{name.upper()}{letter}" for letter in "XY"))
    made.settings()
    with Client(running.endpoints.api, running.token) as admin:
        for department, title, takes in ((made.first, "Cash window", "on"), (made.second, "Laboratory", "off")):
            admin.create_department(
                {
                    "departmentId": department,
                    "name": title,
                    "branchId": name,
                    "selfService": takes,
                    "prefix": department[-1] + department[1:5],
                }
            )
    return made
