"""The pages for phones: a ticket, and where people take numbers."""

import asyncio

from playwright.async_api import Route

from tests.browser.conftest import Branch, Open


def link(branch: Branch, token: dict[str, object]) -> str:
    return str(branch.ask("GET", f"/tokens/{token['tokenId']}/ticket")["url"])


async def test_a_ticket_tells_the_place_and_then_the_counter(visit: Open, branch: Branch) -> None:
    first, mine = branch.issue(branch.first), branch.issue(branch.first)
    phone = await visit(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    await phone.sees("#facts", "Before you\n1")
    branch.call(branch.first, "1")
    await phone.sees("#sentence", "You are next.")
    await phone.sees("#called", first["displayNumber"])
    branch.call(branch.first, "7")
    await phone.sees("#mine.is-called #sentence", "It is your turn: Counter 7")
    assert not await phone.page.is_visible("#leave"), "whoever is called is expected"


async def test_a_phone_vibrates_once_per_call(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    phone = await visit("about:blank")
    await phone.page.add_init_script("window.rung = 0; navigator.vibrate = () => { window.rung += 1; return true; };")
    await phone.page.goto(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    branch.call(branch.first, "7")
    await phone.sees("#sentence", "It is your turn")
    await phone.page.wait_for_timeout(4000)
    assert await phone.page.evaluate("() => window.rung") == 1


async def test_somebody_leaves_after_a_question(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    phone = await visit(link(branch, mine))
    await phone.page.click("#leave")
    await phone.page.click("#no")
    await phone.page.click("#leave")
    await phone.page.click("#yes")
    await phone.sees("#sentence", "You have left the queue.")
    assert branch.ask("GET", f"/tokens/{mine['tokenId']}")["state"] == "CANCELLED"
    assert branch.ask("GET", f"/tokens/{mine['tokenId']}/events")["items"][-1]["actor"] == "customer"


DENIED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"


async def test_a_browser_that_keeps_nothing_takes_a_number_and_shows_it(visit: Open, branch: Branch) -> None:
    """Whoever blocks cookies blocks this store, too."""
    phone = await visit("about:blank")
    await phone.page.add_init_script(DENIED)
    await phone.page.goto(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.click(".department")
    await phone.page.wait_for_url("**/t/*")
    await phone.sees("#sentence", "next")
    await phone.page.select_option("#languages", "de")
    await phone.page.wait_for_selector("html[lang=de]")


async def test_a_lost_answer_and_a_new_load_of_the_page_make_no_second_number(visit: Open, branch: Branch) -> None:
    phone = await visit(f"{branch.stack.endpoints.api}/take/{branch.name}")

    async def lose(route: Route) -> None:
        await route.fetch()
        await route.abort()

    take = f"**/take/{branch.name}/{branch.first}"
    await phone.page.route(take, lose)
    await phone.page.click(".department")
    await phone.sees("#old", "did not work")
    await phone.page.unroute(take)
    await phone.page.reload()
    await phone.page.click(".department")
    await phone.page.wait_for_url("**/t/*")
    assert branch.ask("GET", f"/departments/{branch.first}/queue")["counts"]["waiting"] == 1
    await phone.page.goto(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.click(".department")  # for somebody else
    await phone.page.wait_for_url("**/t/*")
    assert branch.ask("GET", f"/departments/{branch.first}/queue")["counts"]["waiting"] == 2


async def test_an_older_answer_that_comes_late_changes_nothing(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    phone = await visit(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    late, held = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        if held.is_set():
            await route.continue_()
            return
        answer = await route.fetch()
        held.set()
        await late.wait()
        await route.fulfill(response=answer)

    await phone.page.route("**/state", hold)
    await held.wait()
    await phone.page.click("#leave")
    await phone.page.click("#yes")
    await phone.sees("#sentence", "You have left the queue.")
    late.set()
    await phone.page.wait_for_timeout(500)
    assert await phone.text("#sentence") == "You have left the queue."


async def test_a_number_is_taken_once_however_often_the_key_is_pressed(visit: Open, branch: Branch) -> None:
    phone = await visit(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.sees(".department", "Cash window")
    assert await phone.page.locator(".department").count() == 1, "the laboratory gives out none"
    find = "const key = document.querySelector('.department')"
    await phone.page.evaluate(f"() => {{ {find}; key.click(); key.disabled = false; key.click(); }}")
    await phone.page.wait_for_url("**/t/*")
    await phone.sees("#sentence", "next")
    assert branch.ask("GET", f"/departments/{branch.first}/queue")["counts"]["waiting"] == 1
    await phone.page.goto(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.click("#mine")
    await phone.page.wait_for_url("**/t/*")


async def test_no_name_no_id_and_no_other_site(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first, name="Ada Canary", email="canary@example.org")
    phone = await visit("about:blank")
    bodies: list[str] = []

    async def keep(response: object) -> None:
        bodies.append(await response.text())  # type: ignore[attr-defined]

    phone.page.on("response", keep)
    await phone.page.goto(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    whole = "".join(bodies).lower()
    assert "canary" not in whole
    assert "tokenid" not in whole
    assert await phone.page.context.cookies() == []


async def test_without_storage_the_pages_work_too(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    phone = await visit("about:blank")
    await phone.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await phone.page.goto(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    await phone.page.goto(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.click(".department")
    await phone.page.wait_for_url("**/t/*")


async def test_an_old_link_does_not_take_the_place_of_the_ticket(visit: Open, branch: Branch) -> None:
    over, mine = branch.issue(branch.first), branch.issue(branch.first)
    branch.ask("POST", f"/tokens/{over['tokenId']}/cancel", {"claimVersion": over["claimVersion"]})
    phone = await visit(link(branch, mine))
    await phone.sees("#number", mine["displayNumber"])
    for old in (link(branch, over), f"{branch.stack.endpoints.api}/t/{'A' * 22}"):
        await phone.page.goto(old)
        await phone.sees("#sentence", "the queue" if old == link(branch, over) else "has ended")
    await phone.page.goto(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.click("#mine")
    await phone.sees("#number", mine["displayNumber"])


async def test_whoever_leaves_without_a_network_is_told_at_once(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    phone = await visit(link(branch, mine))
    await phone.page.route("**/leave*", lambda route: route.abort())
    await phone.page.click("#leave")
    await phone.page.click("#yes")
    await phone.page.wait_for_selector("#old:not([hidden])")
    assert branch.ask("GET", f"/tokens/{mine['tokenId']}")["state"] == "WAITING"


async def test_the_focus_stays_while_the_page_asks_again(visit: Open, branch: Branch) -> None:
    phone = await visit(f"{branch.stack.endpoints.api}/take/{branch.name}")
    await phone.page.focus(".department")
    async with phone.page.expect_response("**/state*"):
        await phone.page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    await phone.sees(".department:focus", "Cash window")


async def test_a_link_that_leads_nowhere_says_so(visit: Open, branch: Branch) -> None:
    phone = await visit(f"{branch.stack.endpoints.api}/t/{'A' * 22}")
    await phone.sees("#sentence", "This link has ended.")
    german = await visit(f"{branch.stack.endpoints.api}/t/{'A' * 22}", locale="de-DE")
    await german.sees("#sentence", "Dieser Link")


async def test_the_layout_follows_the_phone(visit: Open, branch: Branch) -> None:
    mine = branch.issue(branch.first)
    for size in ((320, 568), (390, 844), (844, 390)):
        phone = await visit(link(branch, mine), size)
        await phone.sees("#number", mine["displayNumber"])
        assert not await phone.page.evaluate("() => document.documentElement.scrollWidth > innerWidth"), size
