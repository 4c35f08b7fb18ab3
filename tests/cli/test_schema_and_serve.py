"""`seatport schema` and `seatport serve`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.commands import schema
from tests.architecture.source import ROOT
from tests.cli.conftest import Seatport, run

START_LINES = 3

SECRET = "a secret of these tests, long enough"


def test_the_printed_schema_is_the_programs(tmp_path: Path) -> None:
    """--check agrees with the file of the repository; `seatport schema` leaves it as it is."""
    url = f"sqlite+aiosqlite:///{tmp_path}/none.db"
    before = (ROOT / "graphql" / "schema.graphql").read_bytes()

    assert run(url, "schema", "--check").exit_code == 0
    assert run(url, "schema").stdout == "graphql/schema.graphql is up to date.\n"
    assert (ROOT / "graphql" / "schema.graphql").read_bytes() == before


def test_another_schema_is_noticed_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file says something else, --check ends with 1 and writes nothing; without it, it writes."""
    file = tmp_path / "schema.graphql"
    file.write_text("type Query { old: String }\n", "utf-8")
    monkeypatch.setattr(schema, "FILE", file)
    url = f"sqlite+aiosqlite:///{tmp_path}/none.db"

    checked = run(url, "schema", "--check")
    assert checked.exit_code == 1
    assert "Run `seatport schema`" in checked.stderr
    assert file.read_text("utf-8") == "type Query { old: String }\n"
    assert run(url, "schema").stdout == "graphql/schema.graphql is written.\n"
    assert file.read_bytes() == (ROOT / "graphql" / "schema.graphql").read_bytes()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def serving(url: str, port: int, **environment: str) -> Iterator[subprocess.Popen[str]]:
    """`seatport serve` as a process of its own."""
    command = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    environ = {
        **os.environ,
        "SEATPORT_DATABASE_URL": url,
        "SEATPORT_SECRET": "a secret of these tests, long enough",
        **environment,
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def asked(port: int, token: str, query: str) -> Any:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/graphql",
        json={"query": query},
        headers={"Authorization": f"Bearer {token}"},
    )
    return answer.json()


def test_the_demo_is_served_and_says_where(demo: Seatport, demo_url: str) -> None:
    """In demo mode it prints the addresses and a token that signs in; SIGTERM ends it with 0."""
    port = free_port()
    with serving(demo_url, port, SEATPORT_MODE="demo") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().strip() for _ in range(START_LINES)]
        assert lines[0] == f"Seatport serves http://127.0.0.1:{port}/graphql"
        assert lines[1] == f"Explorer: http://127.0.0.1:{port}/graphiql"
        told = re.fullmatch(r"Token of acme's owner, for twelve hours: (spp_\S{43})", lines[2])
        assert told is not None, lines[2]
        answer = asked(port, told[1], "{ viewer { role } customer { reference } }")
        assert answer == {"data": {"viewer": {"role": "OWNER"}, "customer": {"reference": "acme"}}}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def test_production_prints_no_token(demo: Seatport, demo_url: str) -> None:
    """Outside demo mode only the address is told; there is no explorer."""
    port = free_port()
    with serving(demo_url, port, SEATPORT_MODE="production") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == f"Seatport serves http://127.0.0.1:{port}/graphql\n"
        assert httpx.get(f"http://127.0.0.1:{port}/graphiql").status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout.read() == ""


def test_a_port_in_use_is_told(demo: Seatport) -> None:
    """One line says so and what to do, and the exit code is 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = demo("serve", "--port", str(port))

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith(f"Error: Port {port} is in use.")


def test_a_database_without_tables_is_not_served(empty_database_url: str) -> None:
    """It says what to run before anything listens."""
    result = run(empty_database_url, "serve", "--port", str(free_port()))

    assert result.exit_code == 1
    assert result.stderr == "Error: The database has no tables yet. Run `seatport migrate`.\n"
