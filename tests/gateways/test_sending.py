"""One try against a real server on this machine that answers in every way there is."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from app.gateways.addresses import Guard
from app.gateways.webhooks import ANSWER_BYTES_MAX, Answer, Failure, HttpSender, Letter, NoAnswer, Outcome
from tests.gateways.receiver import (
    Behave,
    Received,
    answer,
    drip,
    drip_after_status,
    receiving,
    reset,
    silence,
)


async def outcome_of(behave: Behave, seconds: float = 5) -> tuple[Outcome, int]:
    """What a try comes to, and how many requests arrived."""
    out = HttpSender(Guard(loopback=True), seconds=seconds)
    async with receiving(behave) as receiver:
        outcome = await out.send(Letter(receiver.url, {"webhook-id": "msg_1"}, b'{"type": "x"}'))
        await out.close()
    return outcome, len(receiver.received)


@pytest.mark.parametrize("status", [200, 201, 204, 299, 300, 302, 307, 400, 404, 410, 429, 500, 502, 504])
async def test_the_status_is_told(status: int) -> None:
    """Whatever it is; one request is made, and none to where a redirect leads."""
    outcome, requests = await outcome_of(answer(status, Location="http://127.0.0.1:1/elsewhere"))

    assert isinstance(outcome, Answer)
    assert (outcome.status, requests) == (status, 1)


async def test_retry_after_is_told() -> None:
    """In the words of the endpoint."""
    outcome, _ = await outcome_of(answer(429, Retry_After="120"))

    assert isinstance(outcome, Answer)
    assert outcome.retry_after == "120"


@pytest.mark.parametrize(
    ("behave", "why"), [(reset, Failure.CONNECTION), (silence, Failure.TIMEOUT), (drip, Failure.TIMEOUT)]
)
async def test_without_a_status_there_was_no_answer(behave: Behave, why: Failure) -> None:
    """A broken connection, silence, a head that drips: no answer, within the time."""
    outcome, requests = await outcome_of(behave, seconds=0.3)

    assert isinstance(outcome, NoAnswer)
    assert (outcome.why, requests) == (why, 1)
    assert outcome.milliseconds < 1500


async def test_what_comes_after_the_status_changes_nothing() -> None:
    """A body that drips is left when the time is over; the endpoint has said 200."""
    outcome, _ = await outcome_of(drip_after_status, seconds=0.3)

    assert isinstance(outcome, Answer)
    assert outcome.status == 200
    assert outcome.milliseconds < 1500


async def test_nobody_listens() -> None:
    """A port without a server is no connection."""
    async with receiving(answer(200)) as receiver:
        url = receiver.url
    out = HttpSender(Guard(loopback=True))

    outcome = await out.send(Letter(url, {}, b"{}"))

    assert isinstance(outcome, NoAnswer)
    assert outcome.why is Failure.CONNECTION


async def test_a_long_answer_is_not_read() -> None:
    """Of ten megabytes about 64 kB are taken, besides what the system had on its way; the status counts."""
    taken = 0

    async def pours(_: Received, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.transport.set_write_buffer_limits(high=0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        for _part in range(1000):
            writer.write(b"x" * 10_000)
            await writer.drain()
            taken += 10_000

    outcome, _ = await outcome_of(pours)

    assert isinstance(outcome, Answer)
    assert outcome.status == 200
    assert taken < 10_000_000 / 2
    assert ANSWER_BYTES_MAX == 65_536


async def test_a_connection_is_kept_for_the_next() -> None:
    """Two messages to one endpoint share a connection."""
    out = HttpSender(Guard(loopback=True))
    async with receiving(answer(200)) as receiver:
        for number in range(2):
            await out.send(Letter(receiver.url, {"webhook-id": f"msg_{number}"}, b"{}"))
        await out.close()

    assert (receiver.connections, len(receiver.received)) == (1, 2)


async def test_a_certificate_must_be_good(tmp_path: Path) -> None:
    """A self-made certificate is none by the authorities that everybody trusts; if it is trusted, it is."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    made += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)  # noqa: ASYNC221  Nothing else runs here.
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate, key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    outcomes: list[Outcome] = []
    async with receiving(answer(200), tls=served) as receiver:
        for tls in (None, trusting):
            out = HttpSender(Guard(loopback=True), tls=tls)
            outcomes.append(await out.send(Letter(receiver.url, {}, b"{}")))
            await out.close()

    refused, taken = outcomes
    assert isinstance(refused, NoAnswer)
    assert refused.why is Failure.TLS
    assert isinstance(taken, Answer)
    assert len(receiver.received) == 1
