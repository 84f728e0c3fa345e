"""What the client knows of tickets: their links, and what stands on them when the server does not say."""

import pytest

from tests.http_fake import TOKEN, fake_server, says
from tokenq.client import Client
from tokenq.contract.numbers import ticket_secret

SECRET = "aB3_-" * 4 + "xy"
BRANCH = {"name": "North", "timezone": "Asia/Kolkata", "languages": ["de", "en"]}
REFUSED = says(403, {"code": "forbidden", "detail": "You may not issue there."})


@pytest.mark.parametrize(
    "link",
    [
        f"https://queue.example.org/t/{SECRET}",
        f"HTTPS://QUEUE.EXAMPLE.ORG/t/{SECRET}/",
        f" http://10.0.0.5:8080/sub/t/{SECRET}?l=ar#top\n",
    ],
)
def test_a_token_is_found_by_its_link(link: str) -> None:
    with fake_server(says(200, TOKEN)) as fake, Client(fake.url, "k") as client:
        assert client.find_token(link)["tokenId"] == 101
    assert [asked.path for asked in fake.asked] == [f"/api/v1/tickets/{SECRET}"]


@pytest.mark.parametrize(
    "text",
    ["CW-012", "https://x/t/", f"/t/{SECRET}", f"ftp://x/t/{SECRET}", "https://x/t/a/b", "https://x/t/" + "a" * 65],
)
def test_other_texts_are_no_links(text: str) -> None:
    assert ticket_secret(text) is None


def test_a_ticket_that_the_server_does_not_give_is_made_of_what_it_says_otherwise() -> None:
    answers = (REFUSED, says(200, BRANCH), says(200, {"name": "Chest ward"}))
    with fake_server(*answers) as fake, Client(fake.url, "k") as client:
        view = client.ticket(TOKEN)
    assert [asked.path.removeprefix("/api/v1/") for asked in fake.asked] == [
        "tokens/101/ticket",
        "branches/main",
        "departments/CW",
    ]
    assert (view["departmentName"], view["branchName"], view["timezone"]) == ("Chest ward", "North", "Asia/Kolkata")
    assert (view["language"], view["url"], view["displayNumber"]) == ("de", None, "CW-012")


def test_a_ticket_of_a_server_that_is_silent_has_the_ids() -> None:
    with fake_server(REFUSED) as fake, Client(fake.url, "k") as client:
        view = client.ticket(TOKEN)
    assert (view["departmentName"], view["branchName"], view["timezone"], view["language"]) == ("CW", "main", "", "")
