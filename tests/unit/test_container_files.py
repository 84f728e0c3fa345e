"""The files of ``deploy/container`` and ``deploy/kubernetes``, without containers: names, users, settings, commands."""

import re
import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tokenq.cli.menu import ENTRIES
from tokenq_server.settings import ServerSettings

DEPLOY = Path(__file__).parents[2] / "deploy"
FOLDER = DEPLOY / "container"
TEXT = (FOLDER / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROGRAMS = ("migrate", "api", "relay", "notify", "operator")
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
FILES = [FOLDER / "Containerfile", FOLDER / "compose.yaml", *MANIFESTS]
OBJECTS: list[dict[str, Any]] = [each for file in MANIFESTS for each in yaml.safe_load_all(file.read_text("utf-8"))]
PODS = {each["metadata"]["name"]: each["spec"] for each in OBJECTS if each["kind"] == "Pod"} | {
    each["metadata"]["name"]: each["spec"]["template"]["spec"]
    for each in OBJECTS
    if each["kind"] in ("Deployment", "Job")
}


def environment(service: str) -> dict[str, str]:
    """What a program finds set; every password is ``secret``."""
    given = SERVICES[service]["environment"]
    without_defaults = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in given.items()}
    return {name: re.sub(r"\$\{\w+:\?[^}]*\}", "secret", value) for name, value in without_defaults.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_every_setting_exists(file: Path) -> None:
    named = set(re.findall(r"\bTOKENQ_[A-Z_]+", file.read_text("utf-8")))
    assert named <= {f"TOKENQ_{name.upper()}" for name in ServerSettings.model_fields}


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_program_accepts_its_settings(service: str) -> None:
    given = {name.removeprefix("TOKENQ_").lower(): value for name, value in environment(service).items()}
    settings = ServerSettings.model_validate(given)
    assert service == "migrate" or settings.kafka_access.has_login
    _ = settings.mail_server, settings.proxies


@pytest.mark.parametrize("service", PROGRAMS)
def test_a_program_starts_an_existing_command_and_can_write_nowhere(service: str) -> None:
    program = SERVICES[service]
    assert program["command"][0] in ENTRIES
    assert program["read_only"] is True
    assert program["cap_drop"] == ["ALL"]


def test_no_container_gains_privileges_and_ports_are_on_loopback() -> None:
    for name, service in SERVICES.items():
        assert service["security_opt"] == ["no-new-privileges"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


@pytest.mark.parametrize("name", PODS)
def test_a_pod_starts_an_existing_command_as_the_user_of_the_image_and_can_write_nowhere(name: str) -> None:
    (container,) = PODS[name]["containers"]
    user = re.findall(r"^USER (.*)", (FOLDER / "Containerfile").read_text("utf-8"), re.MULTILINE)
    context, own = PODS[name]["securityContext"], container["securityContext"]
    assert container["args"][0] in ENTRIES
    assert [f"{context['runAsUser']}:{context['runAsGroup']}"] == user
    assert (context["runAsNonRoot"], own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (
        True,
        True,
        False,
    )
    assert own["capabilities"] == {"drop": ["ALL"]}


def test_pods_take_settings_that_there_are() -> None:
    there = {(each["kind"], each["metadata"]["name"]) for each in OBJECTS if each["kind"] in ("ConfigMap", "Secret")}
    kinds = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
    taken = {
        (kinds[kind], reference["name"])
        for pod in PODS.values()
        for source in pod["containers"][0]["envFrom"]
        for kind, reference in source.items()
    }
    assert taken == there


def database_user(settings: dict[str, str]) -> str:
    """Who a program is for PostgreSQL."""
    return settings["TOKENQ_DATABASE_URL"].split("/")[2].split(":")[0]


def test_each_program_is_its_own_user_of_the_database() -> None:
    roles = set(re.findall(r"^CREATE ROLE (\w+)", (DEPLOY / "postgres/roles.sql").read_text("utf-8"), re.MULTILINE))
    users = {name: database_user(environment(name)) for name in PROGRAMS}
    secrets = {each["metadata"]["name"]: each["stringData"] for each in OBJECTS if each["kind"] == "Secret"}
    assert {users[name] for name in ("api", "relay", "notify")} == roles - {"tokenq_read"}
    assert {users[name] for name in ("migrate", "operator")} == {"tokenq"}
    assert {name: database_user(given) for name, given in secrets.items()} == {
        "tokenq-owner": "tokenq",
        **{f"tokenq-{name}": users[name] for name in ("api", "relay", "notify")},
    }


def test_the_database_logs_as_little_as_the_manual_asks_for() -> None:
    set_here, asked_for = (
        re.findall(r"^ALTER DATABASE tokenq SET .*", file.read_text("utf-8"), re.MULTILINE)
        for file in (FOLDER / "postgres.sql", DEPLOY.parent / "docs/own-stores.md")
    )
    assert set_here == asked_for != []


def test_the_users_of_kafka_are_those_of_its_permissions() -> None:
    permitted = set(re.findall(r"_USERS?:-([\w-]+)\}", (DEPLOY / "kafka/acls.sh").read_text("utf-8")))
    known = set(re.findall(r"user_(tokenq-\w+)=", (FOLDER / "kafka.properties").read_text("utf-8")))
    used = {environment(name).get("TOKENQ_KAFKA_SASL_USERNAME") for name in PROGRAMS} - {None}
    in_secrets = set(re.findall(r"KAFKA_SASL_USERNAME: (\S+)", (DEPLOY / "kubernetes/secrets.yaml").read_text("utf-8")))
    assert permitted == known
    assert used == known - {"tokenq-board"}
    assert in_secrets == used - {"tokenq-operator"}


def test_a_program_gets_no_login_that_it_does_not_need() -> None:
    """The relay never speaks to Valkey, and a migration to PostgreSQL only."""
    assert {name for name in PROGRAMS if "TOKENQ_REDIS_URL" in environment(name)} == {"api", "notify", "operator"}
    with_redis = {each["metadata"]["name"] for each in OBJECTS if "TOKENQ_REDIS_URL" in each.get("stringData", {})}
    assert with_redis == {"tokenq-api", "tokenq-notify"}


def test_the_users_of_valkey_are_those_of_its_file() -> None:
    """Its file of users knows no comments: a line that is something else stops the server."""
    lines = (DEPLOY / "redis/users.acl").read_text("utf-8").splitlines()
    users = set(re.findall(r"redis://([\w-]+):", TEXT))
    assert [line.split()[0] for line in lines] == ["user"] * len(lines)
    assert users == {line.split()[1] for line in lines} - {"default"}


def test_every_mounted_file_exists() -> None:
    mounted = [words.split(":")[0] for service in SERVICES.values() for words in service.get("volumes", [])]
    files = [FOLDER / path for path in mounted if path.startswith(".")]
    assert files
    assert [path for path in files if not path.is_file()] == []
    assert {path for path in mounted if not path.startswith(".")} == set(COMPOSE["volumes"])


def test_the_manual_has_every_line_of_the_settings_file_with_its_default() -> None:
    page = (DEPLOY.parent / "docs/containers.md").read_text("utf-8")
    said = {name: default.strip("`") for name, default in re.findall(r"^\| `(\w+)=` \| ([^|]+) \|", page, re.MULTILINE)}
    asked = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert said == asked | {"TOKENQ_SMTP_URL": "the mail catcher"}


def test_kafka_is_the_version_of_the_tests() -> None:
    pom = (Path(__file__).parents[1] / "kafka/pom.xml").read_text("utf-8")
    versions = {service["image"].rpartition(":")[2] for service in SERVICES.values() if "kafka" in service["image"]}
    assert [f"<kafka.version>{version}</kafka.version>" in pom for version in versions] == [True]


def test_what_an_image_is_built_from_exists() -> None:
    lines = (DEPLOY.parent / ".dockerignore").read_text("utf-8").splitlines()
    needed = [DEPLOY.parent / line.removeprefix("!") for line in lines if line.startswith("!")]
    assert [path for path in needed if not path.exists()] == []


def test_an_image_can_be_built_from_the_source_archive() -> None:
    """Without the list of what is left out, the file of passwords would go into the build, too."""
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text("utf-8"))
    included = {name.removeprefix("/") for name in project["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]}
    lines = (DEPLOY.parent / ".dockerignore").read_text("utf-8").splitlines()
    needed = {line.removeprefix("!").partition("/")[0] for line in lines if line.startswith("!")}
    by_hatch_itself = {"pyproject.toml", *project["project"]["license-files"]}
    assert {".dockerignore", *needed} - by_hatch_itself <= included


def test_passwords_are_random_private_and_never_replaced(tmp_path: Path) -> None:
    for name in ("compose.yaml", "make-passwords"):
        shutil.copy(FOLDER / name, tmp_path)
    made = subprocess.run([tmp_path / "make-passwords"], capture_output=True, text=True)
    again = subprocess.run([tmp_path / "make-passwords"], capture_output=True, text=True)
    file = tmp_path / ".env"
    passwords = dict(line.split("=") for line in file.read_text().splitlines())
    assert (made.returncode, again.returncode) == (0, 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(passwords) == set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert {len(password) for password in passwords.values()} == {48}
    assert len(set(passwords.values())) == len(passwords)
