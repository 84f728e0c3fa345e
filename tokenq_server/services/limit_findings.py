"""The limits in force, as the doctor shows them."""

from collections.abc import Mapping

from tokenq_server.services.findings import Finding

GROUPS: Mapping[str, Mapping[str, str]] = {
    "limit of logins": {
        "limit_logins": "wrong passwords per account and address",
        "limit_logins_per_source": "per address",
        "limit_logins_per_account": "per account from new addresses",
    },
    "limit of numbers": {
        "limit_staff_issues": "a minute per account or key",
        "limit_customer_issues": "a day per customer and department",
        "limit_customer_requests": "requests a minute per customer",
        "limit_visitor_issues": "an hour per address without login",
    },
    "limit of requests": {"limit_public_requests": "a minute per address, without login"},
    "limit of e-mails": {"limit_letters": "an hour to one address"},
}
"""What each setting limits, by the check that shows it."""
NAMES = tuple(setting for rows in GROUPS.values() for setting in rows)
"""The settings that are limits."""


def limit_findings(limits: Mapping[str, int]) -> list[Finding]:
    """Return a finding per group; ``limits`` are the numbers by setting, those that are not there are left out.

    A limit that is switched off may be an oversight.
    """
    known = {name: {key: words for key, words in rows.items() if key in limits} for name, rows in GROUPS.items()}
    return [_finding(name, rows, limits) for name, rows in known.items() if rows]


def _finding(name: str, rows: Mapping[str, str], limits: Mapping[str, int]) -> Finding:
    detail = ", ".join(
        f"{limits[setting] or 'unlimited'} {words} ({_variable(setting)})" for setting, words in rows.items()
    )
    off = [_variable(setting) for setting in rows if not limits[setting]]
    hint = f"Set {' and '.join(off)}, unless something in front of tokenq limits this." if off else ""
    return Finding(name, True, detail, hint, warning=bool(off))


def _variable(setting: str) -> str:
    return f"TOKENQ_{setting.upper()}"
