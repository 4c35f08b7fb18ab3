"""GET /metrics: which metrics there are and by what labels, and who reads them."""

from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app import metrics
from app.main import create_app
from app.metrics import Backlog, Reading
from tests.api.tiny import SETTINGS, tiny_parts
from tests.api.tiny import World as TinyWorld

TOKEN = "a token of the scraper, as long as it has to be"
LOOPBACK = "127.0.0.1"
LABELS = {
    "seatport_billed_subscriptions": ("outcome",),
    "seatport_database_up": (),
    "seatport_faults": (),
    "seatport_graphql_documents": ("source",),
    "seatport_limited": ("limit",),
    "seatport_operation_points": (),
    "seatport_parked_subscriptions": (),
    "seatport_request_seconds": ("route",),
    "seatport_requests": ("route", "method", "status"),
    "seatport_requests_under_way": (),
    "seatport_statements": ("door",),
    "seatport_statements_refused": (),
    "seatport_waiting": ("what",),
    "seatport_waiting_seconds": ("what",),
    "seatport_worker_last_round_timestamp_seconds": ("step",),
    "seatport_worker_rounds": ("step", "outcome"),
}
"""Every metric of ours with its labels; whoever adds one thinks of whose data it tells."""


async def some_wait() -> Backlog:
    return Backlog({"documents": (3, 1.5)}, 2)


def client(token: str | None = None, peer: str = LOOPBACK, host: str = "127.0.0.1:8000") -> httpx.AsyncClient:
    """A client of the tiny application with metrics, from an address, to a host."""
    parts = replace(tiny_parts(TinyWorld()), metrics=Reading(some_wait).page)
    app = create_app(replace(SETTINGS, metrics_token=token), parts)
    transport = httpx.ASGITransport(app=cast("Any", app), client=(peer, 50_000), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


def told(page: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """The value of each sample, by its name and the values of its labels, in the order of the labels."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_these_are_the_metrics() -> None:
    """Names and labels are a contract: dashboards and alarms are made of them."""
    collectors = {collector for name, collector in vars(metrics).items() if hasattr(collector, "_labelnames")}
    found = {collector._name: collector._labelnames for collector in collectors}

    assert found == LABELS


async def test_requests_are_counted_by_route() -> None:
    """By the address as the program has it, never as somebody sent it; what leads nowhere is one route."""
    async with client() as http:
        before = told((await http.get("/metrics")).text)
        for number in range(3):
            await http.get(f"/documents/inv_{number}.pdf?customer=secret")
            await http.get(f"/nowhere/{number}")
        await http.request("BREW", "/healthz")
        await http.get("/broken")
        page = (await http.get("/metrics")).text

    def more(*labels: str) -> float:
        key = ("seatport_requests_total", labels)
        return told(page).get(key, 0) - before.get(key, 0)

    assert more("GET", "/documents/{name}", "403") == 3
    assert more("GET", "none", "404") == 3
    assert more("none", "none", "405") == 1
    assert more("GET", "/broken", "500") == 1
    assert told(page)[("seatport_waiting", ("documents",))] == 3
    assert told(page)[("seatport_parked_subscriptions", ())] == 2
    assert "secret" not in page
    assert "nowhere/" not in page


@pytest.mark.parametrize(
    ("token", "peer", "host", "headers", "status"),
    [
        (None, LOOPBACK, "127.0.0.1:8000", {}, 200),
        (None, LOOPBACK, "localhost:8000", {}, 200),
        (None, "::1", "[::1]:8000", {}, 200),
        (None, "192.0.2.7", "127.0.0.1:8000", {}, 404),
        (None, LOOPBACK, "billing.example.com", {}, 404),
        (None, LOOPBACK, "127.0.0.1:8000", {"X-Forwarded-For": "127.0.0.1"}, 404),
        (None, LOOPBACK, "127.0.0.1:8000", {"Forwarded": "for=127.0.0.1"}, 404),
        (None, LOOPBACK, "127.0.0.1:8000", {"Via": "1.1 proxy"}, 404),
        (TOKEN, LOOPBACK, "127.0.0.1:8000", {}, 404),
        (TOKEN, "192.0.2.7", "billing.example.com", {"Authorization": f"Bearer {TOKEN}"}, 200),
        (TOKEN, LOOPBACK, "127.0.0.1:8000", {"Authorization": f"Bearer {TOKEN}x"}, 404),
        (TOKEN, LOOPBACK, "127.0.0.1:8000", {"Authorization": TOKEN}, 404),
    ],
)
async def test_who_reads_them(
    token: str | None, peer: str, host: str, headers: dict[str, str], status: int
) -> None:
    """Without a token set, programs of this machine that ask directly; with one, who bears it. To others
    the answer is what an address without anything gives.
    """
    async with client(token, peer, host) as http:
        answer = await http.get("/metrics", headers=headers)
        nowhere = await http.get("/nowhere", headers=headers)

    assert answer.status_code == status
    if status == 404:
        assert answer.content == nowhere.content


async def test_who_asks_often_reads_the_database_once() -> None:
    """What waits is read at most every few seconds, and a database that is away is told as such."""
    reads = 0
    broken = False

    async def read() -> Backlog:
        nonlocal reads
        reads += 1
        if broken:
            raise ConnectionError
        return Backlog({"documents": (1, 0.5)}, 0)

    reading = Reading(read)
    pages = [(await reading.page()).decode() for _ in range(10)]
    assert reads == 1
    assert told(pages[-1])[("seatport_database_up", ())] == 1

    broken = True
    page = (await Reading(read).page()).decode()
    assert told(page)[("seatport_database_up", ())] == 0
    assert ("seatport_waiting", ("documents",)) not in told(page)
