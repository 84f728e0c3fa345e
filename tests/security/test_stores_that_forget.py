"""Production refuses a database that may lose what it has acknowledged. Row 77.

For Redis: tests/integration/test_redis_full.py.
"""

from pydantic import SecretStr

from tests.servers import Servers, running_postgres
from tokenq.contract.problems import ProblemCode
from tokenq_server.bootstrap import unsafe_stores
from tokenq_server.settings import ServerSettings

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes")


async def test_production_refuses_a_database_that_forgets(servers: Servers) -> None:
    """All that is off is named; outside production it may run."""
    with running_postgres(*(f"{name}=off" for name in SETTINGS)) as postgres:
        settings = ServerSettings(
            env="production", database_url=SecretStr(postgres.server.url), redis_url=SecretStr(servers.redis_url)
        )
        (refused,) = await unsafe_stores(settings)
        assert refused.problem.code is ProblemCode.INVALID
        for name in SETTINGS:
            assert name in refused.problem.detail
        assert await unsafe_stores(settings.model_copy(update={"env": "development"})) == []
