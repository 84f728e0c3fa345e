"""How tokenq was installed here, and so which command adds a part of it."""

import shlex
import sys
from pathlib import Path


def command_to_add(extra: str) -> str:
    """The command that adds an extra; it needs no index that has tokenq, since tokenq itself is already there."""
    home = Path(sys.prefix)
    if (home / "installed-by").exists():  # a Debian package; tokenq has every extra, and replaces tokenq-board
        return "apt install --reinstall ./tokenq_*.deb"
    requirement = f"'tokenq[{extra}]'"
    if (home / "pipx_metadata.json").exists():
        return f"pipx runpip tokenq install {requirement}"
    if (home / "uv-receipt.toml").exists():
        return f"uv pip install --python {shlex.quote(str(home))} {requirement}"
    return f"pip install {requirement}"
