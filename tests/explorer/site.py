"""The real application behind the explorer: a demo that was lived into a database of its own, and
`seatport serve` over it as a process on a free port.
"""

import html
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.api.explorer import DemoAccount, ExplorerConfig, Tab
from app.clock import wall_clock
from app.services.demo import past
from app.services.demo.stage import MovedClock
from app.store.engine import open_store
from tests.postgres import in_own_loop

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 60
ENVIRONMENT = {"SEATPORT_SECRET": "a secret of the explorer's tests, long enough", "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True, slots=True)
class Site:
    """A served explorer: its address, and what its page was first given."""

    url: str
    config: ExplorerConfig

    def again(self) -> "Site":
        """The same site, whose page was loaded anew."""
        return Site(self.url, config_at(self.url))

    @property
    def operations(self) -> dict[str, Tab]:
        """The tabs by the name of their operation, in their order."""
        return {_name(tab.query): tab for tab in self.config.tabs}

    def account(self, customer: str, role: str) -> DemoAccount:
        """The demo account of a customer in a role."""
        accounts = {(account.customer, account.role): account for account in self.config.accounts}
        return accounts[customer, role]

    def variables(self, account: DemoAccount, operation: str) -> dict[str, Any]:
        """The variables of a tab for an account."""
        tab = self.operations[operation]
        variables: dict[str, Any] = json.loads(account.variables.get(tab.title, tab.variables))
        return variables

    def ask(self, account: DemoAccount, operation: str) -> dict[str, Any]:
        """What a tab answers to an account."""
        body = {"query": self.operations[operation].query, "variables": self.variables(account, operation)}
        return self.post(account, body)

    def post(self, account: DemoAccount, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request that an account signs."""
        headers = {"Authorization": f"Bearer {account.token}"}
        answer = httpx.post(f"{self.url}/graphql", headers=headers, json=body, timeout=SECONDS_MAX)
        told: dict[str, Any] = answer.json()
        return told


def _name(query: str) -> str:
    (name,) = re.findall(r"^(?:query|mutation) (\w+)", query, re.MULTILINE)
    return str(name)


def lived_demo(template: Path, folder: Path) -> Path:
    """A database with the demo's three customers and their past until now, made from a migrated one."""
    file = folder / "seatport.db"
    shutil.copyfile(template, file)
    in_own_loop(_live(f"sqlite+aiosqlite:///{file}"))
    return file


async def _live(url: str) -> None:
    clock = MovedClock(wall_clock())
    store = open_store(url, clock=clock)
    try:
        await past.live(store, clock, clock.now)
    finally:
        await store.close()


@contextmanager
def served(database: Path, **environ: str) -> Iterator[Site]:
    """`seatport serve` over a database, ready; with settings for its environment."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("SEATPORT_")}
    surroundings |= ENVIRONMENT | {"SEATPORT_DATABASE_URL": f"sqlite+aiosqlite:///{database}"} | environ
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    log = database.with_name(f"{port}.log")
    with log.open("wb") as told:
        process = subprocess.Popen(command, cwd=ROOT, env=surroundings, stdout=told, stderr=told)
    try:
        wait_until_ready(process, url, log)
        yield Site(url, config_at(url))
        process.terminate()
        assert process.wait(SECONDS_MAX) == 0, log.read_text("utf-8")
        assert "Traceback" not in log.read_text("utf-8"), log.read_text("utf-8")
    finally:
        process.kill()
        process.wait()


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text("utf-8")
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").status_code == httpx.codes.OK:
                return
        time.sleep(0.05)
    raise AssertionError(f"the server did not become ready: {log.read_text('utf-8')}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def config_at(url: str) -> ExplorerConfig:
    """The configuration that a load of the page carries."""
    page = httpx.get(f"{url}/graphiql", timeout=SECONDS_MAX).text
    (escaped,) = re.findall(r'data-config="([^"]*)"', page)
    carried = json.loads(html.unescape(escaped))
    return ExplorerConfig(
        tuple(Tab(**tab) for tab in carried["tabs"]),
        tuple(DemoAccount(**account) for account in carried["accounts"]),
        carried["endpoint"],
    )
