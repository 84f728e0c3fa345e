"""The pictures of pages in a browser, and of what is made of paper, as PNG."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.async_api import Page, async_playwright

from tests.escpos_decoder import decode
from tests.pictures.place import Place
from tests.waiting import until
from tokenq.paper.codes import modules_of
from tokenq.paper.commands import as_commands
from tokenq.paper.layout import Design, ticket_parts

TELEVISION, PHONE, LETTER = (1280, 720), (390, 760), (640, 366)
_CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser")
_COLOURS = 64
_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"


@asynccontextmanager
async def _page(size: tuple[int, int]) -> AsyncIterator[Page]:
    found = os.environ.get("TOKENQ_TEST_CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM)), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found)
        yield await browser.new_page(viewport={"width": size[0], "height": size[1]})
        await browser.close()


async def browser_board(place: Place) -> bytes:
    """The board in a browser, on a television."""
    async with _page(TELEVISION) as page:
        await page.goto(f"{place.stack.endpoints.api}/board#key={place.key('board')}")
        await page.get_by_text("CW-002").first.wait_for()
        await page.wait_for_timeout(3000)
        return _small(await page.screenshot())


async def phone(place: Place) -> bytes:
    """The page of a ticket."""
    ticket = place.admin.ticket(place.tokens["CW-006"])
    async with _page(PHONE) as page:
        await page.goto(place.here(str(ticket["url"])))
        await page.get_by_text("CW-006").first.wait_for()
        await page.wait_for_timeout(2000)
        return _small(await page.screenshot())


async def letter(place: Place) -> bytes:
    """The letter to somebody who has taken a number."""
    (source,) = _letters(place, "mary@example.org")[:1]
    message = message_from_bytes(source, policy=policy.default)
    body = message.get_body(("html",))
    assert body, "the letter has no page"
    async with _page(LETTER) as page:
        await page.set_content(body.get_content())
        return _small(await page.screenshot())


def _letters(place: Place, address: str) -> list[bytes]:
    folder = Path(place.stack.endpoints.mail_outbox)

    def found() -> list[bytes]:
        letters = [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]
        return [letter for letter in letters if address.encode() in letter]

    until(found)
    return found()


async def ticket(place: Place) -> bytes:
    """A ticket of paper: the bytes for a printer, as the decoder of the tests reads them."""
    view, design = place.admin.ticket(place.tokens["CW-006"]), Design(32)
    paper = decode(as_commands(ticket_parts(view, design), design, "en", print))
    return _small(_on_paper(paper.parts))


def _on_paper(parts: list[Any]) -> bytes:
    image = Image.new("L", (384, 900), 255)
    pen, top = ImageDraw.Draw(image), 20
    for part in parts:
        if not isinstance(part, tuple):
            continue
        text, look = part
        if isinstance(look, dict):
            font = ImageFont.truetype(_FONT, 20 * look["height"])
            left = (384 - pen.textlength(text, font)) // 2
            pen.text((left, top), text, fill=0, font=font)
            top += 28 * look["height"]
        elif modules := modules_of(text, 60):
            top = _draw_code(pen, modules, top)
    buffer = BytesIO()
    image.crop((0, 0, 384, top + 20)).save(buffer, "PNG")
    return buffer.getvalue()


def _draw_code(pen: ImageDraw.ImageDraw, modules: list[list[bool]], top: int) -> int:
    dots = 5
    left, top = (384 - len(modules) * dots) // 2, top + 10
    for row, line in enumerate(modules):
        for column, is_dark in enumerate(line):
            if is_dark:
                x, y = left + column * dots, top + row * dots
                pen.rectangle((x, y, x + dots - 1, y + dots - 1), fill=0)
    return top + len(modules) * dots + 10


def _small(picture: bytes) -> bytes:
    """The same with few colours, which is enough for a page."""
    image, buffer = Image.open(BytesIO(picture)).convert("RGB"), BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
