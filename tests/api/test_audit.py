"""The public audits of GraphQL over HTTP (npm `graphql-http`), run against a live server."""

import json
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from app.assets.node import find_node
from tests.api.test_serve import free_port, process
from tests.api.tiny import TOKEN
from tools import audit

AUDITS: Final = 61
SECONDS_MAX: Final = 120


def audited(url: str) -> list[dict[str, Any]]:
    """What each audit found at an address."""
    assert audit.is_current(), "The audits are not installed: run `make install`."
    command = [str(find_node().node), "run.mjs", url, TOKEN]
    done = subprocess.run(
        command, cwd=audit.FOLDER, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_every_audit_is_content_but_for_get(capsys: pytest.CaptureFixture[str]) -> None:
    """All 61: no error, no warning, and a notice only where GET is tried, which is refused on purpose."""
    port = free_port()
    with process(port):
        found = audited(f"http://127.0.0.1:{port}/graphql")

    with capsys.disabled():
        print(f"\nGraphQL over HTTP: {dict(Counter(each['status'] for each in found))}")  # noqa: T201
    others = [each for each in found if each["status"] != "ok"]
    assert len(found) == AUDITS
    assert {each["status"] for each in others} <= {"notice"}, others
    assert all("GET" in each["name"] for each in others), others


class Careless(BaseHTTPRequestHandler):
    """Answers everything alike, as careless servers do: a status of 200 and no JSON."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"all is well")

    do_GET = do_POST  # noqa: N815  As the standard library calls it.

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def careless() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Careless) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/graphql"
        server.shutdown()
        thread.join()


def test_the_audits_notice_a_careless_server(careless: str) -> None:
    """The same run finds errors and warnings where there are some."""
    statuses = Counter(each["status"] for each in audited(careless))

    assert statuses["error"] > 5
    assert statuses["warn"] > 5


def test_a_second_installation_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """The packages are those of the lock, so nothing is asked of any registry."""
    assert audit.main() == 0
    assert capsys.readouterr().out == ""
