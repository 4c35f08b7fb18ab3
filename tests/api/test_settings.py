"""Settings: what is taken, and that every wrong value is refused with what was wrong and what to do."""

import multiprocessing
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest

from app.api.allowances import Limits
from app.gateways.choosing import Provider
from app.settings import Documents, Mode, Settings, SettingsError

SECRET = "a-secret-of-more-than-32-characters"
PRODUCTION = {"SEATPORT_SECRET": SECRET}


def test_production_is_the_default_and_needs_only_a_secret() -> None:
    """With nothing but a secret: production, the SQLite file under var/, port 8000, no explorer."""
    settings = Settings.from_env(PRODUCTION)

    assert settings == Settings(
        mode=Mode.PRODUCTION,
        database_url="sqlite+aiosqlite:///var/seatport.db",
        secret=SECRET,
        public_url="http://127.0.0.1:8000",
        port=8000,
        explorer=False,
        limits=Limits(points=10_000),
        drain_seconds=5,
    )
    assert not settings.any_document
    assert not settings.introspection


def test_every_setting_is_taken() -> None:
    """Each variable ends in its field; the public address loses its last slash."""
    settings = Settings.from_env(
        {
            "SEATPORT_MODE": "demo",
            "SEATPORT_SECRET": SECRET,
            "SEATPORT_DATABASE_URL": "postgresql+asyncpg://app:hush@db.example.com:5432/seatport",
            "SEATPORT_PUBLIC_URL": "https://billing.example.com/portal/",
            "SEATPORT_EXPLORER": "0",
            "SEATPORT_PAYMENTS": "test",
            "SEATPORT_ORIGINS": "https://app.example.com, http://127.0.0.1:5173",
            "SEATPORT_RETURN_URL": "https://app.example.com/billing",
            "SEATPORT_SESSION_MINUTES": "90",
            "SEATPORT_IDLE_MINUTES": "5",
            "SEATPORT_DOCUMENTS": "registered",
            "SEATPORT_LIMIT_DEPTH": "9",
            "SEATPORT_LIMIT_POINTS": "20000",
            "SEATPORT_METRICS_TOKEN": "a token of more than thirty-two characters",
            "SEATPORT_DRAIN_SECONDS": "10",
            "PORT": "9123",
        }
    )

    assert settings == Settings(
        mode=Mode.DEMO,
        database_url="postgresql+asyncpg://app:hush@db.example.com:5432/seatport",
        secret=SECRET,
        public_url="https://billing.example.com/portal",
        port=9123,
        explorer=False,
        payments=Provider.TEST,
        origins=frozenset({"https://app.example.com", "http://127.0.0.1:5173"}),
        return_url="https://app.example.com/billing",
        session_lifetime=timedelta(minutes=90),
        session_idle=timedelta(minutes=5),
        documents=Documents.REGISTERED,
        limits=Limits(depth=9, points=20_000),
        metrics_token="a token of more than thirty-two characters",
        drain_seconds=10,
    )
    assert not settings.any_document
    assert settings.introspection
    assert settings.payment_books == Path("var/test-gateway.db")


def test_an_empty_variable_is_as_if_unset() -> None:
    """Compose files and shells often set a variable to nothing; the default stands then."""
    assert Settings.from_env({**PRODUCTION, "PORT": "", "SEATPORT_MODE": " "}) == Settings.from_env(
        PRODUCTION
    )


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SEATPORT_MODE", "prod", "SEATPORT_MODE is 'prod'. Set it to production, demo or test"),
        ("PORT", "0", "PORT is '0'. Set it to a whole number from 1 to 65535."),
        ("PORT", "65536", "PORT is '65536'."),
        ("PORT", "eight", "PORT is 'eight'."),
        ("PORT", "-1", "PORT is '-1'."),
        ("PORT", "٨٠٠٠", "PORT is '٨٠٠٠'."),
        ("PORT", "9" * 5000, "Set it to a whole number from 1 to 65535."),
        ("SEATPORT_PAYMENTS", "cash", "SEATPORT_PAYMENTS is 'cash'. Set it to invoice or test"),
        ("SEATPORT_PAYMENTS", "test", "SEATPORT_PAYMENTS is 'test', and the test gateway moves no money"),
        ("SEATPORT_ORIGINS", "*", "SEATPORT_ORIGINS: '*' does not begin with https:// or http://."),
        ("SEATPORT_ORIGINS", "null", "'null' does not begin with https://"),
        ("SEATPORT_ORIGINS", "https://*.example.com", "'https://*.example.com' names no server"),
        ("SEATPORT_ORIGINS", "https://a.example https://b.example/", "perhaps https://b.example."),
        ("SEATPORT_ORIGINS", "https://app.example.com/billing", "perhaps https://app.example.com."),
        ("SEATPORT_ORIGINS", "https://app.example.com:443", "perhaps https://app.example.com."),
        ("SEATPORT_ORIGINS", "https://App.example.com", "perhaps https://app.example.com."),
        ("SEATPORT_ORIGINS", "http://app.example.com", "does not begin with https://."),
        ("SEATPORT_RETURN_URL", "/billing", "SEATPORT_RETURN_URL does not begin with https://"),
        ("SEATPORT_RETURN_URL", "javascript:alert(1)", "does not begin with https:// or http://"),
        ("SEATPORT_RETURN_URL", "http://app.example.com", "does not begin with https://."),
        ("SEATPORT_SESSION_MINUTES", "0", "SEATPORT_SESSION_MINUTES is '0'. Set it to whole minutes"),
        ("SEATPORT_IDLE_MINUTES", "1.5", "SEATPORT_IDLE_MINUTES is '1.5'. Set it to whole minutes"),
        ("SEATPORT_IDLE_MINUTES", "9999999", "from 1 to 525600."),
        ("SEATPORT_EXPLORER", "yes", "SEATPORT_EXPLORER is 'yes'. Set it to 1 to serve the explorer"),
        ("SEATPORT_DOCUMENTS", "all", "SEATPORT_DOCUMENTS is 'all'. Set it to registered, so that only"),
        ("SEATPORT_LIMIT_DEPTH", "0", "SEATPORT_LIMIT_DEPTH is '0'. Set it to a whole number from 1 on."),
        ("SEATPORT_LIMIT_TOKENS", "many", "SEATPORT_LIMIT_TOKENS is 'many'."),
        ("SEATPORT_LIMIT_FIELDS", "9" * 5000, "SEATPORT_LIMIT_FIELDS is '9999"),
        ("SEATPORT_LIMIT_POINTS", "-1", "SEATPORT_LIMIT_POINTS is '-1'. Set it to a whole number from 0 on."),
        ("SEATPORT_LIMIT_POINTS", "100", "SEATPORT_LIMIT_POINTS is 100, less than SEATPORT_LIMIT_COST, 5000"),
        ("SEATPORT_LIMIT_DEEP", "5", "SEATPORT_LIMIT_DEEP is no limit. There are SEATPORT_LIMIT_ALIASES, "),
        ("SEATPORT_DRAIN_SECONDS", "11", "Set it to a whole number from 0 to 10"),
        ("SEATPORT_DRAIN_SECONDS", "-1", "Set it to a whole number from 0 to 10"),
        ("SEATPORT_METRICS_TOKEN", "short", "SEATPORT_METRICS_TOKEN has 5 characters and needs at least 32"),
        ("SEATPORT_SECRET", "x" * 40, "SEATPORT_SECRET can be guessed"),
        ("SEATPORT_SECRET", "abcabcabcabcabcabcabcabcabcabcabcabc", "SEATPORT_SECRET can be guessed"),
        ("SEATPORT_SECRET", "please-change-me-before-production-0123", "SEATPORT_SECRET can be guessed"),
        ("SEATPORT_SECRET", "short", "SEATPORT_SECRET has 5 characters and needs at least 32"),
        (
            "SEATPORT_DATABASE_URL",
            "postgres://u:pw@h/n",
            "begins with 'postgres'. Write it as postgresql+asyncpg://….",
        ),
        (
            "SEATPORT_DATABASE_URL",
            "sqlite:///x.db",
            "begins with 'sqlite'. Write it as sqlite+aiosqlite://….",
        ),
        (
            "SEATPORT_DATABASE_URL",
            "mysql://h/n",
            "Write it as sqlite+aiosqlite:///path or postgresql+asyncpg://user@host/name.",
        ),
        ("SEATPORT_DATABASE_URL", "var/seatport.db", "Write it as sqlite+aiosqlite:///path"),
        ("SEATPORT_DATABASE_URL", "sqlite+aiosqlite://", "names no file"),
        ("SEATPORT_DATABASE_URL", "sqlite+aiosqlite:///:memory:", "names no file"),
        ("SEATPORT_DATABASE_URL", "sqlite+aiosqlite://var/seatport.db", "names no file"),
        ("SEATPORT_DATABASE_URL", "postgresql+asyncpg://host", "names no database"),
        ("SEATPORT_PUBLIC_URL", "billing.example.com", "does not begin with https:// or http://"),
        ("SEATPORT_PUBLIC_URL", "javascript:alert(1)", "does not begin with https:// or http://"),
        ("SEATPORT_PUBLIC_URL", "https://", "names no server"),
        ("SEATPORT_PUBLIC_URL", "https://h;script-src", "names no server"),
        ("SEATPORT_PUBLIC_URL", "https://h:99999", "is not an address"),
        ("SEATPORT_PUBLIC_URL", "https://h/?x=1", "holds more than a server and a path"),
        ("SEATPORT_PUBLIC_URL", "https://user@h", "holds more than a server and a path"),
        ("SEATPORT_PUBLIC_URL", "https://h\r\nX-Evil: 1", "has characters that no address has"),
    ],
)
def test_a_wrong_value_says_what_was_wrong_and_what_to_do(name: str, value: str, message: str) -> None:
    """The start stops with one sentence that names the variable and the way out."""
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**PRODUCTION, name: value})

    assert message in str(raised.value)
    assert name in str(raised.value)


def test_production_without_a_secret_does_not_start() -> None:
    """The refusal shows how to make a secret and how to get a demo instead."""
    with pytest.raises(SettingsError, match=r"SEATPORT_SECRET is missing.*token_urlsafe.*SEATPORT_MODE=demo"):
        Settings.from_env({})


@pytest.mark.parametrize(
    ("mode", "url", "secure"),
    [
        ("production", "https://billing.example.com", True),
        ("production", "http://127.0.0.1:8000", True),
        ("demo", "https://127.0.0.1:8000", True),
        ("demo", "http://192.168.0.5:8000", True),
        ("demo", "http://127.0.0.1:8000", False),
        ("test", "http://localhost:8000", False),
        ("test", "http://[::1]:8000", False),
    ],
)
def test_only_a_trial_on_this_machine_has_loose_cookies(mode: str, url: str, secure: bool) -> None:  # noqa: FBT001
    """Everywhere else the cookie of a session goes by https alone, and its name says so."""
    settings = Settings.from_env({**PRODUCTION, "SEATPORT_MODE": mode, "SEATPORT_PUBLIC_URL": url})

    assert settings.secure_cookies is secure


def test_secrets_and_passwords_are_not_shown() -> None:
    """Neither the repr of the settings nor the refusal of a database address repeats a password."""
    settings = Settings.from_env(
        {**PRODUCTION, "SEATPORT_DATABASE_URL": "postgresql+asyncpg://app:hush@db/seatport"}
    )

    assert "hush" not in repr(settings)
    assert SECRET not in repr(settings)
    with pytest.raises(SettingsError) as raised:
        Settings.from_env({**PRODUCTION, "SEATPORT_DATABASE_URL": "postgres://app:hush@db/seatport"})
    assert "hush" not in str(raised.value)


def test_a_demo_keeps_its_secret_over_restarts(tmp_path: Path) -> None:
    """The first start writes a file that only its owner can read; the second start reads it."""
    folder = tmp_path / "var"

    first = Settings.from_env({"SEATPORT_MODE": "demo"}, folder=folder)
    second = Settings.from_env({"SEATPORT_MODE": "demo"}, folder=folder)

    assert first.secret == second.secret
    assert len(first.secret) >= 32
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["secret"]
    assert first.explorer


def demo_secret(folder: Path) -> str:
    return Settings.from_env({"SEATPORT_MODE": "demo"}, folder=folder).secret


def test_processes_that_start_together_share_one_demo_secret(tmp_path: Path) -> None:
    """Eight first starts at once agree on the secret of the one that was first."""
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(demo_secret, [tmp_path] * 8))) == 1


def test_a_demo_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A loose file mode is named with the command that mends it."""
    Settings.from_env({"SEATPORT_MODE": "demo"}, folder=tmp_path)
    (tmp_path / "secret").chmod(0o644)

    with pytest.raises(SettingsError, match=r"can be read by others. Run: chmod 600 .*secret"):
        Settings.from_env({"SEATPORT_MODE": "demo"}, folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "message"), [(b"short\n", "has 5 characters"), (b"\xff" * 40, "it is not plain text")]
)
def test_a_broken_demo_secret_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that holds no usable secret is not used and not replaced silently."""
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=message):
        Settings.from_env({"SEATPORT_MODE": "demo"}, folder=tmp_path)
    assert path.read_bytes() == content


def test_a_demo_that_cannot_keep_a_secret_says_so(tmp_path: Path) -> None:
    """Where the folder cannot be made, the message offers SEATPORT_SECRET."""
    (tmp_path / "var").write_text("a file, not a folder")

    with pytest.raises(SettingsError, match="or set SEATPORT_SECRET"):
        Settings.from_env({"SEATPORT_MODE": "demo"}, folder=tmp_path / "var")


def test_a_test_deployment_makes_a_new_secret_each_time(tmp_path: Path) -> None:
    """Tests need no secret, and leave none behind."""
    environ = {"SEATPORT_MODE": "test"}

    assert (
        Settings.from_env(environ, folder=tmp_path).secret
        != Settings.from_env(environ, folder=tmp_path).secret
    )
    assert list(tmp_path.iterdir()) == []


def test_the_readme_tells_every_limit() -> None:
    """Each limit stands there with the number that holds when it is not set."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = readme[readme.index("A GraphQL request that asks for more") :]

    for limit in fields(Limits):
        default = 10_000 if limit.name == "points" else limit.default
        assert re.search(rf"`{limit.name.upper()}`\s\({default}\b", told), limit.name
