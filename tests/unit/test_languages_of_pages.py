"""Which language a page speaks."""

from collections.abc import Sequence

import pytest

from tokenq_server.api.pages import texts


@pytest.mark.parametrize(
    ("wanted", "accepted", "otherwise", "found"),
    [
        ("fr", "de", ["es"], "fr"),
        (None, "de-AT,de;q=0.9,en;q=0.8", ["es"], "de"),
        (None, "xx, ZH-tw;q=0.5, en", [], "zh-TW"),
        (None, "zh-HK", [], "zh-CN"),
        (None, "*", ["", "es"], "es"),
        ("../..", "", [], "en"),
        (None, "", [], "en"),
    ],
)
def test_it_is_the_best_one_that_there_is(
    monkeypatch: pytest.MonkeyPatch, wanted: str | None, accepted: str, otherwise: Sequence[str], found: str
) -> None:
    monkeypatch.setattr(texts, "languages", lambda: ["en", "de", "es", "fr", "zh-CN", "zh-TW"])
    assert texts.language_for(wanted, accepted, otherwise) == found
