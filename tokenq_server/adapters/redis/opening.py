"""From the setting to the waiting line."""

from tokenq_server.adapters.redis.address import read_address
from tokenq_server.adapters.redis.cluster import ClusterLine
from tokenq_server.adapters.redis.waiting_line import RedisLine


def open_line(url: str, *, timeout: float = 0.15) -> RedisLine | ClusterLine:
    """The line on one server or on a cluster; it connects when it is first asked.

    Raises:
        Refused: ``invalid``; the URL cannot mean anything.
    """
    address = read_address(url)
    if address.is_cluster:
        return ClusterLine(address.nodes, timeout=timeout)
    return RedisLine(address.nodes[0], timeout=timeout)
