"""The lobby's board in a browser."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Page, Route

from tests.browser.conftest import TELEVISION, Branch, Open
from tests.forwarder import forwarder
from tokenq_server.api.pages.texts import board_texts


async def number_sizes(page: Page) -> list[float]:
    """How high the numbers are, as shares of the screen."""
    script = "() => [...document.querySelectorAll('.tile .number')].map((each) => each.offsetHeight / innerHeight)"
    return list(await page.evaluate(script))


async def is_cut(page: Page) -> bool:
    """Whether a number or a counter is wider than its tile."""
    parts = "[...document.querySelectorAll('.tile b, .tile .where')]"
    script = f"() => {parts}.some((part) => part.scrollWidth > part.clientWidth + 1)"
    return bool(await page.evaluate(script))


async def test_a_call_appears_large_with_its_counter_in_words(visit: Open, branch: Branch) -> None:
    branch.issue(branch.first)
    screen = await visit(f"{branch.board}#key={branch.board_key()}", TELEVISION)
    await screen.sees(".tile", "Welcome")
    called = branch.call(branch.first, "3")
    await screen.sees(".tile.is-new .number", called["displayNumber"])
    assert await screen.text(".tile.is-new .where") == "Counter 3"
    assert await screen.text(".tile.is-new .what") == "Cash window"
    (share,) = await number_sizes(screen.page)
    assert share > 0.15
    assert not await is_cut(screen.page)


async def test_the_key_leaves_the_address_and_no_script_can_read_it(visit: Open, branch: Branch) -> None:
    key = branch.board_key()
    screen = await visit(f"{branch.board}#key={key}", TELEVISION)
    await screen.sees("#site", "Town hall")
    assert key not in screen.page.url
    assert await screen.page.evaluate("() => document.cookie") == ""
    (cookie,) = await screen.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/board")
    await screen.page.reload()
    await screen.sees("#site", "Town hall")  # the cookie is enough


async def test_without_a_key_it_asks_for_one(visit: Open, branch: Branch) -> None:
    screen = await visit(branch.board, TELEVISION)
    await screen.sees("#sign-in", "role board")
    await screen.page.fill("#key", "tq_wrong")
    await screen.page.click("#sign-in button")
    await screen.sees("#sign-in-error", "no key of a board")
    await screen.page.fill("#key", branch.board_key())
    await screen.page.click("#sign-in button")
    await screen.sees("#site", "Town hall")


async def test_four_calls_at_once_are_four_tiles_and_none_is_lost(visit: Open, branch: Branch) -> None:
    for _ in range(5):
        branch.issue(branch.first)
    screen = await visit(f"{branch.board}#key={branch.board_key()}", TELEVISION)
    await screen.sees(".tile", "Welcome")
    numbers = [branch.call(branch.first, str(counter))["displayNumber"] for counter in range(1, 5)]
    await screen.sees(".tile:nth-child(4) .number", numbers[3])
    tiles = [(await each.inner_text()).strip() for each in await screen.page.locator(".tile .number").all()]
    assert tiles == numbers
    assert not await is_cut(screen.page)


async def test_calls_of_the_same_moment_stand_and_sound_in_the_server_s_order(visit: Open, branch: Branch) -> None:
    """The numbers of two departments' events say nothing about which was first."""
    screen = await visit("about:blank", TELEVISION)
    setup: dict[str, Any] = {
        "branch": branch.name,
        "name": "Town hall",
        "timezone": "UTC",
        "texts": board_texts(["en"]),
    }
    calls = [
        {"department": name, "seq": seq, "number": f"{name}-1", "at": "2026-11-22T09:00:00.000Z", "times": 1}
        | {"counter": {"en": "3"}, "spoken": {"en": name}, "departmentName": name, "state": "CALLED"}
        for name, seq in (("A", 7), ("B", 9), ("C", 2))
    ]
    picture = {"at": "2026-11-22T09:00:01.000Z", "isDoubtful": False, "departments": []}
    sent = [("setup", setup), ("picture", {**picture, "calls": []}), ("picture", {**picture, "calls": calls})]
    body = "".join(f"event: {kind}\ndata: {json.dumps(content)}\n\n" for kind, content in sent)
    stream = {"body": body, "content_type": "text/event-stream"}
    await screen.page.route("**/board/stream**", lambda route: route.fulfill(**stream))
    await screen.page.goto(branch.board)
    await screen.sees(".tile.is-new .number", "A-1")
    tiles = [(await each.inner_text()).strip() for each in await screen.page.locator(".tile .number").all()]
    assert tiles == ["C-1", "B-1", "A-1"]  # the list has the newest first


async def test_a_wrong_branch_is_named(visit: Open, branch: Branch) -> None:
    board = f"{branch.stack.endpoints.api}/board?branch=nowhere"
    screen = await visit(f"{board}#key={branch.board_key()}", TELEVISION)
    await screen.sees("#old", "There is no branch nowhere")


async def test_a_television_that_keeps_nothing_shows_calls(visit: Open, branch: Branch) -> None:
    screen = await visit("about:blank", TELEVISION)
    await screen.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await screen.page.goto(f"{branch.board}#key={branch.board_key()}")
    await screen.sees(".tile", "Welcome")
    await screen.page.click("#sound", force=True)
    branch.issue(branch.first)
    await screen.sees(".tile.is-new .number", branch.call(branch.first, "3")["displayNumber"])


async def test_a_fifth_call_waits_no_longer_than_it_must_and_a_clock_that_is_set_back_hides_none(
    visit: Open, branch: Branch
) -> None:
    for _ in range(6):
        branch.issue(branch.first)
    screen = await visit("about:blank", TELEVISION)
    await screen.page.add_init_script("window.real = Date.now; Date.now = () => window.real() - (window.back || 0);")
    await screen.page.goto(f"{branch.board}#key={branch.board_key()}")
    await screen.sees(".tile", "Welcome")
    calls = [branch.call(branch.first, str(counter)) for counter in range(1, 7)]
    await screen.sees(".tile.is-new .number", calls[3]["displayNumber"])
    await screen.page.evaluate("() => { window.back = 3600000; }")
    for call in calls[4:]:
        await screen.page.wait_for_function(
            "(number) => [...document.querySelectorAll('.tile.is-new .number')].some((e) => e.innerText === number)",
            arg=call["displayNumber"],
            timeout=15_000,  # the first four are new for 20 s
        )


async def test_a_server_that_answers_slowly_is_given_time(visit: Open, branch: Branch) -> None:
    """A board that asks again each second never hears an answer that takes two."""
    screen = await visit("about:blank", TELEVISION)
    asked: list[str] = []

    async def never(route: Route) -> None:
        asked.append(route.request.url)

    await screen.page.route("**/board/stream**", never)
    await screen.page.clock.install()
    await screen.page.goto(branch.board)
    for _ in range(60):
        await screen.page.clock.run_for(1000)
        await asyncio.sleep(0.02)  # until the request is sent
    assert 2 <= len(asked) <= 5


async def test_what_happened_while_the_network_was_away_is_there_afterwards(visit: Open, branch: Branch) -> None:
    branch.issue(branch.first)
    branch.issue(branch.first)
    port = int(branch.stack.endpoints.api.rpartition(":")[2])
    async with forwarder(port) as network:
        url = f"http://127.0.0.1:{network.port}/board?branch={branch.name}#key={branch.board_key()}"
        screen = await visit(url, TELEVISION)
        await screen.sees(".tile", "Welcome")
        network.point_at(1)  # nobody listens there
        first, second = branch.call(branch.first, "1"), branch.call(branch.first, "2")
        await asyncio.sleep(1)
        network.point_at(port)
        await screen.sees(".tile.is-new .number", first["displayNumber"])
        await screen.sees(".tile.is-new .number", second["displayNumber"])


async def test_it_says_when_what_it_shows_may_be_old(visit: Open, branch: Branch) -> None:
    port = int(branch.stack.endpoints.api.rpartition(":")[2])
    async with forwarder(port) as network:
        url = f"http://127.0.0.1:{network.port}/board?branch={branch.name}#key={branch.board_key()}"
        screen = await visit(url, TELEVISION)
        await screen.sees("#site", "Town hall")
        assert not await screen.page.is_visible("#old")
        network.point_at(1)
        await screen.page.wait_for_selector("#old:not([hidden])", timeout=40_000)
        assert "out of date" in await screen.text("#old")
        network.point_at(port)
        await screen.page.wait_for_selector("#old", state="hidden", timeout=40_000)


async def test_it_says_so_too_where_a_proxy_answers_for_a_server_that_is_away(visit: Open, branch: Branch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with proxy, forwarder(int(branch.stack.endpoints.api.rpartition(":")[2])) as network:
        url = f"http://127.0.0.1:{network.port}/board?branch={branch.name}#key={branch.board_key()}"
        screen = await visit(url, TELEVISION)
        await screen.sees("#site", "Town hall")
        network.point_at(proxy.sockets[0].getsockname()[1])
        await screen.page.wait_for_selector("#old:not([hidden])", timeout=40_000)


async def test_a_call_makes_room_for_the_next_one_after_a_while(visit: Open, branch: Branch) -> None:
    for _ in range(5):
        branch.issue(branch.first)
    screen = await visit("about:blank", TELEVISION)
    await screen.page.clock.install()
    await screen.page.goto(f"{branch.board}#key={branch.board_key()}")
    await screen.sees(".tile", "Welcome")
    numbers = [branch.call(branch.first, str(counter))["displayNumber"] for counter in range(1, 6)]
    await screen.sees(".tile:nth-child(4) .number", numbers[3])
    await screen.sees("#calls td", numbers[4])
    await screen.page.clock.run_for(6000)
    shown = await screen.page.locator(".tile.is-new .number").all_inner_texts()
    assert shown == numbers[1:]


async def test_what_waited_a_minute_for_its_turn_is_not_said(visit: Open, branch: Branch) -> None:
    for _ in range(3):
        branch.issue(branch.first)
    screen = await visit("about:blank", TELEVISION)
    await screen.page.clock.install()
    await screen.page.add_init_script(
        "window.said = []; localStorage.setItem('tokenq-sound', 'on');"
        "const speak = (words) => window.said.push(words.text);"  # and never ends
        "Object.defineProperty(window, 'speechSynthesis', {value: {speak}});"
    )
    await screen.page.goto(f"{branch.board}#key={branch.board_key()}")
    await screen.sees(".tile", "Welcome")
    for counter in ("1", "2"):
        called = branch.call(branch.first, counter)
        await screen.sees(".tile.is-new .number", called["displayNumber"])
    await screen.page.clock.fast_forward(70_000)
    branch.call(branch.first, "3")
    await screen.page.wait_for_function("() => window.said.some((text) => text.endsWith('Counter 3'))")
    said = await screen.page.evaluate("() => window.said.map((text) => text.slice(-1))")
    assert said == ["1", "3"]


async def test_names_are_shown_as_they_are_and_nothing_else_is_loaded(visit: Open, branch: Branch) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    branch.settings(name=hostile)
    screen = await visit(f"{branch.board}#key={branch.board_key()}", TELEVISION)
    asked: list[str] = []
    screen.page.on("request", lambda request: asked.append(request.url))
    await screen.sees("#site", hostile)
    await screen.page.reload()
    await screen.sees("#site", hostile)
    assert await screen.page.locator("img").count() == 0
    assert all(re.match(rf"{re.escape(branch.stack.endpoints.api)}/(board|pages)|data:", url) for url in asked)


async def test_a_key_for_one_department_shows_that_one(visit: Open, branch: Branch) -> None:
    screen = await visit(f"{branch.board}#key={branch.board_key(branch.first)}", TELEVISION)
    await screen.sees(".department", "Cash window")
    branch.issue(branch.second)
    called = branch.issue(branch.first) and branch.call(branch.first, "1")
    await screen.sees(".tile.is-new .number", called["displayNumber"])
    assert await screen.page.locator(".department").count() == 1


async def test_every_size_is_composed(visit: Open, branch: Branch) -> None:
    for _ in range(3):
        branch.issue(branch.second)
    screen = await visit(f"{branch.board}#key={branch.board_key()}", TELEVISION)
    await screen.sees(".tile", "Welcome")
    branch.call(branch.second, "Room 4 upstairs")
    branch.call(branch.second, "12")
    await screen.sees(".tile.is-new .where", "Counter 12")
    for width, height in ((1280, 720), (1920, 1080), (3840, 2160), (720, 1280), (1080, 1920), (1024, 768)):
        await screen.page.set_viewport_size({"width": width, "height": height})
        await screen.page.wait_for_timeout(1100)
        assert not await is_cut(screen.page), (width, height)
        overflow = "() => document.documentElement.scrollHeight > innerHeight || document.body.scrollWidth > innerWidth"
        assert not await screen.page.evaluate(overflow), (width, height)
