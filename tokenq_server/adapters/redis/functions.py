"""Our functions in Redis: a library is loaded when a server does not know it."""

import hashlib
import logging
from importlib.resources import files

from redis.exceptions import NoPermissionError, ResponseError

from tokenq_server.adapters.redis.address import connect

logger = logging.getLogger(__name__)

HINT = "Set TOKENQ_REDIS_FUNCTIONS_URL to a user that may load them: see deploy/redis/users.acl."


class Library:
    """A file of functions. Their names end with a fingerprint of the file: an older release's can never answer."""

    def __init__(self, file: str) -> None:
        source = (files("tokenq_server.adapters.redis") / file).read_text()
        self._version = hashlib.sha256(source.encode()).hexdigest()[:12]
        self._text = source.replace("_VERSION", f"_{self._version}")

    def name(self, function: str) -> str:
        """Return a function's name in Redis."""
        return f"tokenq_{function}_{self._version}"

    async def load(self, url: str, timeout: float) -> None:
        """Load the functions into the server at ``url``, whose user must be permitted to.

        Raises:
            RedisError, OSError, TimeoutError: it failed; that the user may not is logged.
        """
        loader = connect(url, timeout)
        try:
            await loader.function_load(self._text, replace=True)
        except NoPermissionError:
            logger.warning("Redis lacks functions, and this user may not load them", extra={"hint": HINT})
            raise
        finally:
            await loader.aclose()


def is_unknown(error: object) -> bool:
    """Whether a call failed because the server does not know the function."""
    return isinstance(error, ResponseError) and "not found" in str(error).lower()
