"""The version of tokenq and of what it consists of, as bug reports need them."""

import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version

from tokenq.cli import output

_NAME = re.compile(r"[A-Za-z0-9._-]+")


def show(*, as_json: bool) -> None:
    """Print the version; as JSON also that of each library that is installed, and of the system."""
    try:
        own = version("tokenq")
    except PackageNotFoundError:
        own = ""
    if not as_json:
        output.line("tokenq", own or "(not installed, running from its source)")
        return
    system = {"python": platform.python_version(), "system": platform.platform()}
    output.document({"tokenq": own or None, **system, "parts": _parts()})


def _parts() -> dict[str, str]:
    """The installed ones of tokenq's requirements, its extras' included."""
    try:
        wanted = {match[0].lower() for each in requires("tokenq") or () if (match := _NAME.match(each))}
    except PackageNotFoundError:
        return {}
    found = {}
    for name in sorted(wanted - {"tokenq"}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
