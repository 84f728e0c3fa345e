"""Valkeys for one test: with settings that the product never uses, and six as a cluster."""

import secrets
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redis import Redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from tests.servers import Running
from tests.waiting import until
from tokenq_server.embedded.binaries import locate
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.privileges import choose_run_as, give_folder
from tokenq_server.embedded.processes import Command
from tokenq_server.embedded.valkey import Valkey

_SLOTS = 16384
_PRIMARIES = 3
_QUICK = "repl-diskless-sync-delay 0\nshutdown-timeout 0\n"


@dataclass
class OwnValkey(Valkey):
    """The product's Valkey with additional settings."""

    more: str = ""

    def command(self) -> Command:
        """The same command with the settings added."""
        command = super().command()
        return replace(command, stdin=(command.stdin or b"") + (_QUICK + self.more).encode())

    def client(self) -> "Redis":
        """A client for the test."""
        return Redis.from_url(self.url, decode_responses=True, socket_timeout=5)

    def role(self) -> str:
        """``master`` or ``slave``; empty while it does not respond."""
        try:
            with self.client() as client:
                return str(client.info("replication")["role"])
        except RedisError:
            return ""


class OwnValkeys:
    """Creates servers below one folder; all end with it."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._run_as = choose_run_as()
        self._binary = locate(self._run_as, folder / "programs").valkey
        self._password = secrets.token_urlsafe(12)

    def start(self, more: str = "") -> Running[OwnValkey]:
        """Start another server; return when it is ready."""
        running = Running(self._make(more))
        running.server.prepare()
        self._stack.callback(running.stop)
        running.start()
        return running

    def socket_folder(self) -> Path:
        """A folder for a server's socket."""
        folder = self.folder / f"s{secrets.token_hex(3)}"
        give_folder(folder, self._run_as)
        return folder

    def cluster(self) -> "ValkeyCluster":
        """Three primaries with a replica each, healthy."""
        nodes = [
            self.start(
                f"cluster-enabled yes\ncluster-port {free_port()}\ncluster-node-timeout 700\n"
                f"cluster-replica-validity-factor 0\ncluster-require-full-coverage no\nmasterauth {self._password}\n"
            )
            for _ in range(2 * _PRIMARIES)
        ]
        cluster = ValkeyCluster(nodes)
        cluster.form()
        return cluster

    def _make(self, more: str) -> OwnValkey:
        port = free_port()
        folder = self.folder / f"valkey-{port}"
        return OwnValkey(
            self._binary, folder, self.folder / "valkeys.log", port, self._password, self._run_as, more=more
        )


def cut_off(replica: OwnValkey) -> None:
    """Disconnect it, as by a broken cable."""
    with replica.client() as client:
        client.config_set("masterauth", "wrong")
        client.execute_command("CLIENT", "KILL", "TYPE", "primary")


def joined_again(replica: OwnValkey) -> None:
    """Reconnect it."""
    with replica.client() as client:
        client.config_set("masterauth", replica.password)


class ValkeyCluster:
    """Six nodes, of which three are primaries at any time."""

    def __init__(self, nodes: Sequence[Running[OwnValkey]]) -> None:
        self.nodes = nodes

    @property
    def url(self) -> str:
        """For tokenq: two of the nodes; the others must be discovered."""
        places = ",".join(f"127.0.0.1:{node.server.port}" for node in self.nodes[:2])
        return f"redis+cluster://:{self.nodes[0].server.password}@{places}"

    def form(self) -> None:
        """Form the cluster, assign the slots, and give each primary a replica."""
        first = self.nodes[0].server
        for number, node in enumerate(self.nodes):
            with node.server.client() as client:
                client.execute_command("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        with first.client() as client:
            for node in self.nodes[1:]:
                bus = node.server.more.partition("cluster-port ")[2].split()[0]
                client.execute_command("CLUSTER", "MEET", "127.0.0.1", node.server.port, bus)
        for number, node in enumerate(self.nodes[:_PRIMARIES]):
            start, end = (_SLOTS * edge // _PRIMARIES for edge in (number, number + 1))
            with node.server.client() as client:
                client.execute_command("CLUSTER", "ADDSLOTSRANGE", start, end - 1)
        until(lambda: all(len(self._known(node)) == len(self.nodes) for node in self.nodes))
        for primary, replica in zip(self.nodes[:_PRIMARIES], self.nodes[_PRIMARIES:], strict=True):
            with primary.server.client() as client:
                name = str(client.execute_command("CLUSTER", "MYID"))
            with replica.server.client() as client:
                client.execute_command("CLUSTER", "REPLICATE", name)
        self.settle()

    @contextmanager
    def announcing(self, ports: Sequence[int]) -> Iterator[None]:
        """Meanwhile each node advertises another port, as behind a TLS terminator."""
        own = [node.server.port for node in self.nodes]
        try:
            self._announce(ports, ports)
            yield
        finally:
            self._announce([0] * len(own), own)

    def _announce(self, ports: Sequence[int], seen: Sequence[int]) -> None:
        for node, port in zip(self.nodes, ports, strict=True):
            with node.server.client() as client:
                client.config_set("cluster-announce-port", port)
        until(lambda: all(self._places(node) <= set(seen) for node in self.nodes))

    def settle(self) -> None:
        """Wait until every running node sees a healthy cluster and every replica follows its primary."""
        until(lambda: all(map(_is_whole, self._running())), seconds=60)

    def heal(self) -> None:
        """Restart killed nodes."""
        for node in self.nodes:
            if node.process is None or node.process.poll() is not None:
                node.start()
        until(lambda: sum(node.server.role() == "master" for node in self.nodes) == _PRIMARIES, seconds=60)
        self.settle()

    def primary_of(self, department: str) -> Running[OwnValkey]:
        """The owner of a department's slot, as another node sees it."""
        return self._owners(department)[0]

    def replica_of(self, department: str) -> Running[OwnValkey]:
        """The replica of that node, as soon as the others list it: one that was away is left out for a while."""
        until(lambda: len(self._owners(department)) > 1, seconds=60)
        return self._owners(department)[1]

    def _owners(self, department: str) -> list[Running[OwnValkey]]:
        slot = key_slot(department.encode())
        ports = {node.server.port: node for node in self.nodes}
        for first, last, *nodes in self._ranges(self._running()[0]):
            if first <= slot <= last:
                return [ports[int(node[1])] for node in nodes]
        raise AssertionError(f"nobody owns slot {slot}")

    def _places(self, node: Running[OwnValkey]) -> set[int]:
        return {int(member[1]) for _, _, *nodes in self._ranges(node) for member in nodes}

    @staticmethod
    def _ranges(node: Running[OwnValkey]) -> list[Any]:
        """The slot ranges, as that node sees them: first, last, the primary and its replicas."""
        with node.server.client() as client:
            ranges: Any = client.execute_command("CLUSTER", "SLOTS")
        if isinstance(ranges, dict):
            return [[*span, nodes["primary"], *nodes["replicas"]] for span, nodes in ranges.items()]
        return list(ranges)

    def _running(self) -> list[Running[OwnValkey]]:
        return [node for node in self.nodes if node.process is not None and node.process.poll() is None]

    @staticmethod
    def _known(node: Running[OwnValkey]) -> list[str]:
        with node.server.client() as client:
            answer: Any = client.execute_command("CLUSTER", "NODES")
        return list(answer) if isinstance(answer, dict) else str(answer).strip().split("\n")


def _is_whole(node: Running[OwnValkey]) -> bool:
    try:
        with node.server.client() as client:
            answer: Any = client.execute_command("CLUSTER", "INFO")
            following = client.info("replication")
    except RedisError:
        return False
    state = answer["cluster_state"] if isinstance(answer, dict) else dict(_pairs(str(answer)))["cluster_state"]
    return state == "ok" and following.get("master_link_status", "up") == "up"


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split():
        name, _, value = line.partition(":")
        yield name, value


@contextmanager
def own_valkeys() -> Iterator[OwnValkeys]:
    """A folder for one test's servers."""
    folder = Path(tempfile.mkdtemp(prefix="tokenq-valkeys-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        yield OwnValkeys(folder, stack)


def certificates(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for 127.0.0.1: the file to trust, and a server's context that uses it."""
    certificate, key = folder / "ca.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "2", "-subj", "/CN=tokenq test", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return certificate, context
