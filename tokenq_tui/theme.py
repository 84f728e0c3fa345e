"""Semantic colours, one dark and one light theme, safe for colour blindness.

``primary`` is the called number, ``accent`` the counter, ``warning`` stale data, ``error`` a lost link. Blue and amber
can be told apart with every kind of colour blindness, and no meaning depends on colour alone.
"""

from textual.theme import Theme

DARK = Theme(
    name="tokenq-dark",
    dark=True,
    primary="#ffc83d",
    secondary="#8fb8ff",
    accent="#62d0ff",
    foreground="#e8ecf4",
    background="#0d1220",
    surface="#131a2c",
    panel="#1c2640",
    success="#5fd7af",
    warning="#ffb454",
    error="#ff8f8f",
    variables={
        "quiet": "#8b96ad",
        "line": "#2c3a5c",
        "footer-key-foreground": "#ffc83d",
        "scrollbar": "#2c3a5c",
        "scrollbar-hover": "#3d5080",
        "scrollbar-active": "#3d5080",
        "scrollbar-background": "#0d1220",
        "scrollbar-background-hover": "#0d1220",
        "scrollbar-background-active": "#0d1220",
    },
)
LIGHT = Theme(
    name="tokenq-light",
    dark=False,
    primary="#123f9e",
    secondary="#31507f",
    accent="#a34700",
    foreground="#1a2233",
    background="#f6f7fa",
    surface="#ffffff",
    panel="#e4e9f2",
    success="#00694a",
    warning="#8a4b00",
    error="#a8071a",
    variables={
        "quiet": "#5b6579",
        "line": "#c3cbdb",
        "footer-key-foreground": "#123f9e",
        "scrollbar": "#c3cbdb",
        "scrollbar-hover": "#a3aec4",
        "scrollbar-active": "#a3aec4",
        "scrollbar-background": "#f6f7fa",
        "scrollbar-background-hover": "#f6f7fa",
        "scrollbar-background-active": "#f6f7fa",
    },
)
