"""Requests generated from the OpenAPI document, sent to a running API as its admin; see the session `schema`.

``python -m tests.schema [cases per operation]``. Everything is allowed, deleting too, so the stores are its own.
It fails on any 5xx, and on an answer that the document does not describe.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.programs import Api, beside, running_api
from tests.servers import Servers, running_servers
from tokenq.client import Client
from tokenq_server.adapters.postgres.migrate import migrate

CASES = 250
"""Per operation: twenty thousand, with those that the document's edges make."""
NOT_SENT = "/events"
"""It never ends; tests/integration/test_api_events.py knows it."""
OUT_OF_REACH = 2**62 + 1
"""The id of the key that sends the requests: nobody who generates ids deletes it."""
UNCHECKED = ("positive_data_acceptance", "ensure_resource_availability", "use_after_free")
"""What is valid by its form may still be refused, and what somebody else deletes may come back."""
NO_LIMITS = {
    f"TOKENQ_LIMIT_{name}": "0"
    for name in ("LOGINS", "LOGINS_PER_SOURCE", "LOGINS_PER_ACCOUNT", "PUBLIC_REQUESTS", "STAFF_ISSUES")
}


def main(cases: int) -> int:
    """Run it; return the exit code."""
    with tempfile.TemporaryDirectory() as folder, running_servers() as servers:
        dsn = servers.new_database()
        migrate(dsn)
        with running_api(_settings(servers, dsn), Path(folder)) as api:
            _prepare(api, dsn)
            began = time.monotonic()
            code, said = _run(api, cases)
            print(said)
            print(f"{_counted(said)} generated cases in {time.monotonic() - began:.0f} s")
            bugs = [line for line in api.log.read_text().splitlines() if '"request failed"' in line]
            print(f"{len(bugs)} failed requests in the server's log", *bugs[:5], sep="\n")
    return code or bool(bugs)


def _settings(servers: Servers, dsn: str) -> dict[str, str]:
    return {**beside(servers, dsn), **NO_LIMITS, "TOKENQ_ENV": "development"}


def _prepare(api: Api, dsn: str) -> None:
    """Something to find for those who guess ids."""
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE credential SET credential_id = %s WHERE kind = 'key'", [OUT_OF_REACH])
    with Client(api.url, api.token) as admin:
        for name in ("CW", "HR"):
            admin.create_department({"departmentId": name, "name": f"Department {name}"})
            for _ in range(20):
                admin.issue(name)
        admin.call("CW", "3")
        admin.create_user({"name": "Ada", "username": "ada", "role": "staff", "departments": ["CW"]})
        admin.create_key({"label": "kiosk", "role": "desk", "departments": ["CW"]})


def _run(api: Api, cases: int) -> tuple[int, str]:
    words = ["run", f"{api.url}/openapi.json", "-H", f"Authorization: Bearer {api.token}", "-n", str(cases)]
    words += ["--exclude-path", NOT_SENT, "--checks", "all", "--exclude-checks", ",".join(UNCHECKED)]
    words += ["--continue-on-failure", "--request-timeout", "30", "--warnings", "off", "--suppress-health-check", "all"]
    words += ["--phases", "examples,coverage,fuzzing"]
    done = subprocess.run([Path(sys.executable).with_name("schemathesis"), *words], text=True, stdout=subprocess.PIPE)
    return done.returncode, done.stdout


def _counted(said: str) -> str:
    found = re.search(r"([\d,]+) generated", said)
    return found[1] if found else "no"


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else CASES))
