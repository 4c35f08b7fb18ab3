"""The server itself, as a process: it starts, says in one line why it cannot, and stops without losing a
request.
"""

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import structlog

from app.main import ServeError, configure_logging, family_of, listening
from app.settings import Mode
from tests.api.tiny import TOKEN

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = 30


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def process(port: int, token: str = TOKEN) -> Iterator[subprocess.Popen[str]]:
    """The tiny application, served by `serve` in a process of its own, ready."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "TINY_TOKEN": token}
    command = [sys.executable, "-m", "tests.api.tiny", str(port)]
    running = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_ready(running, port)
        yield running
    finally:
        running.kill()
        running.wait()
        assert running.stderr is not None
        running.stderr.close()


def wait_until_ready(running: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        assert running.poll() is None, running.communicate()[1]
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of one server that the tests of this file share, where they do not stop it."""
    chosen = free_port()
    with process(chosen):
        yield chosen


def asked(port: int, body: bytes, **headers: str) -> httpx.Response:
    """One operation sent as it is."""
    always = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    return httpx.post(f"http://127.0.0.1:{port}/graphql", content=body, headers={**always, **headers})


def test_the_server_answers(port: int) -> None:
    """An operation through a real socket, with nothing that tells what serves it."""
    answer = asked(port, b'{"query": "{ greeting }"}')

    assert answer.content == b'{"data":{"greeting":"Hello, world!"}}'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "server" not in answer.headers


def test_forwarded_headers_are_not_believed(port: int) -> None:
    """Anybody can send them; no link and no answer changes by them."""
    answer = asked(
        port,
        b'{"query": "{ balance }"}',
        **{"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Host": "evil.example"},
    )

    assert answer.status_code == 200
    assert b"evil" not in answer.content
    assert "evil" not in str(answer.headers)


def test_a_body_over_the_bound_is_refused_on_the_wire(port: int) -> None:
    """With its length announced, and in chunks without a length."""

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 10_000

    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/graphql"

    assert httpx.post(url, content=b" " * 200_000, headers=headers).status_code == 413
    assert httpx.post(url, content=chunks(), headers=headers).status_code == 413


def test_a_connection_that_breaks_off_harms_nobody(port: int) -> None:
    """Half a request and gone, a hundred times; the next client is served."""
    head = f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(
                f'{head}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{{"query"'.encode()
            )

    assert asked(port, b'{"query": "{ balance }"}').status_code == 200


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
        b"POST /graphql HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz?a=%ff%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request_get_no_fault(port: int, line: bytes) -> None:
    """Refused or answered, never a fault, and the server goes on."""
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS_MAX) as client:
        client.sendall(line)
        client.shutdown(socket.SHUT_WR)
        try:
            first = client.recv(100)
        except ConnectionResetError:
            first = b""

    assert b" 500 " not in first
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200


def test_a_port_in_use_is_one_line() -> None:
    """It names the port and the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        with pytest.raises(ServeError) as raised:
            listening("127.0.0.1", taken)

    assert str(raised.value) == (
        f"Port {taken} is in use. Stop the program that has it, or choose another with --port or PORT."
    )


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("192.0.2.1", "192.0.2.1 is no address of this machine."),
        ("no.such.host.invalid", "There is no host 'no.such.host.invalid'."),
        ("127.0.0.1.1", "There is no host '127.0.0.1.1'."),
        (" ", "There is no host ' '."),
        ("a" * 64, f"There is no host '{'a' * 64}'."),
    ],
)
def test_a_host_that_cannot_be_had_is_one_line(host: str, why: str) -> None:
    """An address of another machine, and names of none, with what to give instead."""
    with pytest.raises(ServeError) as raised:
        listening(host, 8000)

    assert str(raised.value) == (
        f"{why} Give --host 127.0.0.1 for this machine alone, 0.0.0.0 for every network it is in, "
        "or an address it has."
    )


def test_another_trouble_of_the_system_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody thought of still names the address and what the system said."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)

    with pytest.raises(ServeError, match=r"^Cannot listen on 127\.0\.0\.1 port 8000: .*Too many open files"):
        listening("127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("", socket.AF_INET), ("::1", socket.AF_INET6)]
)
def test_both_kinds_of_address_can_be_listened_on(host: str, family: socket.AddressFamily) -> None:
    """`--host ::1` is an address like any other; IPv4 comes first where a host has both."""
    assert family_of(host) == family


def test_a_port_of_the_administrator_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system keeps low ports for itself, the message says which are free to take."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket, "create_server", refuse)

    with pytest.raises(
        ServeError, match=r"^Port 80 is kept for the system administrator\. Choose one above 1023"
    ):
        listening("127.0.0.1", 80)


@pytest.fixture
def logging_restored() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def logged_fault(mode: Mode, capsys: pytest.CaptureFixture[str]) -> str:
    """What goes to standard error when something fails where a variable holds a secret."""
    configure_logging(mode)
    secret = "".join(reversed("2retnuh"))
    try:
        int(secret, base=1)
    except ValueError:
        structlog.get_logger().exception("it failed", reference="abc")
    return capsys.readouterr().err


def test_the_log_in_production_is_json(capsys: pytest.CaptureFixture[str], logging_restored: None) -> None:
    """One line for one event, with its trace, and without the values of variables."""
    (line,) = logged_fault(Mode.PRODUCTION, capsys).splitlines()

    event = json.loads(line)
    assert (event["event"], event["level"], event["reference"]) == ("it failed", "error", "abc")
    assert "ValueError: int() base must be" in event["exception"]
    assert "hunter2" not in line


def test_the_log_of_a_demo_is_for_people(capsys: pytest.CaptureFixture[str], logging_restored: None) -> None:
    """The same as text, over several lines."""
    text = logged_fault(Mode.DEMO, capsys)

    assert "it failed" in text.splitlines()[0]
    assert "Traceback (most recent call last)" in text
    assert "hunter2" not in text


@pytest.mark.parametrize(("mode", "count"), [(Mode.PRODUCTION, 2), (Mode.DEMO, 1)])
def test_what_goes_well_is_told_in_production_only(
    mode: Mode, count: int, capsys: pytest.CaptureFixture[str], logging_restored: None
) -> None:
    """A person who starts a demo sees where it is, not a line for every document that is drawn."""
    configure_logging(mode)
    structlog.get_logger().info("document drawn", pages=1)
    structlog.get_logger().warning("document not drawn", pages=0)

    assert len(capsys.readouterr().err.splitlines()) == count


@pytest.mark.parametrize("number", [-1, 65_536])
def test_a_number_that_is_no_port_is_one_line(number: int) -> None:
    """The message says which numbers are."""
    with pytest.raises(ServeError, match=rf"^{number} is no port. Choose one from 1 to 65535 with --port.$"):
        listening("127.0.0.1", number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_server_after_the_running_request(number: signal.Signals) -> None:
    """The request whose body is still on its way is answered; the process ends by itself with code 0."""
    chosen = free_port()
    body = b'{"query": "mutation { refund }"}'
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with process(chosen) as running:
        with socket.create_connection(("127.0.0.1", chosen), timeout=SECONDS_MAX) as client:
            client.sendall(head.encode() + body[:10])
            assert httpx.get(f"http://127.0.0.1:{chosen}/healthz").status_code == 200
            running.send_signal(number)
            time.sleep(0.3)
            client.sendall(body[10:])
            answer = b"".join(iter(lambda: client.recv(10_000), b""))

        assert b'{"data":{"refund":-1}}' in answer
        assert running.wait(SECONDS_MAX) == 0


def test_new_connections_are_refused_while_it_stops() -> None:
    """A load balancer sees at once that this process takes no more."""
    chosen = free_port()
    with process(chosen) as running:
        running.send_signal(signal.SIGTERM)
        assert running.wait(SECONDS_MAX) == 0

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", chosen))
