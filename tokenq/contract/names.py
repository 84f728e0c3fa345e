"""Which texts are valid names."""

DEPARTMENT_ID = r"^[A-Z][A-Z0-9]{0,7}$"
BRANCH_ID = r"^[a-z][a-z0-9-]{0,31}$"
USERNAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
IDEMPOTENCY_KEY = r"^[\x21-\x7e]{1,255}$"
MAIN_BRANCH = "main"
"""The id of the first branch, which cannot be deleted; what names no branch means this one."""
COUNTER_ID_LENGTH = 16
MOST_COUNTERS = 64
"""The most counters that are simulated."""
PERSON_NAME_LENGTH = 120
EMAIL_LENGTH = 254
LANGUAGE = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"
"""A tag of a language, such as ``de`` or ``zh-CN``."""
PUBLIC_URL = (
    r"^https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,3}|:[1-5][0-9]{4}|:6[0-5][0-9]{3})?/?$"
)
"""An address that people can open: a host, and a port if need be. The pages know no path in front of theirs."""
PASSWORD_LENGTH = (8, 128)

EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"
"""One plain addr-spec: no quoted local parts, no comments, no address literals, no lists."""
