"""tokenq's programs on a Kafka cluster, under the workload, with a board's reader."""

import asyncio
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos.checker import Report, check
from tests.chaos.doubts import Doubts
from tests.chaos.history import History
from tests.chaos.mail_server import MailServer
from tests.chaos.workload import Workload
from tests.kafka.cluster import KafkaCluster
from tests.servers import Servers
from tests.waiting import until
from tokenq.contract.kafka_access import KafkaAccess
from tokenq.stream import Arrived, Rewound
from tokenq.stream.event_stream import EventStream
from tokenq_server.adapters.kafka.reader import KafkaReader
from tokenq_server.embedded.addresses import takes_tokens
from tokenq_server.embedded.ports import free_port
from tokenq_server.embedded.processes import spawn, stop
from tokenq_server.embedded.programs import program
from tokenq_server.services.verification.ports import TopicAway

NOTIFIES = ("notify0", "notify1", "notify2")
_WAITS_FOR = (
    "SELECT s.department_id, s.last_seq - coalesce(c.seq, 0) FROM dept_state s LEFT JOIN relay_cursor c"
    " USING (department_id) WHERE s.last_seq > coalesce(c.seq, 0)"
)


class Watching:
    """The board's reader in a thread: it must see no gap and no repetition."""

    def __init__(self, bootstrap: str) -> None:
        self._stream = EventStream(KafkaAccess(bootstrap))
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.high: dict[str, int] = {}
        self.gaps: list[tuple[str, int, int]] = []
        self.repeated = 0
        self.rewound = 0
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._is_over.set()
        self._thread.join()
        self._stream.close()

    def has_read(self, ends: Mapping[int, int]) -> bool:
        """Whether it has read each partition up to this offset."""
        return all(self._stream._next_offsets.get(number, 0) >= end for number, end in ends.items())

    def _read(self) -> None:
        while not self._is_over.is_set():
            item = self._stream.read(0.1)
            if isinstance(item, Rewound):
                self.high.clear()
                self.rewound += 1
            elif isinstance(item, Arrived):
                self._take(item.event.department_id, item.event.seq)

    def _take(self, name: str, seq: int) -> None:
        known = self.high.get(name)
        if known is not None and seq <= known:
            self.repeated += 1
            return
        if known is not None and seq != known + 1:
            self.gaps.append((name, known, seq))
        self.high[name] = seq


@dataclass
class Office:
    """All running parts; ``recoveries`` are seconds from a fault until everything committed is published."""

    folder: Path
    cluster: KafkaCluster
    database_url: str
    redis_url: str
    port: int
    mail: MailServer
    doubts: Doubts
    failpoints: dict[str, str] = field(default_factory=dict)
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def api(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        """Start ``api``, ``relay`` or one of the notify processes."""
        settings = {
            "TOKENQ_PORT": str(self.port),
            "TOKENQ_ENV": "development",
            "TOKENQ_DATABASE_URL": self.database_url,
            "TOKENQ_REDIS_URL": self.redis_url,
            "TOKENQ_KAFKA_BOOTSTRAP": self.cluster.bootstrap,
            "TOKENQ_KAFKA_FETCH_WAIT_MS": "20",
            "TOKENQ_ADMIN_TOKEN_FILE": str(self.folder / "admin.token"),
            "TOKENQ_SMTP_URL": self.mail.url,
            "TOKENQ_FAILPOINTS": self.failpoints.get(name, ""),
            "TOKENQ_LIMIT_STAFF_ISSUES": "1000000",  # counted, and never reached
        }
        self.processes[name] = spawn(
            program("tokenq_server", [name.rstrip("0123456789")], self.log(name), settings, [])
        )

    def kill(self, name: str) -> None:
        """kill -9."""
        self.processes[name].kill()
        self._ended(name, self.processes[name].wait())

    def end(self, name: str) -> None:
        """SIGTERM, and wait."""
        stop(self.processes[name], signal.SIGTERM, 15.0)
        self._ended(name, self.processes[name].wait())

    def _ended(self, name: str, code: int) -> None:
        if name in NOTIFIES:
            self.doubts.ended(name, is_killed=code == -signal.SIGKILL)

    def log(self, name: str) -> Path:
        """The log file of a program."""
        return self.folder / f"{name}.log"

    def waiting(self) -> int:
        """The number of committed events not recorded as published."""
        return sum(int(row[1]) for row in self.rows(_WAITS_FOR))

    def heads(self) -> dict[str, int]:
        """The last committed event per department."""
        return dict(self.rows("SELECT department_id, last_seq FROM dept_state"))  # type: ignore[arg-type]

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        """Query the database."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload]

    async def recovered(self, fault: str, began: float) -> None:
        """Wait until everything committed is published; record the time since the fault."""
        heads = self.heads()

        def is_published() -> bool:
            cursors = dict(self.rows("SELECT department_id, seq FROM relay_cursor"))
            return all(int(str(cursors.get(name, 0))) >= head for name, head in heads.items())

        await asyncio.to_thread(until, is_published, self.explain, 90.0)
        self.recoveries.setdefault(fault, []).append(time.monotonic() - began)

    def explain(self) -> str:
        """The last lines of the logs."""
        return "\n".join(f"{name}: {self.log(name).read_text()[-600:]}" for name in ("relay", *NOTIFIES))

    def settle(self) -> None:
        """Wait until everything is published and enqueued, and every e-mail is sent."""
        letters = "SELECT count(*) FROM mail_job WHERE state IN ('due', 'sending')"
        until(lambda: self.waiting() == 0, self.explain, 60.0)
        # An e-mail held by a killed sender waits for the end of its lease: three minutes.
        until(lambda: asyncio.run(self._is_passed()) and self.rows(letters) == [(0,)], self.explain, 240.0)

    async def _is_passed(self) -> bool:
        reader = KafkaReader(KafkaAccess(self.cluster.bootstrap))
        try:
            return await reader.taken() == await reader.ends()
        except TopicAway:  # A broker that has just restarted may still drop a request.
            return False

    def check(self, history: Path | None, duplicates: int | None = None) -> Report:
        """Check every rule on everything done so far."""
        smtp = self.folder / "smtp.jsonl"
        where = (self.database_url, self.redis_url, self.cluster.bootstrap, smtp)
        return check(history, *where, allowed_duplicates=duplicates, doubted=self.doubts.letters)

    def figures(self) -> list[str]:
        """One table row per fault."""
        return [
            f"| {fault} | {len(took)} | {statistics.median(took):.1f} / {max(took):.1f} |"
            for fault, took in self.recoveries.items()
        ]


@asynccontextmanager
async def opened(cluster: KafkaCluster, servers: Servers, database_url: str, folder: Path) -> AsyncIterator[Office]:
    """API, relay and three notifies, ready."""
    mail = MailServer(folder / "smtp.jsonl")
    mail.start()
    redis_url, doubts = servers.redis_url.replace("/0", "/11"), Doubts(folder / "doubts.jsonl")
    office = Office(folder, cluster, database_url, redis_url, free_port(), mail, doubts)
    try:
        office.start("api")
        await asyncio.to_thread(until, lambda: takes_tokens(office.api), lambda: office.log("api").read_text()[-2000:])
        for name in ("relay", *NOTIFIES):
            office.start(name)
        yield office
    finally:
        for process in office.processes.values():
            stop(process, signal.SIGTERM, 10.0)
        mail.close()


@asynccontextmanager
async def workload_running(office: Office, history: Path) -> AsyncIterator[Workload]:
    """Run the workload until the context ends, then issue one more token per department."""
    with History(history) as book:
        workload = Workload([office.api], (office.folder / "admin.token").read_text().strip(), book, mail_share=0.02)
        await asyncio.to_thread(workload.open_departments)
        async with workload.running():
            yield workload
        await workload.touch()
        workload.close()
