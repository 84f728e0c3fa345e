"""How tokenq is checked. `nox` runs what every change must pass; `nox -l` lists all sessions."""

import hashlib
import os
import shutil
import signal
import sys
import tarfile
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.2.9"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "imports", "tests", "bare"]
nox.options.error_on_missing_interpreters = True
os.environ["UV_PYTHON_DOWNLOADS"] = "never"
# Tests start hundreds of programs; without cached bytecode each compiles everything, which takes over a second.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        # A script that starts nox in the background ignores Ctrl-C, nohup ignores SIGHUP, and child processes inherit
        # that. Tests send both signals.
        signal.signal(number, handler)

CONSTRAINTS = "deploy/constraints.txt"
OLD = "6aff600"
"""The commit of the previous release, which is in production while this one is rolled out."""
GENERATOR = "openapi-python-client==0.29.1"
PROJECT = nox.project.load_toml("pyproject.toml")
EXTRAS = ["", *PROJECT["project"]["optional-dependencies"]]

IN_PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
"""A file's tests share servers. In this order the last files are small ones, so that no process waits for the other."""

LICENCES = ["MIT", "BSD", "Apache", "PSF", "Python Software Foundation", "MPL", "Mozilla Public License", "ISC"]
LICENCES += ["LGPL", "GNU Lesser", "PostgreSQL", "Unlicense", "CNRI-Python", "DFSG"]
"""Licences that permit what tokenq does: it is used as a library or beside it, and not changed."""

LICENCE_FILES = {"pyrage": "MIT"}
"""Packages whose metadata do not name the licence that they contain."""

ELSEWHERE = ("browser", "kafka", "skew", "network", "watching", "containers", "packages")
"""Marks of tests that have sessions of their own."""
HERE = " and ".join(f"not {mark}" for mark in ELSEWHERE)
"""Tests that need nothing but what wheels bring."""

PARTS = {
    "tui": "tokenq_tui.console.app, tokenq_tui.board.app",
    "server": "tokenq_server.api.app, tokenq_server.relay, tokenq_server.notify.program, "
    "tokenq_server.recovery.rewind, tokenq_server.verify",
    "embedded": "tokenq_server.embedded.supervisor",
    "print": "segno, tokenq.paper.pictures",
    "rtl": "tokenq_tui.reshape",
}
PARTS["all"] = ", ".join(PARTS.values())
"""Modules that each extra must make importable."""


def install(session: nox.Session, *groups: str, project: str = "") -> None:
    """Install dependency groups, and the project with the extras in ``project``, at the pinned versions."""
    requirements = nox.project.dependency_groups(PROJECT, *groups)
    session.install("-q", "-c", CONSTRAINTS, *requirements, *(("-e", project) if project else ()))


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting, and the schema of the compose file."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("check-jsonschema", "-q", "--builtin-schema", "vendor.compose-spec", "deploy/container/compose.yaml")


@nox.session
def types(session: nox.Session) -> None:
    """Type checks of the three packages, strict; of the tests, whether what they name and call exists."""
    install(session, "types", project=".[all]")
    session.run("mypy")
    session.run("mypy", "--config-file", "tests/mypy.ini")


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom."""
    install(session, "imports", project=".")
    session.run("lint-imports", "--no-cache")


@nox.session
def tests(session: nox.Session) -> None:
    """The tests of every change, on real servers from wheels; `nox -s tests -- tests/unit` runs any others."""
    install(session, "test", project=".[all]")
    marks = HERE if session.posargs else f"{HERE} and not long"
    session.run("pytest", "-m", marks, *(session.posargs or IN_PARALLEL))


@nox.session
def long(session: nox.Session) -> None:
    """The tests of security, of whole systems, and others that take long."""
    install(session, "test", project=".[all]")
    env = {"TOKENQ_TEST_GENERATOR": str(generator(session))}
    session.run("pytest", "-m", f"{HERE} and long", *(session.posargs or IN_PARALLEL), env=env)


def generator(session: nox.Session) -> Path:
    """Return a generator of clients, in an environment of its own: it needs an older Typer. It is kept between runs."""
    home = session.cache_dir.absolute() / GENERATOR
    program = home / "bin" / "openapi-python-client"
    if not program.exists():
        session.run("uv", "venv", "-q", "--clear", "--python", f"{session.bin}/python", str(home), external=True)
        session.run("uv", "pip", "install", "-q", "--python", f"{home}/bin/python", GENERATOR, external=True)
    return program


@nox.session
def coverage(session: nox.Session) -> None:
    """Branches not covered by tests, without a threshold; `nox -s coverage -- tests/unit` runs some."""
    install(session, "test", "coverage", project=".[all]")
    paths = session.posargs or ["tests/unit", "tests/ports", "tests/integration", "tests/security", *IN_PARALLEL]
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-m", HERE, *paths, success_codes=[0, 1])
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report")


@nox.session(reuse_venv=False)
@nox.parametrize("extra", EXTRAS)
def bare(session: nox.Session, extra: str) -> None:
    """The wheel, with no extra and with each extra alone, outside this folder."""
    with tempfile.TemporaryDirectory() as folder:
        session.run("uv", "build", "-q", "--wheel", "--out-dir", folder, external=True)
        (wheel,) = Path(folder).glob("*.whl")
        session.install("-q", "-c", CONSTRAINTS, f"tokenq[{extra}] @ {wheel.as_uri()}" if extra else str(wheel))
        session.chdir(folder)
        for command in ([], ["issue"], ["board"], ["up"]):
            session.run("tokenq", *command, "--help", silent=True)
        if extra:
            session.run("python", "-c", f"import {PARTS[extra]}")
        if extra in ("embedded", "all"):
            try_out(session, Path(folder))


def try_out(session: nox.Session, folder: Path) -> None:
    """Start everything from the wheel, issue and serve one token, and stop."""
    env = {"XDG_CONFIG_HOME": str(folder / "config"), "TOKENQ_DATA_DIR": str(folder / "data")}
    folder.chmod(0o711)  # started by root, the servers run as another user
    try:
        session.run("tokenq", "up", "--detach", "--port", "0", env=env, silent=True)
        session.run("tokenq", "dept", "create", "Window", "--id", "W", env=env, silent=True)
        session.run("tokenq", "issue", "W", env=env)
        session.run("tokenq", "serve", "W", "--counter", "1", env=env)
    finally:
        session.run("tokenq", "down", env=env, silent=True)


@nox.session
def skew(session: nox.Session) -> None:
    """This release and the previous one, each with the other's server, topic and tables."""
    install(session, "test", project=".[all]")
    env = {"TOKENQ_SKEW_OLD": str(previous_release(session))}
    session.run(
        "pytest", *(session.posargs or ["tests/skew", "-n", "2", "--dist", "loadgroup", "--timeout", "300"]), env=env
    )


def previous_release(session: nox.Session) -> Path:
    """Return the path of ``tokenq`` at the commit OLD, installed in its own environment that is kept between runs."""
    home = session.cache_dir.absolute() / f"skew-{OLD}"
    python, program, finished = home / "bin" / "python", home / "bin" / "tokenq", home / "finished"
    if finished.exists() and program.exists():
        return program
    lookup = ("git", "rev-parse", "--quiet", "--verify", f"{OLD}^{{commit}}")
    if not session.run(*lookup, external=True, silent=True, success_codes=[0, 1, 128]):
        session.error(f"The previous release, commit {OLD}, is not in this clone. Try: git fetch --unshallow")
    with tempfile.TemporaryDirectory() as folder:
        tree, built = f"{folder}/tree", f"{folder}/built"
        session.run("git", "archive", "-o", f"{tree}.tar", OLD, external=True)
        with tarfile.open(f"{tree}.tar") as archive:
            archive.extractall(tree, filter="data")
        session.run("uv", "build", "-q", "--wheel", "--out-dir", built, tree, external=True)
        (wheel,) = Path(built).glob("*.whl")
        session.run("uv", "venv", "-q", "--clear", "--python", f"{session.bin}/python", str(home), external=True)
        packages = ["-c", f"{tree}/{CONSTRAINTS}", f"tokenq[all] @ {wheel.as_uri()}"]
        session.run(
            "uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python), *packages, external=True
        )
    finished.touch()
    return program


@nox.session
def kafka(session: nox.Session) -> None:
    """Everything that uses the topic, on Apache Kafka (needs Java 17 and Maven)."""
    install(session, "test", project=".[all]")
    on_topic = ["tests/kafka", "tests/ports/test_topic.py", "tests/integration/test_stream.py"]
    paths = session.posargs or [*on_topic, *IN_PARALLEL]
    session.run("pytest", *paths, env={"TOKENQ_TEST_KAFKA": "apache"})


@nox.session
def browser(session: nox.Session) -> None:
    """The pages for televisions and phones, in Debian's chromium-headless-shell (about two minutes)."""
    install(session, "test", "browser", project=".[all]")
    session.run("pytest", "-m", "browser", *(session.posargs or ["tests/browser", *IN_PARALLEL]))


@nox.session
def watching(session: nox.Session) -> None:
    """Metrics, dashboards and alerts in a real Prometheus, with outages (needs Debian's prometheus; four minutes)."""
    install(session, "test", project=".[all]")
    session.run("pytest", *(session.posargs or ["tests/watching"]))


@nox.session
def network(session: nox.Session) -> None:
    """Other machines, proxies, poolers and a failover (needs root, iproute2, nginx, Caddy and PgBouncer)."""
    install(session, "test", project=".[all]")
    session.run("pytest", *(session.posargs or ["tests/network"]))


@nox.session
def containers(session: nox.Session) -> None:
    """The image and the compose file, played; Kubernetes manifests, read (needs root, podman, mmdebstrap, Maven)."""
    install(session, "test", "containers", project=".[all]")
    manifests = sorted(map(str, Path("deploy/kubernetes").glob("*.yaml")))
    session.log(beside(session, "kubernetes-validate>=1.37,<2", "kubernetes-validate", "--strict", *manifests))
    session.run("pytest", "-s", *(session.posargs or ["tests/containers"]))


@nox.session
def machines(session: nox.Session) -> None:
    """The Debian packages and the units on booted machines (needs root, mmdebstrap and systemd-container)."""
    install(session, "test", project=".[all]")
    with tempfile.TemporaryDirectory() as folder:
        debian_packages(session, folder, "--arch", "amd64")
        session.run("pytest", "-s", *(session.posargs or ["tests/packages"]), env={"TOKENQ_TEST_PACKAGES": folder})


@nox.session
def docs(session: nox.Session) -> None:
    """The manual as a site, build/manual; a broken link is an error."""
    install(session, "docs")
    session.run("zensical", "build", "--strict", "--clean", *session.posargs)


@nox.session
def pictures(session: nox.Session) -> None:
    """Write docs/pictures, from screens and pages of a running tokenq (a minute); `-- board.svg` writes some."""
    install(session, "test", "browser", project=".[all]")
    session.run("python", "-m", "tests.pictures", *session.posargs)


@nox.session
def diagrams(session: nox.Session) -> None:
    """Write the diagrams of the manual, docs/pictures, from the code's tables (needs Debian's graphviz)."""
    install(session, project=".[all]")
    session.run("python", "-m", "tests.pictures.diagrams")


@nox.session
def schema(session: nox.Session) -> None:
    """Requests generated from the OpenAPI document (some minutes); `nox -s schema -- 10` makes fewer per operation."""
    install(session, "test", "schema", project=".[all]")
    session.run("python", "-m", "tests.schema", *session.posargs)


@nox.session
def chaos(session: nox.Session) -> None:
    """Each fault and each named crash point at least once, on complete running systems (about six minutes)."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.chaos", "ci", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The same faults, hundreds of times; takes hours. `nox -s soak -- --only kills` runs a part."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.chaos", "soak", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """What tokenq costs, beside something of the same run; takes minutes. `nox -s bench -- latency` runs one part."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def locale(session: nox.Session) -> None:
    """Write the template of the message catalogues, tokenq/locale/tokenq.pot."""
    install(session, "test", project=".[all]")
    session.run("python", "deploy/locale/template.py")


@nox.session
def lock(session: nox.Session) -> None:
    """Update deploy/constraints.txt to the newest compatible versions."""
    groups = [word for name in PROJECT["dependency-groups"] for word in ("--group", name)]
    compile_ = ["uv", "pip", "compile", "-q", "pyproject.toml", "--universal", "--all-extras", "--upgrade", *groups]
    out = str(session.run(*compile_, "--no-header", "--no-annotate", silent=True, external=True))
    head = "# The versions that are tested together. Update them with: nox -s lock\n"
    Path(CONSTRAINTS).write_text(head + out, encoding="utf-8")
    hashed(session)


@nox.session
def hashes(session: nox.Session) -> None:
    """Write deploy/locks, the same versions with the hashes of their files."""
    hashed(session)


def hashed(session: nox.Session) -> None:
    """Write one file per extra, for pip install --require-hashes."""
    for extra in filter(None, EXTRAS):
        words = ["uv", "pip", "compile", "-q", "pyproject.toml", "--universal", "--extra", extra, "-c", CONSTRAINTS]
        lock = f"deploy/locks/{extra}.txt"
        options = ["--generate-hashes", "--no-header", "--no-annotate", "--output-file", lock]
        session.run(*words, *options, silent=True, external=True)


def beside(session: nox.Session, package: str, *command: str) -> str:
    """Run a tool in an environment of its own, so that it does not find itself; return what it prints."""
    return str(session.run("uvx", "-q", "--from", package, *command, silent=True, external=True))


@nox.session
def release(session: nox.Session) -> None:
    """Write dist/: wheel, source archive, Debian packages, bill of materials, checksums. The folder is emptied."""
    version, changes = PROJECT["project"]["version"], Path("CHANGELOG.md").read_text(encoding="utf-8")
    if f"## [{version}]" not in changes:
        session.error(f"CHANGELOG.md has no section [{version}].")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("uv", "build", "-q", "--out-dir", "dist", external=True)
    built = sorted(path for path in Path("dist").iterdir() if path.suffix in (".whl", ".gz"))
    session.log(beside(session, "twine>=7,<8", "twine", "check", "--strict", *map(str, built)))
    sbom(session)
    debian_packages(session, "dist")
    files = sorted(path for path in Path("dist").iterdir() if path.suffix in (".whl", ".gz", ".deb", ".json"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    Path("dist/SHA256SUMS").write_text("".join(sums), encoding="utf-8")


@nox.session
def packages(session: nox.Session) -> None:
    """Write the Debian packages to dist/: `tokenq` and `tokenq-board`, for each release and architecture."""
    install(session, project=".")
    debian_packages(session, "dist", *session.posargs)


def debian_packages(session: nox.Session, folder: str, *options: str) -> None:
    """Build them in a session that has tokenq, which says how shells complete it."""
    # uv may be beside nox only, as the README installs it.
    path = os.pathsep.join([session.bin, str(Path(sys.executable).parent), os.environ["PATH"]])
    session.run("python", "deploy/debian/build.py", "--out", folder, *options, env={"PATH": path})


@nox.session
def sbom(session: nox.Session) -> None:
    """Write dist/sbom.json (CycloneDX): every package of a full installation, with its licence."""
    install(session, project=".[all]")
    Path("dist").mkdir(exist_ok=True)
    words = ["environment", f"{session.bin}/python", "--pyproject", "pyproject.toml", "--output-reproducible"]
    beside(session, "cyclonedx-bom>=7.1,<8", "cyclonedx-py", *words, "--output-file", "dist/sbom.json")


@nox.session
def licences(session: nox.Session) -> None:
    """Write deploy/licences.md: the licence of every package of a full installation; an unusual one fails."""
    install(session, project=".[all]")
    words = [f"--python={session.bin}/python", "--from=mixed", "--format=markdown"]
    words += ["--ignore-packages", "tokenq", *LICENCE_FILES]
    only = ["--partial-match", f"--allow-only={';'.join(LICENCES)}"]
    table = beside(session, "pip-licenses>=5.5,<6", "pip-licenses", *words, *only)
    head = "# Licences of the packages that tokenq uses\n\nWritten by `nox -s licences`.\n\n"
    others = "".join(f"| {name} | | {licence}, as its licence file says |\n" for name, licence in LICENCE_FILES.items())
    Path("deploy/licences.md").write_text(head + str(table) + others, encoding="utf-8")
