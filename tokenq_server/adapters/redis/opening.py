"""Opens the queues from the setting."""

from tokenq_server.adapters.redis.address import read_address
from tokenq_server.adapters.redis.cluster import ClusterLine
from tokenq_server.adapters.redis.waiting_line import RedisLine


def open_line(url: str, *, timeout: float = 0.15) -> RedisLine | ClusterLine:
    """Return the queues on one server or a cluster; it connects on first use.

    Raises:
        Refused: ``invalid``; the URL cannot be used.
    """
    address = read_address(url)
    if address.is_cluster:
        return ClusterLine(address.nodes, timeout=timeout)
    return RedisLine(address.nodes[0], timeout=timeout)
