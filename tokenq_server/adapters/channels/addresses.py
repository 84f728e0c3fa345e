"""Which e-mail addresses need no quoting, encoding or parsing: nearly all."""

import re

_PLAIN = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[a-z0-9-]+(\.[a-z0-9-]+)*", re.I | re.A
)


def is_plain(address: str) -> bool:
    """Whether an address is the same in a header, in a command of SMTP and for people (a dot-atom of RFC 5322).

    Only then may it be used as it is; of any other, the libraries decide what becomes of it.
    """
    return _PLAIN.fullmatch(address) is not None
