"""What a deployment may set, read once from the environment: a wrong value stops the start with one sentence
that says what was wrong and what to do. Nothing has a default that is unsafe in production: without a secret
it does not start there, while a demo makes one and keeps it in `var/secret`, so that links and quotes outlive
a restart.
"""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from app.api.allowances import DEFAULT, POINTS_IN_PRODUCTION, Limits, WrongLimit
from app.api.urls import origin_of
from app.gateways.choosing import Provider

DATABASE_URL_DEFAULT: Final = "sqlite+aiosqlite:///var/seatport.db"
PORT_DEFAULT: Final = 8000
SECRET_LENGTH_MIN: Final = 32
DIFFERENT_CHARACTERS_MIN: Final = 5
EXAMPLE: Final = re.compile(r"change.?me|replace.?me|default|example|insecure|not.?secret", re.IGNORECASE)
DRAIN_SECONDS_DEFAULT: Final = 5
DRAIN_SECONDS_MAX: Final = 10
SESSION_DEFAULT: Final = timedelta(hours=12)
IDLE_DEFAULT: Final = timedelta(hours=1)
MINUTES_MAX: Final = 60 * 24 * 365
HOST: Final = re.compile(r"[a-z0-9._:-]+")
THIS_MACHINE: Final = frozenset({"127.0.0.1", "localhost", "::1"})
DRIVERS: Final = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
HOW_TO_MAKE_ONE: Final = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


class SettingsError(Exception):
    """A setting is wrong; the message says which, why, and what to do."""


class Mode(StrEnum):
    """What kind of deployment this is. Only demo and test may move a customer's clock or make up a secret."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"


class Documents(StrEnum):
    """Which GraphQL documents run: the stored operations alone, or any."""

    REGISTERED = "registered"
    ANY = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, valid. The repr shows neither the secret nor the database, whose address may hold one."""

    mode: Mode
    database_url: str = field(repr=False)
    secret: str = field(repr=False)
    public_url: str
    port: int
    explorer: bool
    app_role: str | None = None
    payments: Provider = Provider.INVOICE
    metrics_token: str | None = field(default=None, repr=False)
    drain_seconds: float = 0
    origins: frozenset[str] = frozenset()
    return_url: str | None = None
    session_lifetime: timedelta = SESSION_DEFAULT
    session_idle: timedelta = IDLE_DEFAULT
    documents: Documents | None = None
    limits: Limits = DEFAULT

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers send the session's cookie by https alone; not in a trial on this machine."""
        url = urlsplit(self.public_url)
        trial = self.mode is not Mode.PRODUCTION and url.hostname in THIS_MACHINE
        return url.scheme == "https" or not trial

    @property
    def any_document(self) -> bool:
        """Whether documents run that are no stored operations; where it is not set, outside of production."""
        return self.documents is Documents.ANY or (self.documents is None and self._is_open)

    @property
    def introspection(self) -> bool:
        """Whether the schema is told to whoever is signed in: where there is an explorer, and in tests."""
        return self.explorer or self._is_open

    @property
    def _is_open(self) -> bool:
        return self.mode is not Mode.PRODUCTION

    @property
    def payment_books(self) -> Path:
        """Where the test gateway keeps its books: beside a SQLite database, else in the folder of demos."""
        scheme, _, rest = self.database_url.partition(":///")
        folder = Path(rest).parent if scheme == DRIVERS["sqlite"] else Path("var")
        return folder / "test-gateway.db"

    @classmethod
    def from_env(cls, environ: Mapping[str, str], *, folder: Path = Path("var")) -> "Settings":
        """The settings of an environment, or `SettingsError`. `folder` is where a demo keeps its secret."""
        mode = _mode(environ)
        port = _port(environ)
        return cls(
            mode=mode,
            database_url=_database_url(environ),
            secret=_secret(environ, mode, folder),
            public_url=_public_url(environ, port),
            port=port,
            explorer=_explorer(environ, mode),
            app_role=_given(environ, "SEATPORT_APP_ROLE"),
            payments=_payments(environ, mode),
            metrics_token=_metrics_token(environ),
            drain_seconds=_drain_seconds(environ, mode),
            origins=_origins(environ, mode),
            return_url=_return_url(environ, mode),
            session_lifetime=_minutes(environ, "SEATPORT_SESSION_MINUTES", SESSION_DEFAULT),
            session_idle=_minutes(environ, "SEATPORT_IDLE_MINUTES", IDLE_DEFAULT),
            documents=_documents(environ),
            limits=_limits(environ, mode),
        )


def _given(environ: Mapping[str, str], name: str) -> str | None:
    """The value without surrounding space; None when unset or empty."""
    return environ.get(name, "").strip() or None


def _mode(environ: Mapping[str, str]) -> Mode:
    value = _given(environ, "SEATPORT_MODE") or Mode.PRODUCTION
    try:
        return Mode(value)
    except ValueError:
        raise SettingsError(
            f"SEATPORT_MODE is {value!r}. Set it to production, demo or test, or leave it out for production."
        ) from None


def _port(environ: Mapping[str, str]) -> int:
    value = _given(environ, "PORT") or str(PORT_DEFAULT)
    if not (value.isascii() and value.isdecimal() and len(value) <= 5 and 1 <= int(value) <= 65535):  # noqa: PLR2004  TCP's own bound.
        raise SettingsError(f"PORT is {value!r}. Set it to a whole number from 1 to 65535.")
    return int(value)


def _database_url(environ: Mapping[str, str]) -> str:
    """The address in SQLAlchemy's form. Errors never repeat it, since it may hold a password."""
    value = _given(environ, "SEATPORT_DATABASE_URL") or DATABASE_URL_DEFAULT
    scheme, separator, rest = value.partition("://")
    if not separator or scheme not in DRIVERS.values():
        wanted = (
            f"{DRIVERS[scheme]}://…"
            if scheme in DRIVERS
            else "sqlite+aiosqlite:///path or postgresql+asyncpg://user@host/name"
        )
        raise SettingsError(f"SEATPORT_DATABASE_URL begins with {scheme[:40]!r}. Write it as {wanted}.")
    if scheme == DRIVERS["sqlite"] and (
        not rest.startswith("/") or rest.strip("/") == "" or ":memory:" in rest
    ):
        raise SettingsError(
            "SEATPORT_DATABASE_URL names no file. SQLite needs one that all connections share: "
            f"write {DATABASE_URL_DEFAULT}, or four slashes for a path from the root."
        )
    if scheme == DRIVERS["postgresql"] and not urlsplit(value).path.strip("/"):
        raise SettingsError(
            "SEATPORT_DATABASE_URL names no database. Write postgresql+asyncpg://user@host/name."
        )
    return value


def _public_url(environ: Mapping[str, str], port: int) -> str:
    """The address that links are made with, without a slash at the end."""
    value = _given(environ, "SEATPORT_PUBLIC_URL")
    if value is None:
        return f"http://127.0.0.1:{port}"
    problem = _url_problem(value)
    if problem:
        raise SettingsError(
            f"SEATPORT_PUBLIC_URL {problem}. Set it to the address under which customers reach this server, "
            "like https://billing.example.com."
        )
    return value.rstrip("/")


def _url_problem(value: str) -> str | None:
    """Why a text is not the plain address of a server."""
    if not value.isascii() or not value.isprintable() or " " in value:
        return "has characters that no address has"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"}:
        return "does not begin with https:// or http://"
    if port == 0 or HOST.fullmatch(parts.hostname or "") is None:
        return "names no server"
    if parts.username is not None or parts.query or parts.fragment or "?" in value or "#" in value:
        return "holds more than a server and a path"
    return None


def _explorer(environ: Mapping[str, str], mode: Mode) -> bool:
    value = _given(environ, "SEATPORT_EXPLORER")
    if value not in {None, "0", "1"}:
        raise SettingsError(
            f"SEATPORT_EXPLORER is {value!r}. Set it to 1 to serve the explorer or 0 to leave it out."
        )
    return mode is Mode.DEMO if value is None else value == "1"


def _documents(environ: Mapping[str, str]) -> Documents | None:
    value = _given(environ, "SEATPORT_DOCUMENTS")
    if value not in {None, *Documents}:
        raise SettingsError(
            f"SEATPORT_DOCUMENTS is {value!r}. Set it to registered, so that only the stored operations "
            "run, or to any."
        )
    return Documents(value) if value else None


def _limits(environ: Mapping[str, str], mode: Mode) -> Limits:
    """The limits; the demo of a developer and tests may ask as fast as they can."""
    try:
        return Limits.from_env(environ, points=POINTS_IN_PRODUCTION if mode is Mode.PRODUCTION else 0)
    except WrongLimit as wrong:
        raise SettingsError(str(wrong)) from wrong


def _payments(environ: Mapping[str, str], mode: Mode) -> Provider:
    value = _given(environ, "SEATPORT_PAYMENTS") or Provider.INVOICE
    if value not in tuple(Provider):
        raise SettingsError(f"SEATPORT_PAYMENTS is {value!r}. Set it to invoice or test, or leave it out.")
    if value == Provider.TEST and mode is Mode.PRODUCTION:
        raise SettingsError(
            "SEATPORT_PAYMENTS is 'test', and the test gateway moves no money: all would count as paid. "
            "Leave it out in production; customers pay by invoice then."
        )
    return Provider(value)


def _drain_seconds(environ: Mapping[str, str], mode: Mode) -> float:
    value = _given(environ, "SEATPORT_DRAIN_SECONDS")
    if value is None:
        return DRAIN_SECONDS_DEFAULT if mode is Mode.PRODUCTION else 0
    if not (value.isascii() and value.isdecimal() and int(value) <= DRAIN_SECONDS_MAX):
        raise SettingsError(
            f"SEATPORT_DRAIN_SECONDS is {value!r}. Set it to a whole number from 0 to {DRAIN_SECONDS_MAX}: as"
            " long as a load balancer needs to notice that a server is not ready."
        )
    return int(value)


def _metrics_token(environ: Mapping[str, str]) -> str | None:
    """What a scraper bears that is not on this machine."""
    value = _given(environ, "SEATPORT_METRICS_TOKEN")
    return (
        _long_enough(value, "SEATPORT_METRICS_TOKEN", f"make one with {HOW_TO_MAKE_ONE}") if value else None
    )


def _origins(environ: Mapping[str, str], mode: Mode) -> frozenset[str]:
    """Origins exactly as browsers write them: no wildcard, no path, no default port, no capitals."""
    listed = (_given(environ, "SEATPORT_ORIGINS") or "").replace(",", " ").split()
    for value in listed:
        problem = _url_problem(value) or _unsafe(value, mode)
        if problem is None and origin_of(value) != value:
            problem = f"is no origin as browsers write it; perhaps {origin_of(value)}"
        if problem is not None:
            raise SettingsError(
                f"SEATPORT_ORIGINS: {value[:100]!r} {problem}. List the origins of your own pages, "
                "with spaces between, like https://app.example.com."
            )
    return frozenset(listed)


def _return_url(environ: Mapping[str, str], mode: Mode) -> str | None:
    value = _given(environ, "SEATPORT_RETURN_URL")
    problem = None if value is None else _url_problem(value) or _unsafe(value, mode)
    if problem is not None:
        raise SettingsError(
            f"SEATPORT_RETURN_URL {problem}. Set it to your billing page, like "
            "https://app.example.com/billing, or leave it out."
        )
    return value


def _unsafe(value: str, mode: Mode) -> str | None:
    """Why an address is not one to send people to."""
    plain = urlsplit(value).scheme == "http"
    return "does not begin with https://" if plain and mode is Mode.PRODUCTION else None


def _minutes(environ: Mapping[str, str], name: str, default: timedelta) -> timedelta:
    value = _given(environ, name)
    if value is None:
        return default
    if not (value.isascii() and value.isdecimal() and len(value) <= 6 and 1 <= int(value) <= MINUTES_MAX):  # noqa: PLR2004  As long as a number may be that is read.
        raise SettingsError(f"{name} is {value[:20]!r}. Set it to whole minutes, from 1 to {MINUTES_MAX}.")
    return timedelta(minutes=int(value))


def _secret(environ: Mapping[str, str], mode: Mode, folder: Path) -> str:
    value = _given(environ, "SEATPORT_SECRET")
    if value is not None:
        if mode is Mode.PRODUCTION and len(value) >= SECRET_LENGTH_MIN and _is_guessable(value):
            raise SettingsError(
                "SEATPORT_SECRET can be guessed: it repeats a few characters, or is an example. "
                f"Make one with {HOW_TO_MAKE_ONE}."
            )
        return _long_enough(value, "SEATPORT_SECRET", f"make one with {HOW_TO_MAKE_ONE}")
    if mode is Mode.PRODUCTION:
        raise SettingsError(
            "SEATPORT_SECRET is missing. It signs quotes and links, so production needs its own: "
            f"make one with {HOW_TO_MAKE_ONE} and keep it over restarts. For a trial set SEATPORT_MODE=demo."
        )
    return secrets.token_urlsafe(SECRET_LENGTH_MIN) if mode is Mode.TEST else _kept_secret(folder / "secret")


def _is_guessable(secret: str) -> bool:
    return len(set(secret)) < DIFFERENT_CHARACTERS_MIN or EXAMPLE.search(secret) is not None


def _long_enough(value: str, name: str, what_to_do: str) -> str:
    if len(value) < SECRET_LENGTH_MIN:
        raise SettingsError(
            f"{name} has {len(value)} characters and needs at least {SECRET_LENGTH_MIN}: {what_to_do}."
        )
    return value


def _kept_secret(path: Path) -> str:
    """The secret in a file that only its owner can read, made at the first start."""
    try:
        if not path.exists():
            _write_once(path, secrets.token_urlsafe(SECRET_LENGTH_MIN))
        mode = stat.S_IMODE(path.stat().st_mode)
        value = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The demo's secret in {path} cannot be used ({_reason(error)}). "
            "Make the folder writable and remove the file, or set SEATPORT_SECRET."
        ) from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"The demo's secret in {path} can be read by others. Run: chmod 600 {path}")
    return _long_enough(value, str(path), "remove the file and start again")


def _write_once(path: Path, text: str) -> None:
    """Write a private file whole, unless another process was first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
    ) as file:
        file.write(f"{text}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not plain text"
