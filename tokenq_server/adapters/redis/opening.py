"""Opens the queues from the setting."""

from tokenq_server.adapters.redis.address import read_address
from tokenq_server.adapters.redis.cluster import ClusterLine
from tokenq_server.adapters.redis.waiting_line import RedisLine


def open_line(url: str, functions_url: str = "", *, timeout: float = 0.15) -> RedisLine | ClusterLine:
    """Return the queues on one server or a cluster; it connects on first use.

    ``functions_url`` is the same server or cluster as a user that may load functions, if ``url`` is none.

    Raises:
        Refused: ``invalid``; the URL cannot be used.
    """
    address = read_address(url)
    (loader, *_) = read_address(functions_url or url).nodes
    if address.is_cluster:
        return ClusterLine(address.nodes, loader, timeout=timeout)
    return RedisLine(address.nodes[0], functions_url=loader, timeout=timeout)
