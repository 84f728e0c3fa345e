"""Files that only their owner may read: they have secrets in them."""

import os
from pathlib import Path

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_content(path: Path, content: str, mode: int = 0o600) -> None:
    """Write a file as a whole or not at all; what reads it meanwhile gets the old content.

    Raises:
        OSError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    try:
        with open(os.open(draft, _FLAGS, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123 - needs these flags
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.chmod(mode)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
