"""Random text as people write it in several scripts, for Hypothesis."""

from hypothesis import strategies as st

JOINERS = ("\u200c", "\u200d")

_PIECES = st.sampled_from(
    [
        *"AbcÄß -.019",
        *"市民課証明係ｱあ한",
        *"محمدعلی",
        *"क्षत्रियनमस्तेि",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",
        "\U0001f44d\U0001f3fd",
        "\u2764\ufe0f",
        "1\ufe0f\u20e3",
        "\U0001f1e9\U0001f1ea",
        "\U0001f1e9",
        *"\u0301\u0323\u094d\ufe0f\U000e0100\u034f",
        *JOINERS,
        *"\u202e\u200b\u2066\x1b\x9b\n\u3164\ufdfd",
    ]
)
LINES_OF_TEXT = st.lists(_PIECES | st.characters(), max_size=60).map("".join)
"""Latin, East Asian scripts, Arabic, Devanagari, emoji sequences, loose marks and joiners, and what must not pass."""
