"""What the command line and the screens can be told.

A flag wins over the environment (``TOKENQ_…``), that over the TOML file, that over the default. The file is
``TOKENQ_CONFIG`` or ``config.toml`` in the platform's config folder; its keys are flat: ``url = "https://…"``.
The server's programs read the same file, so keys that are theirs are left alone here.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tokenq.contract.hosts import normal_url
from tokenq.contract.printers import COLUMNS, parse_printer
from tokenq.contract.problems import refuse
from tokenq.contract.reasons.system import SettingReason
from tokenq.contract.server_settings import NAMES as SERVER_NAMES
from tokenq.contract.spelling import similar
from tokenq.private_files import replace_content

_PLATFORM: str = sys.platform
_SECRETS = ("token", "password")
THEMES = ("dark", "light")
"""The console's themes."""
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


@dataclass(frozen=True)
class Settings:
    """One run's settings. A field's environment name is ``TOKENQ_`` and its own name in capitals."""

    url: str | None = None
    """The address of the server, such as ``https://queue.example.org``; else the one last logged in to."""
    token: str | None = field(default=None, repr=False)
    """The bearer token or key to speak with (environment only); else the one that ``tokenq login`` stored."""
    timeout: float = 10.0
    """Seconds to wait for the server to connect and for each answer."""
    fingerprint: str | None = None
    """The fingerprint of the server's certificate, if it is its own; else the one that ``tokenq login`` stored."""
    insecure: bool = False
    """Whether plain http to another machine is allowed, where others on the network can read the token."""
    counter: str | None = None
    """The counter this machine stands at, so that staff need not type ``--counter``."""
    console_theme: str = "dark"
    """The colours of ``tokenq console``: dark or light. It stores here what is chosen in it."""
    console_keys: Mapping[str, str] = field(default_factory=dict)
    """Other keys for its actions: ``{call = "space", serve = "f2"}``; in the environment ``call=space serve=f2``."""
    console_bell: bool = True
    """Whether it rings for the first customer in a line that was empty."""
    kafka_bootstrap: str | None = None
    """Kafka brokers for the board, ``host:port`` with commas between."""
    kafka_security_protocol: str | None = None
    """How the board connects to Kafka: PLAINTEXT (default), SSL, SASL_PLAINTEXT or SASL_SSL."""
    kafka_sasl_mechanism: str | None = None
    """How it logs in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 (default)."""
    kafka_sasl_username: str | None = None
    """The user of a SASL login."""
    kafka_sasl_password: str | None = field(default=None, repr=False)
    """The user's password."""
    kafka_ca: str | None = None
    """A PEM file of the authority that signed the brokers' certificates; else those the system trusts."""
    kafka_cert: str | None = None
    """A PEM file with this client's own certificate, if the brokers ask for one."""
    kafka_key: str | None = None
    """A PEM file with the key of that certificate."""
    printer: str | None = None
    """The ticket printer: ``tcp://host:9100``, a device such as ``/dev/usb/lp0``, or ``lp:NAME``, a queue of CUPS."""
    printer_columns: int = 32
    """Characters per line of its paper: 32, 42 or 48; for tickets on stdout, too."""
    printer_pictures: bool = False
    """Whether it gets QR codes and all but plain ASCII as pictures, as it lacks the commands or the code pages."""
    printer_font: Path | None = None
    """A font file for text that is printed as a picture; else one of the system."""
    printer_logo: Path | None = None
    """A picture file that begins each printed ticket."""
    printer_header: str = ""
    """Lines of text of one's own at the top of each ticket."""
    printer_footer: str = ""
    """Lines of text of one's own at the end of each ticket."""
    data_dir: Path | None = None
    """Where ``tokenq up`` keeps everything; else the platform's data folder, for root ``/var/lib/tokenq``."""
    tls_cert: Path | None = None
    """A PEM file with the certificate of the API that ``tokenq up`` starts."""
    tls_key: Path | None = None
    """A PEM file with the key of that certificate, if it is not in the same file."""


ENVIRONMENT_ONLY = {
    "TOKENQ_CONFIG": "The TOML file with settings.",
    "TOKENQ_DEBUG": "Whether a failure shows its traceback (1).",
    "TOKENQ_EXIT_PIN": "The code that leaves a kiosk ('desk --self-service'), after Ctrl-Q.",
    "TOKENQ_LOCALE": "A folder of message catalogues that come before tokenq's.",
    "TOKENQ_PASSWORD": "The password for 'login' and 'passwd', and of the user that 'user create --password' makes.",
}
"""Names that are read on the spot, each with its sentence."""


def load(environ: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """Read the settings; a flag of ``None`` was not given.

    Raises:
        Refused: a setting is wrong; the sentence names it and where it came from.
    """
    path = config_file(environ)
    file = read_file(path, environ)
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        variable = f"TOKENQ_{setting.name.upper()}"
        if flags.get(setting.name) is not None:
            values[setting.name] = flags[setting.name]
        elif environ.get(variable):
            values[setting.name] = _convert(setting.name, environ[variable], variable)
        elif setting.name in file:
            values[setting.name] = _convert(setting.name, file[setting.name], f"'{setting.name}' in {path}")
    if "url" in values:
        values["url"] = normal_url(values["url"])
    return Settings(**values)


def is_debugging(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a failure should show where in the program it arose."""
    return environ.get("TOKENQ_DEBUG", "").lower() not in _FALSE


def config_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of this person's settings and credentials."""
    if _PLATFORM == "linux":
        # platformdirs says the same and costs every command 30 ms
        base = environ.get("XDG_CONFIG_HOME", "")
        return (Path(base) if base.strip() else Path("~/.config").expanduser()) / "tokenq"
    from platformdirs import user_config_path

    return user_config_path("tokenq", appauthor=False)


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """The TOML file, whether it exists or not."""
    named = environ.get("TOKENQ_CONFIG")
    return Path(named).expanduser() if named else config_folder(environ) / "config.toml"


def read_file(path: Path, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """What the TOML file says; nothing when there is none in the default place.

    Raises:
        Refused: it does not exist, though ``TOKENQ_CONFIG`` names it; it cannot be read, is no TOML, holds a secret, or
            names an unknown setting.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        if environ.get("TOKENQ_CONFIG"):
            raise refuse(SettingReason.FILE_MISSING, path=str(path)) from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise refuse(SettingReason.FILE_UNREADABLE, path=str(path), error=str(error)) from None
    import tomllib

    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise refuse(SettingReason.FILE_NOT_TOML, path=str(path), error=str(error)) from None
    for name in _SECRETS:
        if name in content:
            raise refuse(SettingReason.FILE_HOLDS_SECRET, path=str(path), name=name)
    _check_names(content, path)
    return content


def store(name: str, value: str, environ: Mapping[str, str] = os.environ) -> None:
    """Write one setting that is a text into the file; everything else in it stays as it is.

    Raises:
        OSError: the file cannot be written.
    """
    path = config_file(environ).resolve()  # a link stays one
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    entry = f'{name} = "{value}"'
    flat = next((place for place, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines))
    known = [place for place, line in enumerate(lines[:flat]) if line.partition("=")[0].strip() == name]
    # A file's keys are flat, so that its beginning is never inside a table.
    lines = [*lines[: known[0]], entry, *lines[known[0] + 1 :]] if known else [entry, *lines]
    replace_content(path, "\n".join([*lines, ""]), path.stat().st_mode & 0o777 if path.exists() else 0o600)


def _check_names(content: Mapping[str, Any], path: Path) -> None:
    known = names()
    for name in content:
        if name not in known:
            suggestion = similar(name, known)
            reason = SettingReason.MISSPELT_KEY if suggestion else SettingReason.UNKNOWN_KEY
            raise refuse(reason, path=str(path), name=name, suggestion=suggestion)


def names() -> frozenset[str]:
    """The names of all settings, the server's too: they share the file and the environment."""
    return SERVER_NAMES | {setting.name for setting in fields(Settings)}


def unknown_variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return variables that look like settings and are none, each with a similar name or an empty text."""
    known = {f"TOKENQ_{name.upper()}" for name in names()} | ENVIRONMENT_ONLY.keys()
    without_prefix = {name.removeprefix("TOKENQ_"): name for name in known}
    strange = sorted(name for name in environ if name.startswith("TOKENQ_") and name not in known)
    return {name: without_prefix.get(similar(name.removeprefix("TOKENQ_"), without_prefix), "") for name in strange}


def _convert(name: str, value: Any, source: str) -> Any:
    """The value in the field's type."""
    read: Callable[[Any], Any] = _READERS.get(name, _text)
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise refuse(SettingReason.WRONG_HERE, name=source, fault=str(error)) from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return value


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


def _positive(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = 0.0
    if not 0 < number <= 3600:
        raise ValueError("a number of seconds above 0 is expected")
    return number


def _read_fingerprint(value: Any) -> str:
    from tokenq.contract.certificates import parse_fingerprint

    return parse_fingerprint(_text(value))


def _read_printer(value: Any) -> str:
    return str(parse_printer(_text(value)))


def _read_theme(value: Any) -> str:
    if value not in THEMES:
        raise ValueError(f"{' or '.join(THEMES)} is expected")
    return str(value)


def _read_keys(value: Any) -> dict[str, str]:
    """Actions and their keys; which there are, the console knows."""
    if isinstance(value, str):
        pairs = [pair.partition("=") for pair in value.split()]
        value = {name: key for name, _, key in pairs}
    if not isinstance(value, dict) or not all(isinstance(key, str) and key for key in value.values()):
        raise ValueError('names of actions with keys are expected, such as {call = "space"}')
    return value


def _read_columns(value: Any) -> int:
    if str(value) not in map(str, COLUMNS):
        raise ValueError("32, 42 or 48 is expected")
    return int(value)


def _read_bool(value: Any) -> bool:
    text = str(value).lower()
    if text not in _TRUE + _FALSE:
        raise ValueError("1 or 0 is expected")
    return text in _TRUE


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "timeout": _positive,
    "insecure": _read_bool,
    "fingerprint": _read_fingerprint,
    "console_bell": _read_bool,
    "console_keys": _read_keys,
    "console_theme": _read_theme,
    "printer": _read_printer,
    "printer_columns": _read_columns,
    "printer_pictures": _read_bool,
    **dict.fromkeys(("data_dir", "tls_cert", "tls_key", "printer_font", "printer_logo"), _path),
}
"""What reads a setting that is no plain text. Each raises ValueError with the rest of a sentence."""
